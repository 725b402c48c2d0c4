"""Goal:   umd and Linux take turns on one mirror, each killed while it writes; neither loses what the other acknowledged.
Method: a turn of either world starts from what the kill before left, reads everything during the resync and after it,
	compares the members byte by byte, then several writers write, zero, flush and read their regions until the server gets
	SIGKILL or the guest's power goes. The last turn looks and does not write. Writers know what was acknowledged;
	those in the guest keep a log on a disk of its own.
Law:    I1 durability, I2 equality, I6 stable reads, I9 progress.
Source: issue 4, item 8. COUNT=: number of kills (4); SEED=: of the choices. make stress WITH_KERNEL=1.
"""
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'oracle'))
from lab import CUT, Lab  # noqa: E402
from linux_turn import LOG_BYTES, read_log  # noqa: E402
from regions import Region, read_all, settle_all  # noqa: E402
from scene import MIB  # noqa: E402
from servers import NAME, NbdDisk, Server, Writers, create, data_areas_are_equal  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
COUNT = int(os.environ.get('COUNT', 400 if 'UMD_TEST_LONG' in os.environ else 4))
SEED = int(os.environ.get('SEED', random.SystemRandom().randrange(1 << 32)))
WRITERS, SIZE = 4, 24 * MIB

GUEST = '''
assemble /dev/md0 /dev/ubda /dev/ubdb /dev/ubdc
exec /usr/bin/python3 {script} . /dev/ubdd /dev/ubda /dev/ubdb /dev/ubdc
'''
JUST_DIE = '''
assemble /dev/md0 /dev/ubda /dev/ubdb /dev/ubdc
crash-now
'''


def say(s, turn, found):
	"""The same statements about either world's start."""
	good = s.ok(not found['wrong'], f'{turn}: every acknowledged sector is there', *found['wrong'])
	good &= s.ok(found['is_stable'], f'{turn}: what was read during the resync is read after it')
	good &= s.ok(found['is_whole'] and found['is_equal'], f'{turn}: the members are equal, nobody is missing', found['action'])
	return good


# ---- umd ----

def umd_looks(s, server, members, regions):
	disk = NbdDisk(server.uri)
	early = read_all(disk, regions)
	wrong = settle_all(regions, early)
	s.must('wait', NAME)
	late, detail = read_all(disk, regions), s.json('detail', '--json', NAME)
	return {'wrong': wrong, 'is_stable': early == late, 'action': json.dumps(detail['last_sync']),
		'is_whole': detail['degraded'] == 0, 'is_equal': data_areas_are_equal(s, members)}


def umds_turn(s, turn, members, regions, rng):
	if rng.random() < 0.25:
		Server(s, members).kill(False)
	server = Server(s, members)
	if not say(s, turn, umd_looks(s, server, members, regions)):
		return None
	writers = Writers(server.uri, regions, rng)
	under_way = writers.are_under_way()
	time.sleep(rng.random() * 0.5)		# the kill comes at any moment: there is no event to wait for
	lived = server.kill(rng.random() < 0.5)
	regions, steps, reads_are_right = writers.results()
	if not s.ok(lived, f'{turn}: the server lived until it was killed', server.words):
		return None
	return regions if s.ok(under_way and reads_are_right, f'{turn}: {steps} requests, reads among them were right') else None


# ---- Linux ----

def take(s, name):
	"""What the guest left on the host, once; None: nothing."""
	try:
		with open(s.path(name), encoding='utf-8') as f:
			left = json.load(f)
		os.unlink(s.path(name))
		return left
	except FileNotFoundError:
		return None


def linuxs_turn(s, turn, members, regions, rng):
	offset, size, _ = s.geometry(members[0])
	if rng.random() < 0.25:
		s.guest(JUST_DIE, *members)
	os.truncate(s.image('log', 0), WRITERS * LOG_BYTES)
	with open(s.path('turn.json'), 'w', encoding='utf-8') as f:
		json.dump({'regions': [r.to_dict() for r in regions], 'seed': rng.random(), 'write_s': 0.2 + rng.random(),
			   'data_offset': offset, 'size': size}, f)
	run = s.guest(GUEST.format(script=os.path.join(HERE, 'linux_turn.py')), *members, s.path('log'))
	found, failures = take(s, 'findings.json'), take(s, 'failures.json')
	if not s.ok(run.returncode == CUT and found, f'{turn}: Linux ran until the power went', run.stdout, run.stderr):
		return None
	if not say(s, turn, found):
		return None
	regions = [Region.from_dict(r) for r in found['regions']]
	steps = sum(read_log(s.path('log'), r) for r in regions)
	return regions if s.ok(steps and not failures, f'{turn}: {steps} writes, reads among them were right', failures) else None


with Lab() as s:
	print(f'# SEED={SEED} COUNT={COUNT}', flush=True)
	rng = random.Random(SEED)
	members = [s.image('a', SIZE), s.image('b', SIZE), s.image('c', SIZE)]
	regions = create(s, members, WRITERS)
	for number in range(1, COUNT + 1):
		turn = f'turn {number}, {"umd" if number % 2 else "Linux"}'
		regions = (umds_turn if number % 2 else linuxs_turn)(s, turn, members, regions, rng)
		if not regions:
			print(f'# again: make stress WITH_KERNEL=1 SEED={SEED} COUNT={number}', flush=True)
			break
	if regions:
		server = Server(s, members)
		say(s, 'at the end, umd', umd_looks(s, server, members, regions))
		s.same(server.stop(s), 0, 'it stops cleanly')
