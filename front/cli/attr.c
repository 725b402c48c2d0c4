/* Attributes over the control socket: values in both directions, and on a terminal.
 *
 * JSON has no bytes: a value that is plain text goes as a string, any other as pairs of hexadecimal digits. */
#include "attr.h"

#include <stdlib.h>
#include <string.h>

static bool is_plain(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((value[i] < ' ' && value[i] != '\n') || value[i] > '~')
			return false;
	return true;
}

struct json_object *attr_request(const char *command, const char *path)
{
	struct json_object *request = cli_request(command);

	json_object_object_add(request, "path", json_object_new_string(path));
	return request;
}

void attr_put_value(struct json_object *request, const char *value, size_t len)
{
	char *hex;

	if (is_plain(value, len)) {
		json_object_object_add(request, "value", json_object_new_string_len(value, (int)len));
		return;
	}
	hex = calloc(len + 1, 2);
	for (size_t i = 0; hex && i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)value[i]);
	json_object_object_add(request, "value_hex", json_object_new_string(hex ?: ""));
	free(hex);
}

static unsigned nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

bool attr_value(struct json_object *reply, char **ret_value, size_t *ret_len)
{
	struct json_object *text = cli_json_get(reply, "value");
	const char *hex = cli_json_raw(reply, "value_hex");
	size_t len = text ? (size_t)json_object_get_string_len(text) : strlen(hex) / 2;
	char *value = calloc(len + 1, 1);

	if (!value || (!text && !cli_json_get(reply, "value_hex"))) {
		free(value);
		return false;
	}
	if (text)
		memcpy(value, json_object_get_string(text), len);
	for (size_t i = 0; !text && i < len; i++)
		value[i] = (char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	*ret_value = value;
	*ret_len = len;
	return true;
}

char *attr_shown(const char *value, size_t len)
{
	char *shown = NULL;
	size_t size;
	FILE *to = open_memstream(&shown, &size);
	uint32_t character;
	bool is_harmless;

	if (!to)
		return NULL;
	len -= len && value[len - 1] == '\n';
	for (size_t i = 0; i < len;) {
		unsigned n = cli_character(value + i, &character, &is_harmless);

		if (is_harmless)
			fwrite(value + i, 1, n, to);
		else
			fprintf(to, "\\x%02x", (unsigned char)value[i]);
		i += is_harmless ? n : 1;
	}
	return fclose(to) ? NULL : shown;
}
