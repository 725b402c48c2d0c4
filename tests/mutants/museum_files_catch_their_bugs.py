#!/usr/bin/env python3
"""Goal:   every scenario of the museum of real bugs holds, and is red as soon as its bug is in
Method: each tests/scenarios/museum_*.umd names planted bugs ("# Planted: NAME, NAME"); each is planted into a copy of its
        source, and the scenario is run with it and without
Law:    those of the bugs
Source: museum of real bugs; tests/mutants/bugs.txt

A scenario whose events silently stopped applying would hold for ever: this notices.

    museum_files_catch_their_bugs.py ROOT WORKFOLDER"""
import glob
import os
import re
import sys

import program
import table

PLANTED = re.compile(r'^# (?:.* )?Planted: ([a-z0-9_, ]+)\.$', re.MULTILINE)


def bugs_of(path, bugs):
	with open(path, encoding='utf-8') as f:
		names = PLANTED.search(f.read())
	return [bugs[name.strip()] for name in names[1].split(',')] if names else []


def pairs(root):
	"""(scenario, its planted bugs), each file of the museum."""
	bugs = {bug.name: bug for bug in table.read()}
	for path in sorted(glob.glob(os.path.join(root, 'tests/scenarios/museum_*.umd'))):
		yield path, bugs_of(path, bugs)


class Tap:
	def __init__(self):
		self.count, self.failed = 0, 0

	def ok(self, is_good, text, why=''):
		self.count += 1
		self.failed += not is_good
		print(f'{"" if is_good else "not "}ok {self.count} - {text}')
		if not is_good and why:
			print('\n'.join('# ' + line for line in why.strip().split('\n')))
		sys.stdout.flush()
		return is_good


def status_with(world, bug, path):
	home = world.copy(bug)
	return program.run([world.link(bug, world.sim_sources(), home), '--scenario', path], 60, home)


def main():
	root, folder = map(os.path.abspath, sys.argv[1:3])
	world, tap, all_pairs = program.World(root, folder, 2), Tap(), list(pairs(root))
	world.build([bug for bug in table.read() if bug.catcher == 'scenario'])
	tap.ok(len(all_pairs) >= 8, f'the museum has {len(all_pairs)} scenarios, at least 8')
	for path, bugs in all_pairs:
		name = os.path.basename(path)[:-4]
		status, output = program.run([world.plain, '--scenario', path], 60, folder)
		tap.ok(status == 0, f'{name} holds', output)
		tap.ok(bool(bugs), f'{name} names a planted bug')
		for bug in bugs:
			status, output = status_with(world, bug, path)
			what = program.symptom(status, output)[0] if status else ''
			tap.ok(status == 1 and what and bug.may_be_caught_by(what), f'{name} is red with {bug.name}', output)
	print(f'1..{tap.count}')
	return 1 if tap.failed else 0


if __name__ == '__main__':
	sys.exit(main())
