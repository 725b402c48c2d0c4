#!/usr/bin/env python3
"""Have the brains hands? The symbol tables of the pure rooms tell.

Every undefined symbol of a pure room's library must be a function on memory or text, the house's own
allocator, or a name of a room it may include. So read, time, rand and pthread_* show up here."""
import os
import re
import sys

import tidylib

# Text functions that keep state, allocate, or ask the environment.
NOT_PURE = {'strdup', 'strndup', 'strtok', 'strerror', 'strsignal', 'strftime', 'strptime', 'strcoll', 'strxfrm'}
ANYWHERE = re.compile(r'(mem|str)[a-z_]+$|__(mem|str)\w+_chk$|__isoc23_str\w+$|__stack_chk_fail$|_GLOBAL_OFFSET_TABLE_$|'
		      r'__(popcount|clz|ctz|ffs|parity|bswap|u?div|u?mod|u?divmod|mul)[a-z]*\d$|__asan_|__ubsan_|__tsan_|__sanitizer_|__odr_|__gcov_|__llvm_')
BASE_ONLY = re.compile(r'(__)?v?snprintf(_chk)?$|calloc$|realloc$|malloc$|free$|abort$|__assert_fail$')


def is_allowed(name, room, rooms):
	owners = [room] + [rooms[a] for a in room.allowed if a in rooms]
	if any(name.startswith(o.prefixes) for o in owners):
		return True
	if name in NOT_PURE:
		return False
	return bool(ANYWHERE.match(name) or room.name == 'base' and BASE_ONLY.match(name))


def main():
	root, build = sys.argv[1:3]
	report, rooms = tidylib.Report(), tidylib.rooms(root)
	for room in rooms.values():
		if room.kind != 'pure':
			continue
		library = tidylib.library_of(build, room)
		if not os.path.exists(library):
			report.rule(f'{room.name} is built', [f'{library} is not there'])
			continue
		defined = {s[0] for s in tidylib.symbols(library, '-g', '--defined-only')}
		wanted = {s[0] for s in tidylib.symbols(library, '-u')} - defined
		bad = sorted(f'{room.name} calls {name}' for name in wanted if not is_allowed(name, room, rooms))
		report.rule(f'{room.name} is pure ({len(defined)} functions, {len(wanted)} names from outside)', bad)
	report.end()


main()
