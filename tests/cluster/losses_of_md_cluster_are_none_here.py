"""Goal:   three ways in which Linux 6.1's md-cluster loses data are none in umd: a re-add by one node's bits alone, a dead node's
	chunk 0 alone, and the bits of slot 0 when all nodes were down.
Method: each twice. First the pictures that were taken of real nodes: what Linux made of them is read from the next picture, or
	from what it copied onto a poisoned member, and then umd is given the picture before. Then the same with umd's nodes.
Law:    C1, C2, I2.
Source: docs/differences.md: readd-gathers-all, chunk-0-alone, all-slots-at-start; tests/golden cm-c09 to c11, c25, c26 and
	cl-r1-12-64k-both-cut.
"""
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(HERE, '..', 'golden'), os.path.join(HERE, '..', 'cli')]

import goldenlib
from clusterscene import ARRAY, MIB, Cluster

CHUNK = 65536
SECTOR = 512
BLOCKS = CHUNK // goldenlib.BLOCK


class Stage(Cluster):
	"""A cluster of umd's; and pictures of real ones."""

	def node(self, name, *more):
		self.uris = {**getattr(self, 'uris', {}), name: super().node(name, *more)}
		return self.uris[name]

	def picture(self, name):
		"""Its members, unpacked; facts."""
		one = goldenlib.Set(name)
		folder = self.path(name)
		os.mkdir(folder)
		paths = one.unpack(folder)
		return [p for p, m in zip(paths, one.members) if m['superblock']], one

	def chunks_at(self, path, one, chunks):
		sb = one.members[0]['superblock']
		with open(path, 'rb') as f:
			data = []
			for n in chunks:
				f.seek(sb['data_offset'] * SECTOR + n * CHUNK)
				data.append(f.read(CHUNK))
		return data

	def spoil(self, path, chunk):
		"""Another content on one member, as the death of a writer leaves it."""
		sb = self.json('examine', '--json', path)['members'][0]['superblock']
		with open(path, 'r+b') as f:
			f.seek(sb['data_offset_bytes'] + chunk * CHUNK)
			f.write(b'\xa5' * CHUNK)

	def over(self, paths, *readd):
		"""One node starts on it, takes back who was away, comes to rest and stops; what it copied."""
		self.must('serve', '--background', '--cluster=local', '--node=n9', '--name=picture', *paths)
		self.servers.append('picture@n9')
		for path in readd:
			self.must('manage', 'picture@n9', '--re-add', path)
		detail = None
		while not detail or detail['sync_action'] != 'idle' or detail['bitmap']['needed_chunks'] or \
				any(p['state'] not in ('none', 'us') for p in detail['cluster']['peers']):
			detail = self.json('detail', '--json', 'picture@n9')
		self.stop('picture@n9')
		return detail['last_sync'] or {}


def readd_uses_all_bits(c):
	away, _ = c.picture('cm-c09-removed')
	(a, b), one = c.picture('cm-c11-readded-clean')
	first, second = range(256, 264), range(640, 648)	# what node 1 and node 2 wrote while b was away
	lost = [c.chunks_at(b, one, r) != c.chunks_at(a, one, r) for r in (first, second)]
	bits = [n['set_chunks'] for m in one.members if m['superblock'] for n in m['bitmaps']]
	c.ok(lost == [False, True] and not any(bits),
		"Linux: the re-added member has what node 1 wrote and not what node 2 wrote, and no bit tells", lost, bits)
	sync = c.over(away, away[1])
	have = [c.chunks_at(away[1], one, r) == c.chunks_at(away[0], one, r) == c.chunks_at(a, one, r) for r in (first, second)]
	c.same((have, sync.get('bytes_copied')), ([True, True], 16 * CHUNK), 'umd, from the picture before: it has what both wrote')

	first, second = c.connect(c.uris['n1']), c.connect(c.node('n2'))
	c.must('manage', f'{ARRAY}@n1', '--fail', c.members[1])
	first.pwrite(b'\x11' * CHUNK, 4 * MIB)
	second.pwrite(b'\x22' * CHUNK, 20 * MIB)
	c.must('manage', f'{ARRAY}@n1', '--remove', c.members[1])
	c.must('manage', f'{ARRAY}@n1', '--re-add', c.members[1])
	c.ok(c.at_rest('n1') and c.at_rest('n2'), "umd's own nodes: each writes while a member is away, it is re-added")
	c.ok(c.are_equal(), 'the members are equal')


