/* Goal: a run-time name has one owner while it lives, none when it was killed, and its files go with it.
 * Method: claim names here and in children that are killed; plant wrong directories.
 * Law: I9 (what a crash leaves never stops the next start).
 * Source: design section 2 "Run-time directory". */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "run/rundir.h"
#include "tap.h"
#include "umd/umd.h"

#include "place.h"

static struct err err;

static struct run_rundir *claim(const char *name, int *ret_rc)
{
	struct run_rundir *r = NULL;

	memset(&err, 0, sizeof err);
	*ret_rc = run_rundir_claim(&(struct run_rundir_wish){ .name = name, .uuid = "0:0:0:1" }, &r, &err);
	return r;
}

static void make_file(const char *path)
{
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static bool exists(const char *leaf)
{
	struct stat st;

	return lstat(place_of(leaf), &st) == 0;
}

static void check_one_owner(void)
{
	char wanted[40], holder[16] = "";
	int rc, fd;
	struct run_rundir *r = claim("home", &rc);

	ok(rc == 0 && !strcmp(run_rundir_name(r), "home"), "a free name is taken");
	ok(run_rundir_publish(r) == 0, "its pid file is written");
	fd = open(place_of("home/pid"), O_RDONLY | O_CLOEXEC);
	ok(fd >= 0 && read(fd, holder, sizeof holder - 1) > 0 && atoi(holder) == getpid(), "with our number");
	close(fd);
	claim("home", &rc);
	snprintf(wanted, sizeof wanted, "in pid %d", (int)getpid());
	ok(rc == UMD_E_NAME_IN_USE && strstr(err.text, wanted), "a second owner is refused: %s", err.text);
	make_file(place_of("home/control.sock"));
	run_rundir_release(r);
	ok(!exists("home"), "at the end the directory is gone with all in it");
}

static void check_killed_owner(void)
{
	int ready[2], status, rc;
	struct run_rundir *r;
	char c;
	pid_t pid;

	if (pipe(ready) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		r = claim("home", &rc);
		make_file(place_of("home/control.sock"));
		if (rc < 0 || run_rundir_publish(r) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(ready[1]);
	ok(read(ready[0], &c, 1) == 1, "a child owns the name");
	umd_runtime_sweep("home");
	ok(exists("home/control.sock"), "nobody sweeps under a living owner");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(exists("home/pid"), "killed, it leaves its files");
	r = claim("home", &rc);
	ok(rc == 0 && !exists("home/control.sock"), "but neither its name nor its sockets");
	run_rundir_release(r);
	close(ready[0]);
}

static void check_readonly_names(void)
{
	struct run_rundir_wish wish = { .superblock_name = "host:home", .uuid = "0:0:0:1", .may_number = true };
	struct run_rundir *first = NULL, *second = NULL, *third = NULL;

	ok(run_rundir_claim(&wish, &first, &err) == 0 && !strcmp(run_rundir_name(first), "host:home"),
	   "the superblock's name is taken");
	ok(run_rundir_claim(&wish, &second, &err) == 0 && !strcmp(run_rundir_name(second), "host:home-2"),
	   "a second reader gets a number");
	wish.superblock_name = "../../etc";
	ok(run_rundir_claim(&wish, &third, &err) == 0 && !strcmp(run_rundir_name(third), "0:0:0:1"),
	   "a hostile name gives way to the uuid");
	run_rundir_release(first);
	run_rundir_release(second);
	run_rundir_release(third);
}

static void check_names(void)
{
	char longest[66];
	int rc;

	memset(longest, 'n', 65);
	longest[65] = 0;
	ok(!run_rundir_name_is_ok(longest), "65 characters are too many");
	longest[64] = 0;
	ok(run_rundir_name_is_ok(longest) && run_rundir_name_is_ok("a:B-9_.x@n1"),
	   "64 are fine, and so is every kind of character");
	ok(!run_rundir_name_is_ok("") && !run_rundir_name_is_ok(".x") && !run_rundir_name_is_ok("a/b") &&
	   !run_rundir_name_is_ok("a\n"),
	   "nothing, a leading dot, a slash and a newline are not");
	claim("a/../../b", &rc);
	ok(rc == UMD_E_BAD_NAME, "a name that the user gives is refused, not replaced: %s", err.text);
}

static void check_levels(void)
{
	int rc;

	mkdir(place_of("open"), 0755);
	claim("open", &rc);
	ok(rc == -EPERM, "a directory that others may read is refused: %s", err.text);
	rmdir(place_of("open"));
	if (symlink("/tmp", place_of("link")) < 0)
		return;
	claim("link", &rc);
	ok(rc == -EPERM, "a link is refused: %s", err.text);
	unlink(place_of("link"));
}

int main(void)
{
	place_make();
	check_one_owner();
	check_killed_owner();
	check_readonly_names();
	check_names();
	check_levels();
	ok(rmdir(place) == 0, "nothing is left behind");
	return tap_end();
}
