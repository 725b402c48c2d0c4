#!/usr/bin/env python3
"""Plants the bugs of bugs.txt, one at a time, and demands that each is caught: what `make mutants` calls.

The brains of umd and the simulator are compiled once, with laws that are silent, so that a bug is found by what it does
and not by an assert beside it. For each bug the planted file alone is compiled anew, from a copy; nothing below src is
touched. Then the program that shall catch it runs until it does, or until the limit. The last line is "N of N planted
bugs caught"; the exit status is 1 when one was missed, or when all were planted and some law has caught none of them.
The names are kept with seconds and law in WORK/caught.txt. What counts as caught: program.py.

    mutants.py [--law I3]... [--list] [--half SEED] [--limit SECONDS] [--jobs N] [--work FOLDER]
               [--tap] [NAME]..."""
import argparse
import collections
import concurrent.futures
import os
import random
import subprocess
import sys
import time

import program
import table

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def try_one(world, bug, limit):
	"""(seconds, outcome). One that cannot be planted, since its source has changed, is missed: the others go on."""
	started = time.monotonic()
	try:
		catch = world.planted(bug)
		started = time.monotonic()
		outcome = catch(limit)
	except (table.TableError, program.BuildError) as e:
		outcome = program.missed(str(e))
	return time.monotonic() - started, outcome


class Results:
	"""What was told of each bug, in TAP when @is_tap; kept in @path as well."""

	def __init__(self, path, is_tap):
		self.path, self.is_tap, self.lines, self.told, self.missed = path, is_tap, [], 0, 0
		self.by_law = collections.Counter()

	def say(self, is_good, words):
		self.told += 1
		self.missed += not is_good
		print((f"{'ok' if is_good else 'not ok'} {self.told} - " if self.is_tap else '') + words, flush=True)

	def remark(self, words):
		print(('# ' if self.is_tap else '') + words, flush=True)

	def take(self, bug, seconds, outcome):
		expected = f' (expected {" ".join(bug.laws)})'
		if outcome.is_caught:
			self.by_law[outcome.law] += 1
			self.say(True, f'caught {bug.name} in {seconds:.1f} s by {outcome.words}' +
				 ('' if outcome.law in (*bug.laws, program.STATEMENT) else expected))
		else:
			self.say(False, f'missed {bug.name} ({" ".join(bug.laws)}, {bug.caught}, {seconds:.0f} s): {bug.hurts} '
				 f'Seen: {outcome.words}')
		self.lines.append(f'{bug.name} {seconds:.1f} {outcome.law or "missed"}')

	def tell_laws(self, laws, is_whole):
		"""Each law has caught something, when all bugs were planted."""
		self.remark('caught by ' + ', '.join(f'{law} {self.by_law[law]}' for law in laws) + ''.join(
			f', {what} {count}' for what, count in sorted(self.by_law.items()) if what not in laws))
		idle = [law for law in laws if not self.by_law[law]]
		if is_whole:
			self.say(not idle, f'laws that caught nothing: {" ".join(idle) or "none"}')

	def write(self):
		with open(self.path, 'w', encoding='utf-8') as f:
			f.write('# bug, seconds, law\n' + ''.join(line + '\n' for line in sorted(self.lines)))


def run_all(world, bugs, options, is_whole):
	world.build(bugs)
	results = Results(os.path.join(world.folder, 'caught.txt'), options.tap)
	if options.tap:
		print(f'1..{len(bugs) + is_whole}')
	with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
		running = {pool.submit(try_one, world, bug, options.limit): bug for bug in bugs}
		for done in concurrent.futures.as_completed(running):
			results.take(running[done], *done.result())
	results.write()
	caught = len(bugs) - results.missed
	results.tell_laws(table.laws(ROOT), is_whole)
	results.remark(f'{caught} of {len(bugs)} planted bugs caught')
	return 1 if results.missed else 0


def half(bugs, seed):
	"""Every second bug by lot, and at least one of each law."""
	lot = random.Random(seed)
	chosen = set(lot.sample([bug.name for bug in bugs], len(bugs) // 2))
	for law in sorted({law for bug in bugs for law in bug.laws}):
		having = [bug.name for bug in bugs if law in bug.laws]
		if not chosen & set(having):
			chosen.add(lot.choice(having))
	return [bug for bug in bugs if bug.name in chosen]


def has_cluster_libraries():
	"""The dlm engine is not built without their headers."""
	wanted = ['libcpg', 'libquorum', 'libcmap', 'libcorosync_common', 'libdlm']
	return subprocess.run(['pkg-config', '--exists', *wanted], check=False).returncode == 0


def choose(options):
	bugs = table.read()
	if not has_cluster_libraries():
		bugs = [bug for bug in bugs if not bug.file.startswith('src/engine/engine_dlm')]
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
		is_whole = not (options.names or options.laws or options.half is not None)
		return run_all(program.World(ROOT, os.path.abspath(options.work), options.jobs), bugs, options, is_whole)
	except (table.TableError, program.BuildError) as e:
		print(f'mutants: {e}', file=sys.stderr)
		return 1


if __name__ == '__main__':
	sys.exit(main())
