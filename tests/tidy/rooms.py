#!/usr/bin/env python3
"""Who includes whom, and does every name say which room it comes from?

Reads src/rooms.txt, every #include "..." (and <umd/...>) of src, front and include, and the global
symbols of the rooms' libraries in the build directory."""
import os
import re
import sys

import tidylib

INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')


def includes(root, path):
	for number, line in enumerate(tidylib.lines(root, path), 1):
		m = INCLUDE.match(line)
		if m:
			yield number, m.group(1) == '"', m.group(2)


def objection(rooms, room, path, is_quoted, target):
	"""Why this room may not include that, or None."""
	if target.startswith('umd/'):
		return None if 'include/umd' in room.allowed else 'the public API is for front/ and for the room that implements it'
	first, _, header = target.partition('/')
	other = rooms.get(first)
	if not is_quoted:
		return f'<{target}> hides a room behind system brackets' if other and header else None
	if not header or not other:
		own = os.path.exists(os.path.join(ROOT, os.path.dirname(path), target))
		return None if own and room.folder.startswith('front/') else 'names no room (write "room/file.h")'
	if other is room:
		return None
	if first not in room.allowed:
		return f'room {room.name} may not include room {first}'
	return None if other.is_door(header) else f'{target} is no door of room {first}'


def check_includes(report, rooms, room):
	bad, seen = [], 0
	for path in tidylib.files(ROOT, [room.folder], ('.c', '.h', '.def')):
		for number, is_quoted, target in includes(ROOT, path):
			seen += 1
			why = objection(rooms, room, path, is_quoted, target)
			if why:
				bad.append(f'{path}:{number}: #include {target}: {why}')
	report.rule(f'{room.name} includes only {" ".join(room.allowed) or "itself"} ({seen} includes)', bad)


def check_public(report):
	bad = [f'{path}:{number}: includes {target}' for path in tidylib.files(ROOT, ['include'], ('.h',))
	       for number, is_quoted, target in includes(ROOT, path) if is_quoted or '/' in target and not target.startswith(('umd/', 'sys/'))]
	report.rule('public headers include system headers and each other', bad)


def check_prefixes(report, room, build):
	bad = []
	for name, kind, *_ in tidylib.symbols(tidylib.library_of(build, room), '-g', '--defined-only'):
		if not name.startswith(room.prefixes) and not name.startswith(('__asan', '__tsan', '__odr')):
			bad.append(f'{name} ({kind}) in room {room.name}: wanted {" or ".join(room.prefixes)}')
	report.rule(f'global names of {room.name} begin with {" ".join(room.prefixes)}', bad)


def check_folders(report, rooms):
	known = {r.folder for r in rooms.values()}
	bad = [f'src/{d} is no room of src/rooms.txt' for d in sorted(os.listdir(os.path.join(ROOT, 'src')))
	       if os.path.isdir(os.path.join(ROOT, 'src', d)) and 'src/' + d not in known]
	report.rule('every folder of src is a room', bad)


def main():
	report, rooms = tidylib.Report(), tidylib.rooms(ROOT)
	check_folders(report, rooms)
	for room in rooms.values():
		check_includes(report, rooms, room)
	check_public(report)
	if len(sys.argv) > 2:
		for room in rooms.values():
			if room.prefixes:
				check_prefixes(report, room, sys.argv[2])
	report.end()


ROOT = sys.argv[1]
main()
