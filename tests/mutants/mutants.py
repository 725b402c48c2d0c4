#!/usr/bin/env python3
"""Plants the bugs of bugs.txt, one at a time, and demands that each is caught: what `make mutants` calls.

The brains of umd and the simulator are compiled once, with laws that are silent, so that a bug is found by what it does
and not by an assert beside it. For each bug the planted file alone is compiled anew, from a copy; nothing below src is
touched. Then the program that shall catch it runs until it does, or until the limit. The last line is "N of N planted
bugs caught"; the exit status is 1 when one was missed.

    mutants.py [--law I3]... [--list] [--half SEED] [--limit SECONDS] [--jobs N] [--work FOLDER]
               [--tap] [NAME]..."""
import argparse
import concurrent.futures
import os
import random
import sys
import time

import program
import table

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def try_one(world, bug, limit):
	"""(seconds, by whom) when it was caught, else (seconds, None)."""
	run = world.planted(bug)
	started = time.monotonic()
	by = run(limit)
	return time.monotonic() - started, by


def tell(bug, seconds, by, number):
	"""A line per bug; @number: in TAP, else 0."""
	if by:
		said = f'caught {bug.name} in {seconds:.1f} s by {by}'
	else:
		said = f'missed {bug.name} ({" ".join(bug.laws)}, {bug.caught}, {seconds:.0f} s): {bug.hurts}'
	print((f"{'ok' if by else 'not ok'} {number} - " if number else '') + said, flush=True)


def run_all(world, bugs, options):
	world.build(bugs)
	caught = told = 0
	if options.tap:
		print(f'1..{len(bugs)}')
	with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
		running = {pool.submit(try_one, world, bug, options.limit): bug for bug in bugs}
		for done in concurrent.futures.as_completed(running):
			seconds, by = done.result()
			told += 1
			tell(running[done], seconds, by, told if options.tap else 0)
			caught += by is not None
	print(f'{"# " if options.tap else ""}{caught} of {len(bugs)} planted bugs caught')
	return 0 if caught == len(bugs) else 1


def half(bugs, seed):
	"""Every second bug by lot, and at least one of each law."""
	lot = random.Random(seed)
	chosen = set(lot.sample([bug.name for bug in bugs], len(bugs) // 2))
	for law in sorted({law for bug in bugs for law in bug.laws}):
		having = [bug.name for bug in bugs if law in bug.laws]
		if not chosen & set(having):
			chosen.add(lot.choice(having))
	return [bug for bug in bugs if bug.name in chosen]


def choose(options):
	bugs = table.read()
	unknown = set(options.names) - {bug.name for bug in bugs}
	if unknown:
		raise table.TableError(f'no such bug in the table: {", ".join(sorted(unknown))}')
	if options.names:
		bugs = [bug for bug in bugs if bug.name in options.names]
	if options.laws:
		bugs = [bug for bug in bugs if set(bug.laws) & set(options.laws)]
	if options.half is not None:
		bugs = half(bugs, options.half)
	return bugs


def main():
	parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument('names', nargs='*')
	parser.add_argument('--law', action='append', dest='laws', default=[])
	parser.add_argument('--list', action='store_true', help='print the table and plant nothing')
	parser.add_argument('--half', type=int, metavar='SEED', help='a seeded half, with one bug of each law at least')
	parser.add_argument('--tap', action='store_true', help='one TAP statement for each bug')
	parser.add_argument('--limit', type=float, default=60, help='seconds for each bug')
	parser.add_argument('--jobs', type=int, default=2)
	parser.add_argument('--work', default=os.path.join(ROOT, 'build-mutants'), help='objects are kept there')
	options = parser.parse_args()
	try:
		bugs = choose(options)
		if options.list:
			for bug in bugs:
				print(f'{bug.name:50} {" ".join(bug.laws):8} {bug.caught:30} {bug.file}')
			return 0
		return run_all(program.World(ROOT, os.path.abspath(options.work), options.jobs), bugs, options)
	except (table.TableError, program.BuildError) as e:
		print(f'mutants: {e}', file=sys.stderr)
		return 1


if __name__ == '__main__':
	sys.exit(main())
