"""Goal:   SIGKILL under random writes loses nothing that was acknowledged, and the members end up equal.
Method: processes write, zero, flush and read back regions of their own through two connections each; the server is
	killed in the middle, started again, killed during some resyncs, too; everything is read during the resync and
	again after it; after a stop the members' data areas are compared byte by byte.
Law:    I1 durability, I2 equality, I6 stable reads, I9 progress.
Source: issue "A mirror that runs". COUNT=: number of kills (20); SEED=: of the choices. A killed process takes no
	page cache with it, so that acknowledged writes are demanded back, not only flushed ones.
"""
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from regions import read_all, settle_all  # noqa: E402
from scene import MIB, Scene  # noqa: E402
from servers import NAME, NbdDisk, Server, Writers, create, data_areas_are_equal  # noqa: E402

COUNT = int(os.environ.get('COUNT', 1000 if 'UMD_TEST_LONG' in os.environ else 20))
SEED = int(os.environ.get('SEED', random.SystemRandom().randrange(1 << 32)))
WRITERS = 4


def one_kill(s, number, members, regions, rng):
	"""Returns the regions as they are now, or None when something is wrong."""
	server = Server(s, members)
	writers = Writers(server.uri, regions, rng)
	under_way = writers.are_under_way()
	time.sleep(rng.random() * 0.5)		# the kill comes at any moment: there is no event to wait for
	lived, words = server.kill(rng.random() < 0.5), server.words
	regions, steps, reads_are_right = writers.results()

	server = Server(s, members)
	if rng.random() < 0.25:
		server.kill(False)
		server = Server(s, members)
	disk = NbdDisk(server.uri)
	early = read_all(disk, regions)
	wrong = settle_all(regions, early)
	s.must('wait', NAME)
	late = read_all(disk, regions)
	copied = s.json('detail', '--json', NAME)['last_sync']
	status = server.stop(s)

	good = s.ok(lived, f'kill {number}: until then the server lived', words)
	good &= s.ok(under_way and reads_are_right, f'kill {number}: {steps} requests, reads before it were right')
	good &= s.ok(not wrong, f'kill {number}: every acknowledged sector is there', *wrong)
	good &= s.ok(early == late, f'kill {number}: what was read during the resync is read after it')
	good &= s.ok(status == 0 and data_areas_are_equal(s, members), f'kill {number}: the members are equal', json.dumps(copied))
	return regions if good else None


with Scene() as s:
	print(f'# SEED={SEED} COUNT={COUNT}', flush=True)
	rng = random.Random(SEED)
	members = [s.image('a', 48 * MIB), s.image('b', 48 * MIB), s.image('c', 48 * MIB)]
	regions = create(s, members, WRITERS)
	for number in range(1, COUNT + 1):
		regions = one_kill(s, number, members, regions, rng)
		if not regions:
			print(f'# again: make stress SEED={SEED} COUNT={number}', flush=True)
			break
