/* Output files of umd map.
 *
 * A file appears under its name when it is complete: it is written under a temporary name in the same folder, then
 * renamed. What is already there is replaced only when it is empty or of the same kind, because the words of this
 * command are images: `umd map --svg a.img b.img` names a member as the place of the picture, and must not cost it.
 * Pipes and character devices are written in place; block devices are members, and never written.
 *
 * Left out: flushing to the disk; a picture can be made again. */
#include "map_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const struct map_file *f, const char *why)
{
	return cli_refuse("the %s cannot be written to %s: %s", f->kind, cli_shown(f->path), why);
}

/* May what is at @path go? */
static int check_old(const struct map_file *f, const struct stat *st)
{
	char head[16] = { 0 };
	size_t len = strlen(f->begins);
	ssize_t n;
	int fd;

	if (!st->st_size)
		return CLI_DONE;
	fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refuse(f, strerror(errno));
	n = read(fd, head, sizeof head);
	close(fd);
	if (len && n >= (ssize_t)len && !memcmp(head, f->begins, len))
		return CLI_DONE;
	return cli_refuse("%s exists and is %s; it stays as it is: take another name, or remove it first",
			  cli_shown(f->path), len ? cli_print("no %s", f->kind) : "not empty");
}

static int open_temporary(struct map_file *f)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	if (asprintf(&f->temporary, "%s.XXXXXX", f->real) < 0)
		return refuse(f, strerror(ENOMEM));
	fd = mkostemp(f->temporary, O_CLOEXEC);
	if (fd < 0) {
		int rc = refuse(f, strerror(errno));

		free(f->temporary);
		f->temporary = NULL;
		return rc;
	}
	fchmod(fd, 0666 & ~mask);
	f->to = fdopen(fd, "w");
	return f->to ? CLI_DONE : refuse(f, strerror(errno));
}

static int open_in_place(struct map_file *f)
{
	int fd = open(f->path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return refuse(f, strerror(errno));
	f->to = fdopen(fd, "w");
	return f->to ? CLI_DONE : refuse(f, strerror(errno));
}

int map_file_open(struct map_file *f, const char *path, const char *kind, const char *begins)
{
	struct stat st;
	int rc;

	*f = (struct map_file){ .path = path, .kind = kind, .begins = begins, .to = stdout };
	if (!strcmp(path, "-"))
		return CLI_DONE;
	if (!*path)
		return cli_refuse("the %s needs the name of a file, and an empty one was given", kind);
	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return refuse(f, strerror(errno));
		f->real = strdup(path);
		return f->real ? open_temporary(f) : refuse(f, strerror(ENOMEM));
	}
	if (S_ISDIR(st.st_mode))
		return refuse(f, strerror(EISDIR));
	if (S_ISBLK(st.st_mode))
		return refuse(f, "it is a block device, and what it holds would be lost");
	if (!S_ISREG(st.st_mode))
		return open_in_place(f);
	rc = check_old(f, &st);
	if (rc)
		return rc;
	f->real = realpath(path, NULL);
	return f->real ? open_temporary(f) : refuse(f, strerror(errno));
}

/* Errors of the stream are told here; on stdout they are told at the end of the program. */
static int finish(struct map_file *f)
{
	bool is_bad = ferror(f->to);

	if (f->to == stdout)
		return CLI_DONE;
	if (fclose(f->to) || is_bad || (f->temporary && rename(f->temporary, f->real) < 0))
		return refuse(f, strerror(errno));
	return CLI_DONE;
}

int map_file_close(struct map_file *f, bool is_good)
{
	int rc = CLI_FAILED;

	if (f->to && is_good)
		rc = finish(f);
	else if (f->to && f->to != stdout)
		fclose(f->to);
	if (rc && f->temporary)
		unlink(f->temporary);
	free(f->temporary);
	free(f->real);
	*f = (struct map_file){ 0 };
	return rc;
}
