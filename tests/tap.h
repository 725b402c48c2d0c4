/* TAP in forty lines: every unit test is a program that says ok or not ok, statement by statement. */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

/* One statement that must hold; the text says what is protected. Returns the condition. */
__attribute__((format(printf, 2, 3), unused)) static bool ok(bool condition, const char *format, ...)
{
	va_list ap;

	printf("%sok %d - ", condition ? "" : "not ", ++tap_count);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	if (!condition)
		tap_failed++;
	return condition;
}

/* Two numbers that must be equal; both are printed when they are not. */
#define is_u64(got, wanted, ...)                                                                    \
	do {                                                                                        \
		unsigned long long got_ = (got), wanted_ = (wanted);                                \
		if (!ok(got_ == wanted_, __VA_ARGS__))                                              \
			printf("# %s:%d: got %llu (0x%llx), wanted %llu (0x%llx)\n", __FILE__, __LINE__, got_,     \
			       got_, wanted_, wanted_);                                             \
	} while (0)

__attribute__((unused)) static int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
