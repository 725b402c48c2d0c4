/* Sentences and figures for people.
 *
 * Words from the command line and names from images are hostile text: whatever reaches a terminal goes through
 * cli_shown(). Sentences of the library arrive escaped. Strings made here are kept in one list until the program ends,
 * so that callers can put them side by side in one printf. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static struct kept {
	struct kept *next;
	char text[];
} * kept;

static char *keep(size_t bytes)
{
	struct kept *k = malloc(sizeof *k + bytes);

	if (!k) {
		fputs("umd: there is not enough memory\n", stderr);
		exit(CLI_FAILED);
	}
	k->next = kept;
	kept = k;
	return k->text;
}

static void say_error(const char *format, va_list ap)
{
	fflush(stdout);
	fputs("umd: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

int cli_usage(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_error(format, ap);
	va_end(ap);
	return CLI_USAGE;
}

int cli_refuse(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_error(format, ap);
	va_end(ap);
	return CLI_FAILED;
}

int cli_fail(const struct umd_error *error)
{
	return cli_refuse("%s", error->text);
}

/* The character at @s: its length, 0 where that is no well-formed UTF-8. */
static unsigned decode(const unsigned char *s, uint32_t *ret_character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned len = s[0] < 0x80 ? 1 :
		       s[0] < 0xc2 ? 0 :
		       s[0] < 0xe0 ? 2 :
		       s[0] < 0xf0 ? 3 :
		       s[0] < 0xf5 ? 4 :
				     0;
	uint32_t c = len == 1 ? s[0] : len ? s[0] & (0x7f >> len) : 0;

	for (unsigned i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret_character = c;
	return len;
}

/* Control characters, and the marks that break lines or turn the direction of writing: those the library escapes. */
static bool is_harmless(uint32_t c)
{
	return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x061c && c != 0x200e && c != 0x200f &&
	       !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
}

unsigned cli_character(const char *s, uint32_t *ret_character, bool *ret_is_harmless)
{
	unsigned len = decode((const unsigned char *)s, ret_character);

	*ret_is_harmless = len && is_harmless(*ret_character);
	return len;
}

const char *cli_shown(const char *s)
{
	char *text = keep(4 * strlen(s) + 1), *to = text;
	uint32_t character;
	bool is_shown;

	while (*s) {
		unsigned len = cli_character(s, &character, &is_shown);

		if (is_shown) {
			to = mempcpy(to, s, len);
			s += len;
		} else {
			to += sprintf(to, "\\x%02x", (unsigned char)*s++);
		}
	}
	*to = '\0';
	return text;
}

const char *cli_print(const char *format, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, format);
	len = vsnprintf(NULL, 0, format, ap);
	va_end(ap);

	text = keep(len + 1);
	va_start(ap, format);
	vsnprintf(text, len + 1, format, ap);
	va_end(ap);
	return text;
}

const char *cli_socket_uri(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:";
	static const char head[] = "nbd+unix:///?socket=";
	char *uri = keep(sizeof head + 3 * strlen(path)), *at = stpcpy(uri, head);

	for (; *path; path++)
		at += sprintf(at, strchr(plain, *path) ? "%c" : "%%%02X", (unsigned char)*path);
	return uri;
}

static char *next_figure(void)
{
	static char figures[8][32];
	static unsigned turn;

	return figures[turn++ % 8];
}

const char *cli_bytes(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	char *text = next_figure();
	double value = bytes;
	int unit = -1;

	for (; value >= 1024 && unit < 5; unit++)
		value /= 1024;
	if (unit < 0)
		snprintf(text, 32, "%u B", (unsigned)bytes);
	else
		snprintf(text, 32, "%.1f %s", value, units[unit]);
	return text;
}

const char *cli_place(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	char *text = next_figure();
	int unit = 0;

	for (; bytes && bytes % 1024 == 0; unit++)
		bytes /= 1024;
	snprintf(text, 32, "%llu %s", (unsigned long long)bytes, units[unit]);
	return text;
}

const char *cli_seconds(double seconds)
{
	char *text = next_figure();
	unsigned long s = seconds;

	if (seconds < 0.1)
		snprintf(text, 32, "%.0f ms", seconds * 1000);
	else if (seconds < 60)
		snprintf(text, 32, "%.1f s", seconds);
	else if (s < 3600)
		snprintf(text, 32, "%lu:%02lu", s / 60, s % 60);
	else
		snprintf(text, 32, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	return text;
}

const char *cli_time(uint64_t seconds)
{
	time_t time = (time_t)seconds;
	char text[64];
	struct tm tm;

	if (seconds > INT64_MAX || !gmtime_r(&time, &tm) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm))
		return "";
	return cli_print("%s", text);
}

bool cli_has_colour(void)
{
	const char *wish = getenv("NO_COLOR");

	return !(wish && *wish) && isatty(STDOUT_FILENO);
}

unsigned cli_columns(void)
{
	struct winsize size = { 0 };

	if (isatty(STDOUT_FILENO))
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	return size.ws_col ? size.ws_col : 110;
}
