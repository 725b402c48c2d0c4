#!/usr/bin/env python3
"""Can the tidy checks go red? A small clean tree must pass them all; with one violation planted, the
check that owns the rule must fail and name the place."""
import os
import shutil
import subprocess
import sys
import tempfile

import tidylib

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = '/* ' + 'A design comment that says what the file is for and what it leaves out. ' * 3 + '*/\n'
HEAD = HEAD.replace('out. ', 'out.\n * ')
TEST_HEAD = '/* Goal: a.\n * Method: b.\n * Law: c.\n * Source: d. */\n'
CLEAN = {
	'src/rooms.txt': 'base err_ pure * -\nbitmap bm_ pure bitmap.h base\nmember mbr_ io member.h base\n'
			 'front/cli - io - include/umd\n',
	'src/base/err.h': '/* errors */\nint err_one(void);\n',
	'src/base/err.c': HEAD + '#include "base/err.h"\n\nint err_one(void)\n{\n\treturn 1;\n}\n',
	'src/bitmap/bitmap.h': '/* door */\nint bm_two(void);\n',
	'src/bitmap/private.h': '/* no door */\n',
	'src/bitmap/bitmap.c': HEAD + '#include "bitmap/bitmap.h"\n#include "bitmap/private.h"\n#include "base/err.h"\n\n'
			       'int bm_two(void)\n{\n\treturn err_one() + 1;\n}\n',
	'src/member/member.h': '/* door */\n',
	'src/member/member.c': HEAD + '#include <time.h>\n\nlong mbr_now(void);\nlong mbr_now(void)\n{\n\treturn time(0);\n}\n',
	'include/umd/umd.h': '/* street */\n#include <stdint.h>\n',
	'front/cli/main.c': HEAD + '#include <umd/umd.h>\n#include "own.h"\n\nint main(void)\n{\n\treturn 0;\n}\n',
	'front/cli/own.h': '/* own */\n',
	'tests/unit/base/one_is_one.c': TEST_HEAD + 'int main(void)\n{\n\treturn 0;\n}\n',
}
LONG_FUNCTION = 'int bm_x(void);\nint bm_x(void)\n{\n' + '\t;\n' * 101 + '\treturn 0;\n}\n'
PLANTED = [  # check, file, what is appended, what the check must say
	('rooms', 'src/bitmap/bitmap.c', '#include "member/member.h"\n', 'room bitmap may not include room member'),
	('rooms', 'src/base/err.c', '#include "bitmap/bitmap.h"\n', 'room base may not include room bitmap'),
	('rooms', 'src/member/member.c', '#include "bitmap/private.h"\n', 'may not include room bitmap'),
	('rooms', 'src/base/err.c', '#include <umd/umd.h>\n', 'the public API'),
	('rooms', 'src/bitmap/bitmap.c', '#include "private.h"\n', 'names no room'),
	('rooms', 'src/bitmap/bitmap.c', '#include <base/err.h>\n', 'behind system brackets'),
	('rooms', 'front/cli/main.c', '#include "bitmap/bitmap.h"\n', 'may not include room bitmap'),
	('rooms', 'include/umd/umd.h', '#include "base/err.h"\n', 'umd.h:3'),
	('rooms', 'src/attic/x.c', HEAD, 'src/attic is no room'),
	('rooms', 'src/bitmap/bitmap.c', 'int two(void);\nint two(void)\n{\n\treturn 2;\n}\n', 'two (T) in room bitmap'),
	('pure', 'src/bitmap/bitmap.c', '#include <time.h>\nlong bm_t(void);\nlong bm_t(void)\n{\n\treturn time(0);\n}\n', 'bitmap calls time'),
	('pure', 'src/bitmap/bitmap.c', '#include <stdlib.h>\nint bm_r(void);\nint bm_r(void)\n{\n\treturn rand();\n}\n', 'bitmap calls rand'),
	('pure', 'src/base/err.c', '#include <unistd.h>\nlong err_r(int f);\nlong err_r(int f)\n{\n\tchar c;\n\treturn read(f, &c, 1);\n}\n',
	 'base calls read'),
	('pure', 'src/base/err.c', '#include <pthread.h>\nvoid err_l(pthread_mutex_t *m);\nvoid err_l(pthread_mutex_t *m)\n{\n'
	 '\tpthread_mutex_lock(m);\n}\n', 'base calls pthread_mutex_lock'),
	('pure', 'src/bitmap/bitmap.c', '#include <stdlib.h>\nvoid *bm_m(void);\nvoid *bm_m(void)\n{\n\treturn calloc(7, 7);\n}\n',
	 'bitmap calls calloc'),
	('pure', 'src/bitmap/bitmap.c', '#include <string.h>\nchar *bm_s(char *s);\nchar *bm_s(char *s)\n{\n\treturn strdup(s);\n}\n', 'bitmap calls strdup'),
	('style', 'src/base/err.c', '        int spaces;\n', 'indented with spaces'),
	('style', 'src/base/err.c', '/* ' + 'w' * 130 + ' */\n', '136 columns'),
	('style', 'src/base/err.c', 'int blank; \n', 'blanks at the end'),
	('style', 'src/base/err.c', '\n\n', 'one newline'),
	('style', 'src/base/err.c', '/* TO' + 'DO: think */\n', 'TO' + 'DO'),
	('style', 'src/member/member.c', 'int s(void);\nint s(void)\n{\n\treturn sleep(1);\n}\n', 'waits for time'),
	('style', 'src/base/headless.c', 'int i;\n', 'no design comment'),
	('style', 'tests/unit/base/nameless.c', '/* Goal: a.\n * Law: b. */\n', 'does not open with'),
	('style', 'src/bitmap/bitmap.c', LONG_FUNCTION, '102 lines'),
	('style', 'src/bitmap/bitmap.c', 'int i;\n' * 600, 'lines'),
	('paths', 'src/base/err.c', '/* see /wo' + 'rk/main */\n', 'err.c:'),
	('paths', 'docs/a.md', 'as in ../sha' + 'red/spec\n', 'a.md:1'),
]


