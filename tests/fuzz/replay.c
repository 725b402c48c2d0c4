/* Runs a fuzz target over its corpus without libFuzzer: what `make test` does in every build.
 *
 * Method: replay NAME FOLDER feeds the empty input and every file of the folder, sorted by name, to the target, twice
 * in the same process: a target may carry no memory from one input to the next. A target that dies names its input
 * first. TAP: the empty input is one statement, the corpus the other; a corpus that is missing or empty is a
 * failure. */
#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tap.h"

static char at_work[512];

static void name_the_input(int signal_number)
{
	static const char words[] = "this input did it: ";

	if (write(STDERR_FILENO, words, sizeof words - 1) > 0 && write(STDERR_FILENO, at_work, strlen(at_work)) > 0 &&
	    write(STDERR_FILENO, "\n", 1) > 0)
		fsync(STDERR_FILENO);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static bool feed(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long size;

	snprintf(at_work, sizeof at_work, "%s", path);
	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		return false;
	data = malloc(size ? size : 1);
	if (!data || fread(data, 1, size, f) != (size_t)size)
		return false;
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return true;
}

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int count = argc == 3 ? scandir(argv[2], &names, is_file, alphasort) : -1, fed = 0;
	char path[512];

	signal(SIGABRT, name_the_input);
	signal(SIGSEGV, name_the_input);
	strcpy(at_work, "the empty input");
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	ok(true, "the empty input");
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < count; i++) {
			snprintf(path, sizeof path, "%s/%s", argv[2], names[i]->d_name);
			fed += feed(path);
		}
	for (int i = 0; i < count; i++)
		free(names[i]);
	if (count >= 0)
		free(names);
	ok(count > 0 && fed == 2 * count, "%d inputs of the corpus %s", count, argc == 3 ? argv[1] : "");
	return tap_end();
}
