#!/usr/bin/env python3
"""Goal:   an array with superblocks that got a bitmap of somebody else's starts again, under umd and under Linux.
Method: an array without a bitmap is served; bitmap/metadata external and a place are written; what is written marks bits on
	both members, the first write under a new event number forbids clearing, the owner of the bitmap allows it and the bits
	go. A member fails under it and is added again. After a stop and after SIGKILL no superblock names a bitmap, umd serves the
	members, and Linux assembles them with equal copies.
Law:    I2, I3, I4
Source: Linux 6.1 leaves the bitmap in the superblocks and then refuses to assemble what it wrote (EINVAL)"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'cli'), os.path.join(HERE, '..', 'oracle')]
from lab import Lab  # noqa: E402
from scene import MIB, Scene  # noqa: E402
from transcript import Writer  # noqa: E402
from tree import Member, Tree, Writes  # noqa: E402

CHUNK, PLACE, SUPERBLOCK_AT, DATA_AT = 65536, 64, 8, MIB
ASSEMBLE = '''
assemble /dev/md0 "$(disk 0)" "$(disk 1)"
idle md0
check md0 > mismatches
cat /sys/block/md0/md/degraded > degraded
mdadm --stop /dev/md0 > /dev/null 2>&1
'''


class Stage(Lab):
	"""With Linux where it is to be had, and without it where not."""

	def __enter__(self):
		return Scene.__enter__(self)

	def linux_judges(self, members):
		text = 'Linux assembles it, and its copies are equal'
		if not any(os.access(os.path.join(d, 'linux.uml'), os.X_OK) for d in os.environ['PATH'].split(':')):
			self.skip(text, 'linux.uml is not installed')
			return
		run = self.guest(ASSEMBLE, *members)
		self.same((run.returncode, self.said('mismatches'), self.said('degraded')), (0, '0', '0'), text)


def members_of(s, images):
	"""The members' bytes as tree.py reads them; places in this array count from the superblock."""
	m = s.json('examine', '--json', images[0])['members'][0]['superblock']
	facts = {'data_offset_sectors': m['data_offset_bytes'] // 512, 'component_kib': m['component_bytes'] // 1024,
		'bitmap_location_sectors': SUPERBLOCK_AT + PLACE, 'bits': m['component_bytes'] // CHUNK}
	return [Member(path, facts, is_new=False) for path in images]


def set_one(s, tree):
	for path, value in (('bitmap/metadata', 'external'), ('bitmap/chunksize', CHUNK), ('bitmap/time_base', 1)):
		s.same(tree.set(path, str(value)), 'ok', f'{path} {value}')
	s.same(tree.set('bitmap/location', f'+{PLACE}'), 'ok', 'an array with superblocks gets a bitmap of somebody else\'s')


def a_member_leaves(s, uri, images, both, bits):
	"""It comes back in full, and only so; the bits it missed are on it before its data."""
	a, b = images
	s.must('manage', 'inner', '--fail', b, '--remove', b)
	writer = Writer(uri, [50], CHUNK, 2)
	writer.join(30)
	s.same((writer.result, both[0].bits()), ('ok', [50]), 'a write that one member lacks marks its chunk')
	s.refused(s.umd('manage', 'inner', '--re-add', b), 1, ['no superblock', '--add'], 'nobody is let back by that bitmap')
	s.must('manage', 'inner', '--add', b)
	s.must('wait', 'inner')
	s.same(s.json('detail', '--json', 'inner')['last_sync']['bytes_copied'], 24 * MIB - DATA_AT, 'who comes back gets everything')
	s.same([m.bits() for m in both], bits, 'and the bits, which wait for the owner')


def other_bitmaps_wait(s):
	for wish in (['--bitmap=internal'], ['--bitmap-chunk=128K']):
		s.refused(s.umd('grow', 'inner', *wish), 1, ['a bitmap without superblock'], f'grow {wish[0]} is refused beside it')


def use(s, images, uri):
	tree = Tree(os.path.join(s.env['UMD_RUNTIME_DIR'], 'inner', 'control.sock'))
	members, writes = members_of(s, images), Writes(images)
	set_one(s, tree)
	s.same(tree.get('bitmap/metadata'), 'external\n', 'its bits are told to be somebody else\'s')
	s.same(tree.get('bitmap/can_clear'), 'true\n', 'the bitmap is there')
	writer = Writer(uri, [7, 30], CHUNK, 1)
	writer.join(30)
	s.same((writer.result, [m.bits() for m in members]), ('ok', [[7, 30]] * 2), 'a write marks its chunks on both members')
	s.ok(tree.until(lambda: tree.get('bitmap/can_clear') == 'false\n', 30), 'then no bit may be cleared')
	s.same(tree.set('bitmap/can_clear', 'true'), 'ok', 'but the owner allows it')
	s.ok(tree.until(lambda: [m.bits() for m in members] == [[], []], 30, [writes.fd]), 'and the bits go')
	a_member_leaves(s, uri, images, members, [[50]] * 2)
	other_bitmaps_wait(s)
	tree.close()


def is_plain(s, images, why):
	features = [m['superblock']['feature_map'] & 1 for m in s.json('examine', '--json', *images)['members']]
	s.same(features, [0, 0], f'no superblock names a bitmap {why}')


def a_server_dies(s, images):
	"""Dirty, with a bitmap that nobody will read again."""
	uri = s.serve('inner', *images)
	tree = Tree(os.path.join(s.env['UMD_RUNTIME_DIR'], 'inner', 'control.sock'))
	set_one(s, tree)
	s.same((tree.set('array_state', 'inactive'), tree.get('bitmap/location'), tree.set('array_state', 'active'),
		tree.get('bitmap/location')), ('ok', 'none\n', 'ok', 'none\n'), 'stopped and started by attribute it has none')
	s.must('grow', 'inner', '--bitmap=internal')
	s.same((tree.get('bitmap/metadata'), tree.get('bitmap/location')), ('internal\n', '+8\n'), 'nor is one that grows external')
	s.same([tree.set('array_state', word) for word in ('inactive', 'active')], ['ok'] * 2, 'which is there')
	s.same(tree.get('bitmap/location'), '+8\n', 'after another start')
	s.same(tree.set('bitmap/location', 'none'), 'ok', 'it is taken away')
	set_one(s, tree)
	writer = Writer(uri, [3], CHUNK, 3)
	writer.join(30)
	s.same(writer.result, 'ok', 'a write makes the array dirty')
	tree.close()
	s.kill('inner')
	is_plain(s, images, 'after SIGKILL')
	s.serve('inner', *images)
	s.must('wait', 'inner')
	detail = s.json('detail', '--json', 'inner')
	s.same((detail['bitmap'], detail['last_sync']['bytes_copied']), (None, 24 * MIB - DATA_AT), 'so everything is copied')
	s.stop('inner')


with Stage() as s:
	images = [s.image('a', 24 * MIB), s.image('b', 24 * MIB)]
	s.must('create', '--bitmap=none', '--assume-clean', '--name=inner', *images)
	use(s, images, s.serve('inner', *images))
	s.stop('inner')
	is_plain(s, images, 'after a stop')
	s.serve('inner', *images)
	s.same(s.json('detail', '--json', 'inner')['degraded'], 0, 'umd starts it again')
	s.stop('inner')
	a_server_dies(s, images)
	s.linux_judges(images)