def chunk_0_alone_is_copied(c):
	_, after = c.picture('cm-c26-chunk0-recovered')
	before, one = c.picture('cm-c25-chunk0-dirty')
	moved = [b['set'] for b in after.members[0]['bitmaps'][:2]]
	events = [m.members[0]['superblock']['events'] for m in (one, after)]
	c.same((moved, events[0] == events[1]), ([[], [[0, 0]]], True),
		'Linux: the survivor moved the one bit, of chunk 0, to its slot, and began no resync')
	c.spoil(before[1], 0)
	c.same(c.over(before).get('bytes_copied'), CHUNK, 'umd, from the picture before: chunk 0 is copied')
	c.ok(c.chunks_at(before[0], one, [0]) == c.chunks_at(before[1], one, [0]), 'what one member lacked is there')

	c.node('n1')
	c.connect(c.node('n2')).pwrite(b'\x33' * 4096, 0)
	c.same(c.slots_of(c.members[0]), [0, 1, 0, 0], "umd's own nodes: one has chunk 0 set, and nothing else")
	c.spoil(c.members[1], 0)
	c.kill_node('n2')
	c.ok(c.until('n1', lambda d: d['cluster']['taken']['slots']), 'it is killed; the other one takes its slot')
	done = c.at_rest('n1')
	c.same((done['last_sync'] or {}).get('bytes_copied'), CHUNK, 'and copies chunk 0')
	c.same(c.cluster('n1')['taken'], {'slots': 1, 'chunks': 1}, 'and says so')


def all_slots_count_at_the_first_start(c):
	members, one = c.picture('cl-r1-12-64k-both-cut')
	slots = [{n for a, b in s['set'] for n in range(a, b + 1)} for s in one.members[0]['bitmaps'][:2]]
	copied = {n // BLOCKS for at, count in one.facts['linux_poison']['blocks_changed_4k'][1] for n in range(at, at + count)}
	c.ok(copied == slots[1] and slots[0] and not slots[0] & copied,
		'Linux: both nodes had died; the first one up copied the chunks of slot 1 and forgot those of slot 0', copied, slots)
	for n in slots[0] | slots[1]:
		c.spoil(members[1], n)
	c.same(c.over(members).get('bytes_copied'), len(slots[0] | slots[1]) * CHUNK, 'umd, from the same picture: all are copied')
	c.ok(c.chunks_at(members[0], one, sorted(slots[0])) == c.chunks_at(members[1], one, sorted(slots[0])),
		"slot 0's chunks are equal")

	c.node('n3')
	c.connect(c.uris['n1']).pwrite(b'\x44' * CHUNK, 6 * MIB)
	c.connect(c.uris['n3']).pwrite(b'\x55' * CHUNK, 26 * MIB)
	mine = {n: c.slot(n) for n in ('n1', 'n3')}
	pids = [c.pid(node) for node in ('n1', 'n2', 'n3')]
	for pid in pids:
		os.kill(pid, signal.SIGSTOP)	# so that none lives to take the others' slots
	for pid in pids:
		c.end_process(pid, signal.SIGKILL)
	c.servers.clear()
	left = [{n for first, last in b['set'] for n in range(first, last + 1)}
		for b in c.json('examine', '--json', c.members[0])['members'][0]['bitmaps']]
	for chunk in (6 * MIB // CHUNK, 26 * MIB // CHUNK):
		c.spoil(c.members[1], chunk)
	c.node('n4')
	done = c.at_rest('n4')
	c.ok(6 * 16 in left[mine['n1']] and 26 * 16 in left[mine['n3']] and done,
		"umd's own nodes: all are killed at once; the first one up comes to rest", left)
	c.same((done['last_sync'] or {}).get('bytes_copied'), len(set().union(*left)) * CHUNK, 'the union of all slots is copied')
	c.stop_all()
	c.ok(c.are_equal(), 'the members are equal')


with Stage(nodes=4) as c:
	chunk_0_alone_is_copied(c)
	readd_uses_all_bits(c)
	all_slots_count_at_the_first_start(c)
