#!/usr/bin/env python3
"""The table of planted bugs and the sources belong together.

Goal: a bug that can no longer be planted is noticed when its source changes, and no law goes without one.
Method: every entry of bugs.txt is planted into the text of its file, in memory.
Law: all (who watches the watchers).
Source: the rule of tests/mutants/table.py that an entry's lines stand in its file exactly once.

    planted_bugs_fit_their_sources.py SOURCE_ROOT"""
import os
import sys

import table

BUGS_LEAST, HANDS_LEAST = 40, 5
HANDS = ('member', 'run')


def unplantable(root, bugs):
	for bug in bugs:
		try:
			with open(os.path.join(root, bug.file), encoding='utf-8') as f:
				bug.plant(f.read())
		except (OSError, table.TableError) as e:
			yield str(e)


def without_catcher(root, bugs):
	for bug in bugs:
		name = bug.named[0] if bug.named else ''
		path = {'scenario': f'tests/scenarios/{name}.umd', 'unit': table.unit_test(name),
			'cluster': f'tests/cluster/{name}.py'}.get(bug.catcher)
		if path and not os.path.exists(os.path.join(root, path)):
			yield f'{bug.name}: {path} does not exist'


def lawless(root, bugs):
	"""Laws without a bug, and bugs of laws that do not exist."""
	known = table.laws(root)
	for law in known:
		if not any(law in bug.laws for bug in bugs):
			yield f'{law} has no planted bug'
	for bug in bugs:
		for law in set(bug.laws) - set(known):
			yield f'{bug.name}: there is no law {law}'


def too_few(bugs):
	hands = sum(bug.room in HANDS for bug in bugs)
	if len(bugs) < BUGS_LEAST:
		yield f'{len(bugs)} planted bugs'
	if hands < HANDS_LEAST:
		yield f'{hands} in the hands ({", ".join(HANDS)})'


def main():
	root = sys.argv[1]
	bugs = table.read()
	rules = (
		('every entry is whole, and changes one line', [fault for bug in bugs for fault in bug.faults()]),
		('every entry can be planted: its lines stand in its file exactly once', list(unplantable(root, bugs))),
		('every unit test and scenario that catches exists', list(without_catcher(root, bugs))),
		('every law has a planted bug', list(lawless(root, bugs))),
		(f'there are at least {BUGS_LEAST}, at least {HANDS_LEAST} of them in the hands', list(too_few(bugs))),
	)
	print(f'1..{len(rules)}')
	for number, (text, places) in enumerate(rules, 1):
		print(f"{'not ok' if places else 'ok'} {number} - {text}")
		for place in places:
			print(f'# {place}')
	return 1 if any(places for _, places in rules) else 0


sys.exit(main())
