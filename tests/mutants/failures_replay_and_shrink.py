#!/usr/bin/env python3
"""Goal:   what a seed breaks the file written for it breaks again, and few of its events are enough
Method: bugs are planted that break different laws, on the trunk of a history and in branches one, two and three cuts
        deep; the first failing seed's file is replayed, then shrunk, then the short one is replayed
Law:    none; a failure is worth what can be read of it
Source: tests/sim/shrink.c

    failures_replay_and_shrink.py ROOT WORKFOLDER"""
import os
import re
import sys

import program
import table
from museum_files_catch_their_bugs import Tap

BUGS = ('acknowledged_before_the_failure_is_recorded', 'bits_are_cleared_without_a_flush', 'checkpoint_ahead_of_the_data',
	'data_goes_out_before_its_bits', 'forked_halves_are_combined', 'overlapping_writes_in_two_orders',
	'resync_is_forgotten_by_a_stop', 'sweep_never_runs')
SHORT = 30	# lines of a shrunk history, at most, when hundreds of events brought the bug to light
LIMIT = 120


def law_of(output):
	found = re.search(r'LAW (\S+) BROKEN', output)
	return found[1] if found else None


def lines_of(path):
	with open(path, encoding='utf-8') as f:
		return len([line for line in f if not re.match(r'#|worlds|array', line)])


def look_at(tap, name, program_path, home):
	_, output = program.run([program_path, '--seeds', '1', '5000'], LIMIT, home)
	law, told = law_of(output), re.search(r'seed (\d+), step .*\n(?:.*\n)*?  the (\d+) events that lead there: (\S+)', output)
	if not tap.ok(law and told, f'{name}: some seed breaks a law', output):
		return
	seed, events, path = told.groups()
	_, output = program.run([program_path, '--scenario', path], LIMIT, home)
	tap.ok(law_of(output) == law, f'{name}: the {events} events of seed {seed} break {law} again', output)
	_, output = program.run([program_path, '--shrink', seed], LIMIT, home)
	shrunk = re.search(r'events shrunk to (\d+) in \d+ tries: (\S+)', output)
	if not tap.ok(shrunk, f'{name}: they can be shrunk', output):
		return
	lines = lines_of(shrunk[2])
	tap.ok(int(shrunk[1]) <= int(events) and lines <= SHORT, f'{name}: {lines} lines are enough, at most {SHORT}', output)
	_, output = program.run([program_path, '--scenario', shrunk[2]], LIMIT, home)
	tap.ok(law_of(output) == law, f'{name}: and they break {law}', output)


def main():
	root, folder = map(os.path.abspath, sys.argv[1:3])
	world, tap = program.World(root, folder, 2), Tap()
	bugs = [bug for bug in table.read() if bug.name in BUGS]
	tap.ok(len(bugs) == len(BUGS), 'all of them are in the table')
	world.build(bugs)
	for bug in bugs:
		home = world.copy(bug)
		look_at(tap, bug.name, world.link(bug, world.sim_sources(), home), home)
	print(f'1..{tap.count}')
	return 1 if tap.failed else 0


if __name__ == '__main__':
	sys.exit(main())
