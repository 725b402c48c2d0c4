/* Goal:   every error of our own has a code no errno reaches, a name, a sentence and an errno class.
 * Method: the table itself walked, codes compared pairwise; plain errno values beside them.
 * Law:    none (tests and front ends ask for codes).
 * Source: base/err.h, base/err.def. */
#include "base/err.h"
#include "tap.h"

#include <errno.h>

static const struct {
	int code, class;
	const char *name;
} all[] = {
#define E(name, class, text) { UMD_E_##name, class, #name },
#include "base/err.def"
#undef E
};

enum { COUNT = sizeof all / sizeof *all };

static void table_is_sound(void)
{
	int twins = 0, high = 0, nameless = 0, classless = 0, silent = 0;

	for (int i = 0; i < COUNT; i++) {
		for (int k = 0; k < i; k++)
			twins += all[i].code == all[k].code;
		high += all[i].code >= -ERR_BASE;
		nameless += strcmp(err_name(all[i].code), all[i].name) != 0;
		classless += err_errno(all[i].code) != all[i].class || all[i].class <= 0;
		silent += !*err_sentence(all[i].code);
	}
	ok(COUNT > 10, "the table holds %d errors", COUNT);
	is_u64(twins, 0, "no two reasons share a code");
	is_u64(high, 0, "every code is below -%d", ERR_BASE);
	is_u64(nameless, 0, "every code has the name of its line");
	is_u64(classless, 0, "every code has a positive errno class");
	is_u64(silent, 0, "every code has a sentence");
}

static void plain_errno(void)
{
	ok(!strcmp(err_name(-EIO), "EIO"), "an errno has its own name");
	is_u64(err_errno(-ENOSPC), ENOSPC, "an errno is its own class");
	ok(!strcmp(err_name(0), "OK") && err_errno(0) == 0, "0 is no error");
	ok(*err_name(-3000) && *err_sentence(-3000), "an unknown code still has a text");
}

static void sentences_are_kept(void)
{
	char longer[2 * ERR_TEXT_BYTES];
	struct err e = { 0 };

	is_u64(-err_set(&e, UMD_E_FORKED, "%s at %d", "a.img", 7), -UMD_E_FORKED, "err_set returns the code");
	ok(e.code == UMD_E_FORKED && !strcmp(e.text, "a.img at 7"), "code and sentence are kept together");
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	err_set(&e, -EINVAL, "%s", longer);
	is_u64(strlen(e.text), ERR_TEXT_BYTES - 1, "a sentence too long is cut, not spilled");
	is_u64(-err_set(NULL, -EIO, "nobody listens"), EIO, "without a place for the sentence the code is returned");
}

int main(void)
{
	table_is_sound();
	plain_errno();
	sentences_are_kept();
	return tap_end();
}
