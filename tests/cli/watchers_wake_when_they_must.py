"""Goal:   whoever watches an attribute is woken when md wakes, at once and not otherwise; umd monitor prints it.
Method: watches over the control socket while an owner's array runs; each is answered or proven to be silent by what
	another, later event answers. umd monitor as a child, line by line; the server is stopped and killed under it.
Law:    nothing is lost between two watches; no client keeps another waiting.
Source: attributes of md, column N and "notifications observed"; design, "poll".
"""
import json
import os
import select
import subprocess

from external import CHUNK, NAME, External, Write
from scene import Scene


class Lines:
	"""The output of a program, line by line, without waiting longer than asked."""

	def __init__(self, s, *args):
		self.child = subprocess.Popen([s.tool, *args], env=s.env, cwd=s.dir, stdout=subprocess.PIPE,
			stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
		self.rest = b''

	def next(self, seconds=10):
		while b'\n' not in self.rest:
			if not select.select([self.child.stdout], [], [], seconds)[0]:
				return None
			piece = os.read(self.child.stdout.fileno(), 65536)
			if not piece:
				return ''
			self.rest += piece
		line, _, self.rest = self.rest.partition(b'\n')
		return line.decode()

	def until(self, words):
		"""Lines up to one that has all of @words."""
		lines = []
		while (line := self.next()):
			lines.append(line)
			if all(w in line for w in words):
				break
		return lines


def watch(x, seconds, *paths, **more):
	"""A watch on a connection of its own, which is returned. The generations are those of now."""
	line = x.tree.connect()
	request = {'command': 'watch', 'paths': [{'path': p, 'generation': x.tree.call('get', path=p)['generation']} for p in paths],
		'timeout_ms': int(seconds * 1000), **more}
	line.sendall(json.dumps(request).encode() + b'\n')
	return line


def is_answered(line):
	return bool(select.select([line], [], [], 0)[0])


def told(x, line, seconds=10):
	"""The paths in the answer; None: there was none in time."""
	if not select.select([line], [], [], seconds)[0]:
		return None
	return [c['path'] for c in x.tree.answer(line)['changed']]


with Scene() as s:
	x = External(s)
	w = watch(x, 30, 'array_state')
	x.set_up()
	s.ok(not is_answered(w), 'setting up tells nobody about array_state')
	x.start()
	s.same(told(x, w), ['array_state'], 'the start does')
	w.close()

	# ---- what is read is not told again ----
	w = watch(x, 0.2, 'array_state', 'sync_action')
	s.same(told(x, w), [], 'nothing happens: the time is over, and nothing has changed')
	w.close()
	silent = watch(x, 30, 'level', 'raid_disks', 'resync_start', 'metadata_version', 'dev-a.img/slot', 'dev-a.img/bad_blocks')
	sync = watch(x, 30, 'sync_action')
	state = watch(x, 30, 'array_state')
	write = Write(s, x.uri, 0, b'word' * 1024)
	s.same(told(x, state), ['array_state'], 'a write that waits for the owner is told')
	s.same(x.get('array_state'), 'write-pending', 'it is write-pending')
	state.close()
	state = watch(x, 30, 'array_state')
	x.set('array_state', 'active')
	s.same(told(x, state), ['array_state'], 'the answer is told, too')
	write.close()
	state.close()
	s.ok(x.until('array_state', 'active-idle'), 'idle is told')
	x.set('array_state', 'clean')
	s.ok(not is_answered(silent) and not is_answered(sync), 'nothing else was told meanwhile')

	# ---- nothing is lost between get and watch ----
	known = x.tree.call('get', path='array_state')['generation']
	write = Write(s, x.uri, 0, b'word' * 1024)
	s.ok(x.until('array_state', 'write-pending'), 'a write again')
	x.set('array_state', 'active')
	write.close()
	reply = x.tree.call('watch', paths=[{'path': 'array_state', 'generation': known}], timeout_ms=30000)
	s.ok(reply['changed'] and reply['changed'][0]['generation'] > known, 'who watches late is answered at once', reply)

	# ---- failure, and a folder that goes ----
	dev = watch(x, 30, 'dev-b.img/state')
	tree = watch(x, 30, tree=x.tree.call('attrs')['tree'])
	x.set('dev-b.img/state', 'faulty')
	s.same(told(x, dev), ['dev-b.img/state'], 'a failure is told by the member')
	s.same(told(x, sync), ['sync_action'], 'and by sync_action')
	dev.close()
	x.set('array_state', 'active')
	degraded = watch(x, 30, 'degraded')
	x.set('dev-b.img/state', '-blocked')
	s.same(told(x, degraded), ['degraded'], 'degraded, when it is recorded')
	clear = watch(x, 30, 'bitmap/can_clear')
	write = Write(s, x.uri, 7 * CHUNK, b'word' * 1024)
	s.same(told(x, clear), ['bitmap/can_clear'], 'can_clear falls on a write that a member misses')
	s.same(x.get('bitmap/can_clear'), 'false', 'it is false')
	write.close()
	clear.close()
	clear = watch(x, 30, 'bitmap/can_clear')
	write = Write(s, x.uri, 8 * CHUNK, b'word' * 1024)
	write.close()
	s.ok(not is_answered(clear), 'once for each fall')
	s.ok(not is_answered(tree) or told(x, tree) == [], 'the list of files has not changed by all that')
	dev = watch(x, 30, 'dev-b.img/state', 'dev-b.img/errors')
	tree.close()
	tree = watch(x, 30, tree=x.tree.call('attrs')['tree'])
	x.set('dev-b.img/state', 'remove')
	s.same(told(x, dev), ['dev-b.img/state', 'dev-b.img/errors'], 'a folder that goes wakes all who watch in it')
	s.same(told(x, tree), [], 'and who watches the list')
	s.ok(not is_answered(silent), 'the silent ones were silent to the end')
	for line in (silent, sync, degraded, clear, dev, tree):
		line.close()

	# ---- many who watch keep nobody waiting ----
	crowd = [watch(x, 60, 'array_state') for _ in range(60)]
	s.ok(s.must('get', NAME, 'level').stdout == 'raid1\n', 'sixty who watch keep nobody waiting')
	x.set('sync_action', 'idle')
	before = sum(map(is_answered, crowd))
	s.ok(x.until('array_state', 'active-idle'), 'the array becomes idle')
	x.set('array_state', 'clean')
	s.ok(before == 0 and all(told(x, line) == ['array_state'] for line in crowd), 'all of them are told', before)
	for line in crowd:
		line.close()
	paths = [{'path': 'level', 'generation': 0}] * 4096
	s.ok(len(x.tree.call('watch', paths=paths, timeout_ms=0)['changed']) in (0, 4096), 'a watch of 4096 files is answered')
	try:
		x.tree.call('watch', paths=paths + paths[:1], timeout_ms=0)
		s.ok(False, 'one more is refused')
	except OSError as error:
		s.ok('4096' in str(error), 'one more is refused', error)

	# ---- umd monitor ----
	all_of_it, one = Lines(s, 'monitor', NAME), Lines(s, 'monitor', '--json', NAME, 'array_state')
	s.refused(s.umd('monitor', NAME, 'no/such/file'), 1, ['no/such/file'], 'monitor: a file that is not there')
	# A monitor that has read the list is known by what it prints: the array is written until both have said something.
	for _ in range(20):
		write = Write(s, x.uri, 0, b'word' * 1024)
		x.until('array_state', 'write-pending')
		x.set('array_state', 'active')
		write.close()
		x.until('array_state', 'active-idle')
		x.set('array_state', 'clean')
		if one.next(0.2) and all_of_it.next(0.2):
			break
	write = Write(s, x.uri, 0, b'word' * 1024)
	lines = one.until(['write-pending'])
	s.ok(lines and json.loads(lines[-1])['value'] == 'write-pending\n' and json.loads(lines[-1])['path'] == 'array_state',
		'monitor --json prints an object for each wake-up', lines)
	s.ok(all_of_it.until(['array_state  write-pending']), 'monitor prints time, path and value')
	x.set('array_state', 'active')
	write.close()
	x.set('new_dev', s.image('c.img'), s.path('c.img'))
	lines = all_of_it.until(['dev-c.img/state  spare'])
	s.ok(lines and 'spare' in lines[-1], 'a member that comes later is told', lines)
	x.set('dev-c.img/state', 'writemostly')
	lines = all_of_it.until(['dev-c.img/state'])
	s.ok(lines and 'write_mostly' in lines[-1], 'and followed as well', lines)
	x.set('dev-c.img/state', 'remove')
	lines = all_of_it.until(['dev-c.img/state', '(gone)'])
	s.ok(lines and '(gone)' in lines[-1], 'until it goes', lines)
	s.stop(NAME)
	s.ok(all_of_it.until(['has ended']), 'the end of the array ends monitor')
	s.same((all_of_it.child.wait(10), one.child.wait(10)), (0, 0), 'with success')

	# ---- a server that dies ----
	x = External(s)
	child = Lines(s, 'monitor', NAME, 'array_state')
	line = watch(x, 60, 'array_state')
	s.kill(NAME)
	s.ok(select.select([line], [], [], 10)[0] and line.recv(100) == b'', 'the death of the server ends a watch')
	s.same(child.child.wait(20), 0, 'and monitor')
	for lines in (child, one, all_of_it):
		lines.child.communicate()
