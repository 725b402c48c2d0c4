"""Goal:   SIGKILL under random writes loses nothing that was acknowledged, and the members end up equal.
Method: processes write, zero, flush and read back regions of their own through two connections each; the server is
	killed in the middle, started again, killed during some resyncs, too; everything is read during the resync and
	again after it; after a stop the members' data areas are compared byte by byte.
Law:    I1 durability, I2 equality, I6 stable reads, I9 progress.
Source: issue "A mirror that runs". COUNT=: number of kills (20); SEED=: of the choices. A killed process takes no
	page cache with it, so that acknowledged writes are demanded back, not only flushed ones.
"""
import json
import multiprocessing
import os
import random
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from scene import MIB, Scene  # noqa: E402

COUNT = int(os.environ.get('COUNT', 1000 if 'UMD_TEST_LONG' in os.environ else 20))
SEED = int(os.environ.get('SEED', random.SystemRandom().randrange(1 << 32)))
WRITERS, SECTOR, RUN_SECTORS = 4, 512, 128
NAME = 'killed'


# ---- what a sector says: who wrote it, where, which time ----

def content(writer, sector, version):
	return struct.pack('<IIQ', writer, sector, version) * (SECTOR // 16) if version else bytes(SECTOR)


def piece(writer, first, count, version):
	return b''.join(content(writer, s, version) for s in range(first, first + count))


class Region:
	"""What one writer knows: the acknowledged version of each of its sectors, and the one request in flight."""

	def __init__(self, writer, sectors):
		self.writer, self.versions, self.clock, self.in_flight = writer, [0] * sectors, 0, None
		self.at = writer * sectors * SECTOR

	def begin(self, first, count, is_zero):
		self.clock += 1
		self.in_flight = (first, count, 0 if is_zero else self.clock)

	def end(self):
		first, count, version = self.in_flight
		self.versions[first:first + count] = [version] * count
		self.in_flight = None

	def settle(self, data):
		"""Sectors of the request in flight may be old or new: @data decides, from now on for good. Returns what is wrong."""
		first, count, version = self.in_flight or (0, 0, 0)
		for s, acknowledged in enumerate(self.versions):
			found = data[s * SECTOR:(s + 1) * SECTOR]
			if found == content(self.writer, s, acknowledged):
				continue
			if not first <= s < first + count or found != content(self.writer, s, version):
				return f'writer {self.writer} sector {s}: acknowledged {acknowledged}, found {found[:16].hex()}'
			self.versions[s] = version
		self.in_flight = None
		return None


# ---- a writer: a process until its server dies ----

def choose(rng, sectors):
	count = rng.choice([1, 1, 8, 8, rng.randrange(1, RUN_SECTORS)])
	return rng.randrange(sectors - count), count


def one_step(rng, handles, region):
	import nbd
	h, kind = rng.choice(handles), rng.random()
	first, count = choose(rng, len(region.versions))
	at = region.at + first * SECTOR
	if kind < 0.1:
		h.flush()
	elif kind < 0.3:
		wanted = b''.join(content(region.writer, s, region.versions[s]) for s in range(first, first + count))
		return h.pread(count * SECTOR, at) == wanted
	else:
		is_zero, flags = kind < 0.4, nbd.CMD_FLAG_FUA if rng.random() < 0.2 else 0
		region.begin(first, count, is_zero)
		if is_zero:
			h.zero(count * SECTOR, at, flags)
		else:
			h.pwrite(piece(region.writer, first, count, region.clock), at, flags)
		region.end()
	return True


def write_until_killed(uri, region, seed, pipe):
	import nbd
	rng, steps, wrong = random.Random(seed), 0, False
	try:
		handles = [nbd.NBD(), nbd.NBD()]
		for h in handles:
			h.connect_uri(uri)
		while not wrong:
			wrong = not one_step(rng, handles, region)
			steps += 1
			if steps == 20:
				pipe.send('under way')
	except nbd.Error:
		pass
	if steps < 20:
		pipe.send('ended early')
	pipe.send((region, steps, wrong))


class Writers:
	def __init__(self, uri, regions, rng):
		self.crew = []
		for region in regions:
			mine, theirs = multiprocessing.Pipe()
			p = multiprocessing.Process(target=write_until_killed, args=(uri, region, rng.random(), theirs))
			p.start()
			self.crew.append((p, mine))

	def are_under_way(self):
		return all(pipe.recv() == 'under way' for _, pipe in self.crew)

	def results(self):
		got = [pipe.recv() for _, pipe in self.crew]
		for p, _ in self.crew:
			p.join()
		return got


# ---- the server ----

class Server:
	def __init__(self, s, members):
		self.keeper, self.uri = s.serve_in_foreground('--name', NAME, *members, start_new_session=True)
		self.pid = s.json('detail', '--json', NAME)['pid']

	def kill(self, with_keeper):
		if with_keeper:
			os.killpg(self.keeper.pid, signal.SIGKILL)
		else:
			os.kill(self.pid, signal.SIGKILL)
		self.keeper.communicate()

	def stop(self, s):
		s.must('stop', NAME)
		self.keeper.communicate()
		return self.keeper.returncode


def read_regions(s, uri, regions):
	h = s.connect(uri)
	return [read_region(h, r) for r in regions]


def read_region(h, region):
	length = len(region.versions) * SECTOR
	return b''.join(h.pread(min(MIB, length - at), region.at + at) for at in range(0, length, MIB))


def data_areas_are_equal(s, members):
	areas = []
	for m in s.json('examine', '--json', *members)['members']:
		with open(m['path'], 'rb') as f:
			f.seek(m['superblock']['data_offset_bytes'])
			areas.append(f.read(m['superblock']['array_bytes']))
	return len(areas[0]) > 0 and all(a == areas[0] for a in areas)


def one_kill(s, number, members, regions, rng):
	"""Returns the regions as they are now, or None when something is wrong."""
	server = Server(s, members)
	writers = Writers(server.uri, regions, rng)
	under_way = writers.are_under_way()
	time.sleep(rng.random() * 0.5)		# the kill comes at any moment: there is no event to wait for
	server.kill(rng.random() < 0.5)
	results = writers.results()
	regions = [region for region, _, _ in results]
	steps = sum(n for _, n, _ in results)

	server = Server(s, members)
	if rng.random() < 0.25:
		server.kill(False)
		server = Server(s, members)
	early = read_regions(s, server.uri, regions)
	wrong = [w for w in (r.settle(d) for r, d in zip(regions, early)) if w]
	s.must('wait', NAME)
	late = read_regions(s, server.uri, regions)
	copied = s.json('detail', '--json', NAME)['last_sync']
	status = server.stop(s)

	good = s.ok(under_way and not any(w for _, _, w in results), f'kill {number}: {steps} requests, reads before it were right')
	good &= s.ok(not wrong, f'kill {number}: every acknowledged sector is there', *wrong)
	good &= s.ok(early == late, f'kill {number}: what was read during the resync is read after it')
	good &= s.ok(status == 0 and data_areas_are_equal(s, members), f'kill {number}: the members are equal', json.dumps(copied))
	return regions if good else None


with Scene() as s:
	print(f'# SEED={SEED} COUNT={COUNT}', flush=True)
	rng = random.Random(SEED)
	members = [s.image('a', 48 * MIB), s.image('b', 48 * MIB), s.image('c', 48 * MIB)]
	s.must('create', '--bitmap-chunk=64K', *members)
	server = Server(s, members)
	size = s.connect(server.uri).get_size()
	s.must('wait', NAME)
	s.same(server.stop(s), 0, 'the first resync is done')
	regions = [Region(w, size // SECTOR // WRITERS) for w in range(WRITERS)]
	for number in range(1, COUNT + 1):
		regions = one_kill(s, number, members, regions, rng)
		if not regions:
			print(f'# again: SEED={SEED} COUNT={number}', flush=True)
			break