def plant(root, path, text):
	at = os.path.join(root, path)
	os.makedirs(os.path.dirname(at), exist_ok=True)
	with open(at, 'a') as f:
		f.write(text)


def build(root):
	"""The libraries as the real build lays them out, of whatever .c files a room has."""
	for room in tidylib.rooms(root).values():
		if not room.prefixes:
			continue
		out = os.path.join(root, 'build', room.folder)
		os.makedirs(out)
		sources = [os.path.join(root, p) for p in tidylib.files(root, [room.folder], ('.c',))]
		objects = [os.path.join(out, f'{i}.o') for i in range(len(sources))]
		for source, target in zip(sources, objects):
			subprocess.run(['cc', '-fno-builtin', '-I', os.path.join(root, 'src'), '-c', source, '-o', target], check=True)
		subprocess.run(['ar', 'rcs', tidylib.library_of(os.path.join(root, 'build'), room), *objects], check=True)


def run(check, root):
	done = subprocess.run([sys.executable, os.path.join(HERE, check + '.py'), root, os.path.join(root, 'build')],
			      capture_output=True, text=True, check=False)
	return done.returncode, done.stdout + done.stderr


def tree_with(parent, path=None, text='', needs_build=True):
	root = tempfile.mkdtemp(dir=parent)
	for name, content in CLEAN.items():
		plant(root, name, content)
	if path:
		plant(root, path, text)
	if needs_build:
		build(root)
	return root


def main():
	report, parent = tidylib.Report(), tempfile.mkdtemp()
	try:
		clean = tree_with(parent)
		for check in ('rooms', 'pure', 'style', 'paths'):
			rc, said = run(check, clean)
			report.rule(f'{check} is green on a clean tree', [] if rc == 0 else said.splitlines())
		for check, path, text, wanted in PLANTED:
			needs_build = check == 'pure' or '(T)' in wanted
			rc, said = run(check, tree_with(parent, path, text, needs_build))
			is_red = rc == 1 and any(wanted in l for l in said.splitlines() if l.startswith('#'))
			report.rule(f'{check} goes red: {wanted}', [] if is_red else said.splitlines())
	finally:
		shutil.rmtree(parent)
	report.end()


main()
