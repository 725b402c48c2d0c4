"""Goal:   the hands keep the promises of the brains: after a power cut at any moment of a threaded run nothing promised is lost.
Method: the real plugin, with a recorder below its system calls, serves six connections that write, zero, flush and read the
	same places; members fail, return, lose their caches in a flush, write and read short; servers are killed and stopped.
	At every record of the log images are made with subsets of what no flush covered, started by umd and judged by the
	simulator's oracle; some come to rest, some are cut again. The log must explain the files that were written.
Law:    I1-I10; what clients read is judged as well (I1, I6).
Source: issue "The simulator", 6. SEED= of loads and cuts; a killed process proves nothing about flushes, since the page
	cache survives it.
"""
import os
import random
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from scene import Scene  # noqa: E402

import catch  # noqa: E402
import load  # noqa: E402

SEED = int(os.environ.get('SEED', random.SystemRandom().randrange(1, 1 << 30)))
ROUNDS = 20 if 'UMD_TEST_LONG' in os.environ else 1
CUTS_LEAST = 10000
LAWS = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I10']


class Totals:
	def __init__(self):
		self.cuts = self.faults = self.requests = self.reads = 0
		self.laws = set()

	def add(self, words):
		numbers = re.search(r'^\d+ records, (\d+) cuts, \d+ crash points, (\d+) faults, 0 violations$', words, re.MULTILINE)
		asked = re.search(r'^\d+ lives, (\d+) requests \((\d+) reads', words, re.MULTILINE)
		self.cuts += int(numbers[1])
		self.faults += int(numbers[2])
		self.requests += int(asked[1])
		self.reads += int(asked[2])
		self.laws |= set(re.findall(r'^(I\d+) [1-9]', words, re.MULTILINE))


def one_load(s, stage, one, seed, totals):
	try:
		members, logs, _ = load.run(stage, one, seed)
	except load.Failed as e:
		s.ok(False, f'{one.name}, seed {seed}: the server does what it must', e,
			catch.replay(stage, e.members, e.logs, seed, e.has_stood_still)[0])
		return
	words, status = catch.replay(stage, members, logs, seed)
	if s.ok(status == 0, f'{one.name}, seed {seed}: whatever a cut leaves starts, and holds what was promised', words):
		totals.add(words)
		print('#', words.splitlines()[-1], flush=True)
	for name in members + logs:
		os.unlink(name)


with Scene() as s:
	print(f'# SEED={SEED}', flush=True)
	stage, totals = load.Stage(s.dir, s.tool, os.path.abspath(os.environ['UMD_RECORDING_PLUGIN'])), Totals()
	for number in range(ROUNDS):
		for one in load.LOADS:
			one_load(s, stage, one, SEED + number, totals)
	s.ok(totals.cuts >= CUTS_LEAST, f'{totals.cuts} cuts are more than {CUTS_LEAST}')
	s.ok(totals.faults >= 8 * ROUNDS, f'{totals.faults} faults happened')
	s.ok(totals.reads > 0, f'{totals.reads} reads of {totals.requests} requests were judged')
	s.same(sorted(set(LAWS) - totals.laws), [], 'every law that can be judged here was at stake')
