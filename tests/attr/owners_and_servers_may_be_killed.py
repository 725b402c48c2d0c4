#!/usr/bin/env python3
"""Goal:   SIGKILL of the owner or of the server, at any moment, loses nothing, and the members end up equal.
Method: processes write, zero, flush and read back regions of their own while umd-owner keeps the metadata; the owner is killed
	and started again, a member fails and comes back, then the server is killed, often together with the owner. After
	each start everything is read during the resync and again after it, and the members are compared byte by byte.
Law:    I1 durability, I2 equality, I6 stable reads, I9 progress.
Source: issue "Externally managed metadata". COUNT=: kills of the server (6); SEED=: of the choices."""
import os
import random
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'cli'), os.path.join(HERE, '..', 'kill')]
from owned import FACTS, Mirror, fuse_is_missing  # noqa: E402
from regions import SECTOR, Region, read_all, settle_all  # noqa: E402
from scene import Scene  # noqa: E402
from servers import NbdDisk, Writers  # noqa: E402

COUNT = int(os.environ.get('COUNT', 100 if 'UMD_TEST_LONG' in os.environ else 6))
SEED = int(os.environ.get('SEED', random.SystemRandom().randrange(1 << 32)))
WRITERS, TROUBLES = 3, 6	# troubles in one life of the server


class Campaign:
	def __init__(self, s):
		self.s, self.rng, self.m = s, random.Random(SEED), Mirror(s)
		sectors = FACTS['component_kib'] * 1024 // SECTOR // WRITERS
		self.regions = [Region(w, sectors) for w in range(WRITERS)]
		self.said = ''
		self.counts = {'owner': 0, 'member': 0, 'hangup': 0}

	# ---- troubles, while clients write ----

	def owner(self):
		self.said += self.m.kill_owner()
		self.m.own()
		return not self.said

	def member(self):
		"""EBUSY: the other one is not in sync, so this is the last. EINVAL: the owner is just binding it, without a slot."""
		answer = self.m.tree.set(f'dev-{self.rng.choice("ab")}.img/state', 'faulty')
		if answer not in ('ok', 'EBUSY', 'EINVAL', 'ENOENT', 'ENODEV'):
			self.said += f'faulty was answered {answer}\n'
		return not self.said

	def hangup(self):
		self.m.owner.send_signal(signal.SIGHUP)
		return True

	def trouble(self):
		time.sleep(self.rng.random() * 0.2)	# it comes at any moment: there is no event to wait for
		kind = self.rng.choice(('owner', 'owner', 'owner', 'member', 'hangup'))
		self.counts[kind] += 1
		return getattr(self, kind)()

	# ---- a life of the server ----

	def start(self):
		self.m.serve()
		if not self.m.owner or self.m.owner.poll() is not None:
			self.m.own()
		return self.m.until(self.m.runs, 'the array runs')

	def live(self):
		writers = Writers(self.m.uri, self.regions, self.rng)
		under_way = writers.are_under_way()
		good = all([self.trouble() for _ in range(TROUBLES)])
		if self.rng.random() < 0.5:
			self.m.kill_owner()
		lived = self.m.kill_server(self.rng.random() < 0.5)
		self.regions, steps, reads_are_right = writers.results()
		good = self.s.ok(good and lived, 'server and owner lived until they were killed', self.m.words, self.said)
		return good & self.s.ok(under_way and reads_are_right, f'{steps} requests, reads were right')

	def look(self):
		"""What is there after a start: early reads must be those after the resync, members equal when all is whole."""
		disk = NbdDisk(self.m.uri)
		early = read_all(disk, self.regions)
		wrong = settle_all(self.regions, early)
		good = self.s.ok(not wrong, 'every acknowledged sector is there', *wrong)
		self.hangup()
		good &= self.m.until(self.m.is_whole, 'the array becomes whole')
		good &= self.s.ok(read_all(disk, self.regions) == early, 'what was read during the resync is read after it')
		disk.handle.shutdown()
		return good & self.s.ok(self.m.members_are_equal(), 'the members are equal')

	def run(self):
		good = self.start()
		for _ in range(COUNT):
			good = good and self.live() and self.start() and self.look()
		print(f'# {COUNT} kills of the server, {self.counts}', flush=True)
		good = good and self.m.until(lambda: not any(self.m.bits()), 'at rest no bit is set')
		self.m.end()


with Scene() as s:
	print(f'# SEED={SEED} COUNT={COUNT}', flush=True)
	if fuse_is_missing():
		s.skip('an owner keeps a mirror that is killed', fuse_is_missing())
	else:
		Campaign(s).run()
