"""Goal:   a member that is failed because its I/O hangs keeps neither its owner nor other clients waiting.
Method: every write to one member takes a second and a half longer; it is failed under one, and removed at once.
Law:    I9.
Source: issue 5, "handshakes"; md answers EBUSY for a member that is in use.
"""
import os

from external import CHUNK, External, Write
from scene import Scene

with Scene() as s:
	plain = s.env
	s.env = {**plain, 'LD_PRELOAD': ' '.join([plain.get('LD_PRELOAD', ''), os.environ['SLOW_DISK']]).strip(),
		'SLOW_MEMBER': s.path('b.img'), 'SLOW_MS': '1500'}
	x = External(s)
	s.env = plain
	x.set_up()
	x.start()
	first = Write(s, x.uri, 0, b'first' * 1024)
	s.ok(x.until('array_state', 'write-pending'), 'a write waits for the owner')
	x.set('array_state', 'active')
	first.thread.join(20)
	s.ok(first.error is None and not first.is_waiting(), 'it ends, and its chunk is set', first.error)
	hung = Write(s, x.uri, 0, b'hangs' * 1024)
	s.ok(x.tree.until(lambda: x.members[0].read(x.members[0].data_at, 5) == b'hangs', 10), 'the next one hangs on b.img alone')
	x.set('dev-b.img/state', 'faulty')
	x.set('dev-b.img/state', '-blocked')
	s.same(x.tree.set('dev-b.img/state', 'remove'), 'EBUSY', 'the failed member is in use')
	x.set('array_state', 'active')
	s.ok(hung.is_waiting(), 'that was not waited for')
	other = Write(s, x.uri, 9 * CHUNK, b'other' * 1024)
	other.thread.join(20)
	s.ok(other.error is None and hung.is_waiting(), 'other writes go on meanwhile', other.error)
	hung.thread.join(20)
	s.ok(hung.error is None, 'the one that hung ends', hung.error)
	s.same(x.tree.set('dev-b.img/state', 'remove'), 'ok', 'then the member can be removed')
