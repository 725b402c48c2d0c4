/* Values: text as md takes it, and refusals that quote it.
 *
 * Numbers are decimal digits and nothing else: no sign, no blank, no unit. A point is allowed where seconds are meant;
 * digits behind the scale are cut, as md does. Words are compared whole unless md compares prefixes only. The one
 * newline that may end a value is gone before anybody looks (write.c). */
#include "attrs/inside.h"

#include "base/mem.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* value * 10 + digit, if it fits */
static bool push_digit(uint64_t *value, char digit)
{
	uint64_t tens;

	return mul_fits(*value, 10, &tens) && add_fits(tens, (uint64_t)(digit - '0'), value);
}

int att_number(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	bool fits = true;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (!is_digit(*s))
			return -EINVAL;
		fits = fits && push_digit(&value, *s);
	}
	if (!fits || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int att_decimal(const char *s, unsigned scale, uint64_t *ret)
{
	uint64_t value = 0;
	unsigned digits = 0, decimals = 0;
	bool is_behind_point = false;

	for (; *s; s++) {
		if (*s == '.' && !is_behind_point) {
			is_behind_point = true;
			continue;
		}
		if (!is_digit(*s))
			return -EINVAL;
		digits++;
		if (is_behind_point && decimals == scale)
			continue;
		decimals += is_behind_point;
		if (!push_digit(&value, *s))
			return -EINVAL;
	}
	if (!digits)
		return -EINVAL;
	for (; decimals < scale; decimals++)
		if (!push_digit(&value, '0'))
			return -EINVAL;
	*ret = value;
	return 0;
}

bool att_begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

int att_sector(const char *s, uint64_t *ret)
{
	if (att_is(s, "none")) {
		*ret = OFF_NONE;
		return 0;
	}
	return att_number(s, INT64_MAX / SECTOR_BYTES, ret);
}

int att_refuse_why(struct att_store *s, int code, const char *why)
{
	struct text quoted = { 0 };
	char path[ATT_PATH_MAX];
	size_t shown = min_u64(s->len_bytes, 60);
	char *value;

	text_add_escaped(&quoted, s->value, shown);
	value = text_take(&quoted);
	if (s->dev)
		text_fit(path, sizeof path, "dev-%s/%s", s->dev->name, att_rows[s->row].path + strlen("dev-*/"));
	else
		text_fit(path, sizeof path, "%s", att_rows[s->row].path);
	err_set(s->err, code, "%s cannot become '%s%s': %s", path, value ? value : "",
		shown < s->len_bytes ? "..." : "", why);
	mem_free(value);
	return code;
}

int att_take_number(struct att_store *s, uint64_t max, uint64_t *ret)
{
	int rc = att_number(s->value, max, ret);

	if (rc == -EINVAL)
		return att_refuse(s, rc, "a number of decimal digits goes there");
	if (rc < 0)
		return att_refuse(s, rc, "it is above the greatest number, %llu", (ull)max);
	return 0;
}
