#!/usr/bin/env python3
"""Goal:   an owner that uses only the files of the tree keeps a mirror through its life: written, degraded, whole again.
Method: umd-owner keeps the record of a served mirror. A client's write ends only when "dirty" is recorded, and not while the
	owner cannot record; a member that fails is recorded before the next write goes on without it; can_clear falls with
	that write and is true again when the owner has recorded that all is whole; the bits go then and not before. The
	member that comes back gets what the bits tell, nothing else, also when one owner left half-way and the next one goes on.
	A server that dies is started again by the record: dirty, so the bits are believed.
Law:    I3, I4, I8, I10
Source: issue "Externally managed metadata"; examples/owner.c"""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from owned import FACTS, Mirror, fuse_is_missing  # noqa: E402
from scene import Scene  # noqa: E402
from transcript import Writer  # noqa: E402

CHUNK = FACTS['chunk_bytes']


class Story:
	def __init__(self, s):
		self.s, self.m = s, Mirror(s)

	def write(self, *chunks, seed=1):
		return Writer(self.m.uri, list(chunks), CHUNK, seed)

	def written(self, *chunks, seed=1, text):
		writer = self.write(*chunks, seed=seed)
		writer.join(30)
		return self.s.same(writer.result, 'ok', text)

	def begins(self):
		m = self.m
		m.serve()
		m.own()
		m.until(lambda: m.get('array_state') == 'clean', 'the owner sets the array up and starts it')
		self.s.same(m.get('metadata_version'), 'external:owned', 'the metadata is its own')
		self.written(3, 70, text='a write ends')
		self.s.same(m.record()['is_dirty'], True, 'dirty is recorded when it has')
		self.s.same([b for b in m.bits() if b != [3, 70]], [], 'its bits are on both members')
		m.until(lambda: m.get('array_state') == 'clean' and not m.record()['is_dirty'], 'at rest the array is recorded clean')
		m.until(lambda: m.bits() == [[], []], 'its bits go')

	def holds_back(self):
		"""-blocked says that a failure is recorded: where there is none it is nobody's answer."""
		m = self.m
		self.s.same(m.tree.set('dev-b.img/state', 'blocked'), 'ok', 'somebody else holds a member back')
		writer = self.write(50, seed=9)
		m.until(lambda: m.get('array_state') == 'active' and m.bits() == [[50], [50]], 'the owner answers for a write')
		self.s.same((m.get('dev-b.img/state'), writer.is_alive()), ('in_sync,blocked', True), 'and does not end the hold')
		self.s.same(m.tree.set('dev-b.img/state', '-blocked'), 'ok', 'who began it does')
		writer.join(30)
		self.s.same(writer.result, 'ok', 'then the write ends')
		m.until(lambda: m.get('array_state') == 'clean' and not m.record()['is_dirty'] and m.bits() == [[], []], 'and all is at rest')

	def cannot_record(self):
		"""A folder stands where the new record would be written: nothing can be recorded, so nothing may be answered."""
		m = self.m
		os.mkdir(m.record_path + '.new')
		writer = self.write(5, seed=2)
		words = m.owner.communicate(timeout=30)[1]
		self.s.ok('nothing is answered' in words, 'an owner that cannot record says so and ends', words)
		self.s.same((m.get('array_state'), writer.result), ('write-pending', 'waits'), 'the write waits')
		os.rmdir(m.record_path + '.new')
		m.own()
		writer.join(30)
		self.s.same((writer.result, m.record()['is_dirty']), ('ok', True), 'the next owner records dirty, and the write ends')

	def fails(self):
		m = self.m
		m.until(lambda: m.get('array_state') == 'clean' and m.bits() == [[], []], 'all is at rest again')
		self.s.same(m.get('bitmap/can_clear'), 'true', 'bits may be cleared')
		m.owner.send_signal(signal.SIGSTOP)
		self.s.same(m.tree.set('dev-b.img/state', 'faulty'), 'ok', 'a member is made to fail while the owner sleeps')
		writer = self.write(20, seed=3)
		m.until(lambda: m.get('array_state') == 'write-pending', 'a write waits for the owner')
		self.s.same((m.get('dev-b.img/state'), m.statuses()[1]), ('faulty,blocked', 'in sync'), 'so does the failure')
		m.owner.send_signal(signal.SIGCONT)
		writer.join(30)
		self.s.same((writer.result, m.statuses()), ('ok', ['in sync', 'behind']), 'the write ends, the failure is recorded')
		self.s.same(m.get('bitmap/can_clear'), 'false', 'the degraded write has forbidden the clearing of bits')
		m.until(lambda: 'dev-b.img/state' not in m.tree.names(), 'the failed member is removed')
		self.written(21, 100, seed=4, text='the array goes on with one member')
		self.s.same(m.tree.set('bitmap/can_clear', 'true'), 'EBUSY', 'nobody can allow clearing while it is away')

	def returns(self):
		m = self.m
		b = m.members[1]
		m.until(lambda: m.get('array_state') == 'clean', 'the degraded array is at rest')
		self.s.same(m.bits()[0], [20, 21, 100], 'the bits have stayed, and those alone')
		before = m.data(b)
		b.spoil()
		self.leaves_half_way(b)
		m.until(m.is_whole, 'the member comes back, and the owner records it')
		copied = [n * 4096 // CHUNK for n in b.blocks_unspoilt()]
		self.s.same(sorted(set(copied)), [20, 21, 100], 'exactly the chunks with a set bit were copied')
		self.s.same(len(copied), 3 * CHUNK // 4096, 'all of them')
		m.until(lambda: m.get('bitmap/can_clear') == 'true', 'the owner allows clearing')
		m.until(lambda: m.bits() == [[], []], 'the bits go')
		self.put_back(b, before)
		self.s.ok(m.members_are_equal(), 'the members are equal')

	def leaves_half_way(self, b):
		"""An owner is killed between its promise and the slot; the next one must not take the promise for what happened."""
		m = self.m
		m.kill_owner()
		orders = [m.tree.set('new_dev', b.path, b.path), m.tree.set('dev-b.img/offset', '2048'),
			m.tree.set('dev-b.img/size', '15360'), m.tree.set('dev-b.img/state', 'insync')]
		self.s.same((orders, m.get('dev-b.img/state')), (['ok'] * 4, 'in_sync'), 'an owner dies half-way through a return')
		m.own()

	def put_back(self, b, before):
		"""What was spoilt and rightly not copied, as it was: whatever differs now was not copied although it must be."""
		kept = {n for n in range(len(before) // 4096)} - set(b.blocks_unspoilt())
		for n in kept:
			b.write(b.data_at + n * 4096, before[n * 4096:(n + 1) * 4096])

	def starts_again(self):
		"""The server dies with a dirty array of which one member has not everything. The owner sleeps, to record no clean."""
		m = self.m
		b = m.members[1]
		self.written(40, seed=5, text='the array is written again')
		m.owner.send_signal(signal.SIGSTOP)
		self.s.same((m.record()['is_dirty'], m.bits()), (True, [[40], [40]]), 'it is recorded dirty, and the bits tell where')
		m.kill_server()
		b.write(b.data_at + 40 * CHUNK, b'x' * CHUNK)
		m.serve()
		m.owner.send_signal(signal.SIGCONT)
		m.until(lambda: m.runs() and m.get('last_sync_action') == 'resync' and m.get('sync_action') == 'idle',
			'the owner starts it again')
		self.s.ok(m.members_are_equal(), 'what the bits told was copied')
		m.until(lambda: m.get('array_state') == 'clean' and not m.record()['is_dirty'] and m.bits() == [[], []],
			'clean and without bits it is only when that is done')

	def ends(self):
		m = self.m
		self.s.same(m.tree.set('array_state', 'clear'), 'ok', 'somebody stops the array')
		self.s.same(m.owner.wait(30), 0, 'the owner lets go')
		self.s.same((m.record()['is_dirty'], m.statuses()), (False, ['in sync'] * 2), 'its record says clean and whole')
		self.s.must('stop', 'owned')

	def tell(self):
		try:
			self.begins()
			self.holds_back()
			self.cannot_record()
			self.fails()
			self.returns()
			self.starts_again()
			self.ends()
		finally:
			self.m.end()


with Scene() as s:
	if fuse_is_missing():
		s.skip('an owner keeps a mirror', fuse_is_missing())
	else:
		Story(s).tell()
