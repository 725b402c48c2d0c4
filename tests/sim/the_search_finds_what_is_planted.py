#!/usr/bin/env python3
"""Goal:   the exhaustive search finds bugs of the kinds it is made for, and what it prints leads there again
Method: bugs of tests/mutants/bugs.txt are planted one by one; a search of two letters (of one: of every fault)
        must end with a broken law; the first scenario it writes must break the same law with the bug, and hold without
Law:    I1 I3 I4 I12
Source: the head of exhaust.c

A search that looks at nothing finds nothing wrong: this notices.

    the_search_finds_what_is_planted.py ROOT WORKFOLDER"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../mutants'))
import program  # noqa: E402
import table  # noqa: E402

WHOLE = ['--exhaust', '2', '--orders', '2', '--paces', 'all', '--from', 'whole', '--letters']
FOUND = [
	('data_goes_out_before_its_bits', ['--exhaust', '1', '--from', 'whole']),
	('second_writer_does_not_wait_for_the_commit', [*WHOLE, 'write,fua']),
	('overlapping_writes_in_two_orders', [*WHOLE, 'write,overlap']),
	('degraded_write_goes_out_before_the_record', [*WHOLE, 'write,vanish-a']),
	('bits_are_cleared_without_a_flush', [*WHOLE, 'write,stop']),
	('events_cleared_not_advanced_by_a_recovery', ['--faults']),
]
count = failed = 0


def ok(is_good, text, why=''):
	global count, failed
	count += 1
	failed += not is_good
	print(f'{"" if is_good else "not "}ok {count} - {text}')
	if not is_good:
		print('\n'.join('# ' + line for line in why.strip().split('\n')[-20:]))
	sys.stdout.flush()
	return is_good


def law_in(output):
	broken = re.search(r'LAW (\S+) BROKEN', output)
	return broken and broken[1]


def check_replay(world, planted, law, output, home):
	path = re.search(r'--scenario (\S+)', output)
	if not ok(path, 'it writes a scenario', output):
		return
	status, said = program.run([planted, '--scenario', path[1]], 60, home)
	ok(status == 1 and law_in(said) == law, f'the scenario breaks {law} with the bug', said)
	status, said = program.run([world.plain, '--scenario', path[1]], 60, home)
	ok(status == 0, 'the scenario holds without it', said)


def check(world, bug, words):
	home = world.copy(bug)
	planted = world.link(bug, world.sim_sources(), home)
	status, output = program.run([planted, *words], 120, home)
	law = law_in(output)
	if ok(status == 1 and law, f'{bug.name}: {" ".join(words)} finds a broken law', output) and words[0] == '--exhaust':
		check_replay(world, planted, law, output, home)


def main():
	world = program.World(*map(os.path.abspath, sys.argv[1:3]), 2)
	bugs = {bug.name: bug for bug in table.read()}
	world.build([bug for bug in bugs.values() if bug.catcher == 'exhaust' or bug.catcher == 'sim'])
	for name, words in FOUND:
		status, output = program.run([world.plain, *words], 120, world.folder)
		ok(status == 0, f'without a bug {" ".join(words)} finds nothing', output)
		check(world, bugs[name], words)
	print(f'1..{count}')
	return 1 if failed else 0


sys.exit(main())
