/* Goal: uuids are shown in md's form and read in every form people type.
 * Method: one uuid written, read back in four spellings; spellings that must not be taken.
 * Law: none; a wrong uuid would mix arrays (I5).
 * Source: mdadm -E. */
#include "vectors.h"

int main(void)
{
	static const uint8_t wanted[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const char *const good[] = {
		"00112233:44556677:8899aabb:ccddeeff",
		"00112233-4455-6677-8899-aabbccddeeff",
		"00112233445566778899AABBCCDDEEFF",
		"00112233.44556677 8899aabb:ccddeeff",
	};
	static const char *const bad[] = {
		"",
		"00112233:44556677:8899aabb:ccddeef",
		"00112233:44556677:8899aabb:ccddeeff0",
		"00112233:44556677:8899aabb:ccddeefg",
		"00112233/44556677/8899aabb/ccddeeff",
	};
	uint8_t got[16];
	char text[36];

	fmt_uuid_text(wanted, text);
	ok(strcmp(text, good[0]) == 0, "four groups of eight: %s", text);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		memset(got, 0x5a, sizeof got);
		ok(fmt_uuid_parse(good[i], got) && memcmp(got, wanted, 16) == 0, "%s is read", good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		memset(got, 0x5a, sizeof got);
		ok(!fmt_uuid_parse(bad[i], got) && got[0] == 0x5a && got[15] == 0x5a,
		   "\"%s\" is not, and nothing is stored", bad[i]);
	}
	return tap_end();
}
