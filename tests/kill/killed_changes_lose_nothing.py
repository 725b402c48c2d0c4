"""Goal:   a bitmap that is given, taken away and changed under load, by a server that gets SIGKILL at any moment, covers what it
	must: nothing acknowledged is lost, and the members end up equal, for umd and for Linux.
Method: writers write, zero, flush and read back regions of their own; beside them `umd grow` changes kind and chunks, and
	`umd set` the place, one change after the other; the server is killed in the middle, now and then more than once. After a start
	everything is read during the resync and again after it, and the members are compared byte by byte. Some turns are Linux's
	(where there is one): it assembles what the kill left, check finds nothing, and it changes the bitmap itself before
	the power goes.
Law:    I1 durability, I2 equality, I3 cover, I6 stable reads, I9 progress.
Source: issue 5, item 6; bitmap specification 6.1, P2, P6. COUNT=: number of kills (20); SEED=: of the choices.
"""
import json
import os
import random
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'oracle'))
from lab import CUT, Lab  # noqa: E402
from regions import read_all, settle_all  # noqa: E402
from scene import MIB, Scene  # noqa: E402
from servers import NAME, NbdDisk, Server, Writers, create, data_areas_are_equal  # noqa: E402

COUNT = int(os.environ.get('COUNT', 400 if 'UMD_TEST_LONG' in os.environ else 20))
SEED = int(os.environ.get('SEED', random.SystemRandom().randrange(1 << 32)))
WRITERS, LINUX_EVERY = 4, 10
HAS_LINUX = all(shutil.which(p, path=os.environ['PATH'] + ':/usr/sbin:/sbin') for p in ('linux.uml', 'mdadm'))
CHUNKS = ['4K', '8K', '64K', '512K', '64M']
PLACES = range(8, 256, 8)		# sectors from the superblock; not all of them are free

GUEST = '''
assemble /dev/md0 /dev/ubda /dev/ubdb /dev/ubdc
idle md0
check md0 > mismatches
mdadm --grow /dev/md0 --bitmap=none || true
mdadm --grow /dev/md0 --bitmap=internal --bitmap-chunk={chunk}
cat /sys/block/md0/md/degraded > degraded
crash-now
'''


class Changer(threading.Thread):
	"""One change after the other until the server is gone. What it was told is kept."""

	def __init__(self, s, rng):
		super().__init__()
		self.s, self.rng = s, random.Random(rng.random())
		self.changes, self.moves, self.refusals, self.is_over = 0, 0, [], False
		self.start()

	def wish(self):
		if self.rng.random() < 0.3:
			return ['grow', NAME, '--bitmap=none']
		if self.rng.random() < 0.3:
			return ['set', NAME, 'bitmap/location', f'+{self.rng.choice(PLACES)}']
		if self.rng.random() < 0.4:
			return ['grow', NAME, '--bitmap=internal']
		kind = self.rng.choice([['--bitmap=internal'], []])
		return ['grow', NAME, *kind, f'--bitmap-chunk={self.rng.choice(CHUNKS)}']

	def run(self):
		while not self.is_over:
			wish = self.wish()
			run = self.s.umd(*wish)
			self.changes += run.returncode == 0
			self.moves += run.returncode == 0 and wish[0] == 'set'
			if run.returncode:
				self.refusals.append(run.stderr)

	def end(self):
		self.is_over = True
		self.join()
		return [r for r in self.refusals if len(r.splitlines()) != 1 or not r.startswith('umd: ')]


def looks(s, server, members, regions):
	disk = NbdDisk(server.uri)
	early = read_all(disk, regions)
	wrong = settle_all(regions, early)
	s.must('wait', NAME)
	late, detail = read_all(disk, regions), s.json('detail', '--json', NAME)
	return wrong, early == late, detail


def umds_turn(s, turn, members, regions, rng):
	"""Returns the regions as they are now, or None when something is wrong; and how often the bitmap was changed."""
	server = Server(s, members)
	if rng.random() < 0.25:
		changer = Changer(s, rng)
		time.sleep(rng.random() * 0.2)
		server.kill(False)
		changer.end()
		server = Server(s, members)
	wrong, is_stable, detail = looks(s, server, members, regions)
	equal = data_areas_are_equal(s, members)
	good = s.ok(not wrong, f'{turn}: every acknowledged sector is there', *wrong)
	good &= s.ok(is_stable, f'{turn}: what was read during the resync is read after it')
	good &= s.ok(equal and detail['degraded'] == 0, f'{turn}: the members are equal, nobody is missing',
		json.dumps(detail['last_sync']))
	if not good:
		return None, 0
	writers = Writers(server.uri, regions, rng)
	under_way = writers.are_under_way()
	changer = Changer(s, rng)
	time.sleep(rng.random() * 0.5)		# the kill comes at any moment: there is no event to wait for
	lived = server.kill(rng.random() < 0.5)
	odd = changer.end()
	regions, steps, reads_are_right = writers.results()
	good = s.ok(lived, f'{turn}: until then the server lived', server.words)
	good &= s.ok(under_way and reads_are_right, f'{turn}: {steps} requests, reads among them were right')
	good &= s.ok(not odd, f'{turn}: {changer.changes} changes, {changer.moves} of place, and whoever is refused is told why', *odd)
	return regions if good else None, changer.changes


def linuxs_turn(s, turn, members, rng):
	run = s.guest(GUEST.format(chunk=rng.choice(CHUNKS)), *members)
	good = s.ok(run.returncode == CUT, f'{turn}: Linux ran until the power went', run.stdout, run.stderr)
	return good & s.ok(s.said('mismatches') == '0' and s.said('degraded') == '0',
		f'{turn}: Linux takes all members, and they are the same', s.said('mismatches'), s.said('degraded'), run.stdout)


with Lab() if HAS_LINUX else Scene() as s:
	print(f'# SEED={SEED} COUNT={COUNT}{"" if HAS_LINUX else ", without Linux"}', flush=True)
	rng = random.Random(SEED)
	members = [s.image('a', 24 * MIB), s.image('b', 24 * MIB), s.image('c', 24 * MIB)]
	regions, all_changes = create(s, members, WRITERS), 0
	for number in range(1, COUNT + 1):
		regions, changes = umds_turn(s, f'turn {number}', members, regions, rng)
		all_changes += changes
		if HAS_LINUX and regions and number % LINUX_EVERY == 0 and not linuxs_turn(s, f'after {number}', members, rng):
			regions = None
		if not regions:
			print(f'# again: make stress CHANGES=1 SEED={SEED} COUNT={number}', flush=True)
			break
	if regions:
		s.ok(all_changes >= COUNT, f'{all_changes} changes under load in {COUNT} turns')
		server = Server(s, members)
		wrong, is_stable, detail = looks(s, server, members, regions)
		s.ok(not wrong and is_stable, 'at the end every acknowledged sector is there', *wrong)
		s.same(server.stop(s), 0, 'it stops cleanly')
		s.ok(data_areas_are_equal(s, members), 'and the members are equal', json.dumps(detail['last_sync']))
