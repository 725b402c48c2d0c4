"""Goal:   while one node copies, others write: into what is copied, before it and behind it; nothing is lost and the copies are
	equal. The node that copies may be killed or stopped: another one goes on.
Method: members with different content and no --assume-clean, so that everything is copied; three nodes, each writing blocks
	spread over the whole array; the copying one is killed, then the next one is stopped. Then a new disk is recovered
	in full in the same manner.
Law:    C3 (nobody writes inside another's suspended range), C1, C2, I2.
Source: the cluster specification, section 5.
"""
import os
import random
import threading
import time

from clusterscene import ARRAY, LONGEST_S, MIB, Cluster

BLOCK = 4096
SIZE = 41 * MIB		# 1 MiB of data offset; a window that others leave alone, and a quarter of one


class Writer(threading.Thread):
	def __init__(self, c, uri, mine, seed):
		super().__init__()
		self.handle, self.mine, self.random = c.connect(uri), mine, random.Random(seed)
		self.ends, self.wrong, self.known = False, [], {}

	def one(self):
		block = self.random.choice(self.mine)
		if block in self.known:
			found = bytes(self.handle.pread(BLOCK, block * BLOCK))
			if found != self.known[block]:
				self.wrong.append(block)
		data = self.random.randbytes(BLOCK)
		self.known.pop(block, None)
		self.handle.pwrite(data, block * BLOCK)
		self.known[block] = data

	def run(self):
		try:
			while not self.ends:
				self.one()
		except Exception as e:		# its node is gone
			self.gone = e


def begin(c, uris, mine):
	writers = {n: Writer(c, uri, mine[n], hash(n)) for n, uri in uris.items()}
	for w in writers.values():
		w.start()
	return writers


def end(writers):
	for w in writers.values():
		w.ends = True
	for w in writers.values():
		w.join()
	return sum(len(w.wrong) for w in writers.values()), {b: d for w in writers.values() for b, d in w.known.items()}


def read_back(c, uri, known):
	handle = c.connect(uri)
	return [b for b, d in known.items() if bytes(handle.pread(BLOCK, b * BLOCK)) != d]


def copying(c, names):
	"""Who copies now."""
	for name in names:
		if c.cluster(name)['resync'] and c.detail(name)['sync_action'] != 'idle':
			return name
	return None


def soon_copying(c, names):
	last = time.monotonic() + LONGEST_S
	while time.monotonic() < last:
		name = copying(c, names)
		if name:
			return name
	return None


with Cluster(nodes=4, size=SIZE, assume_clean=False) as c:
	c.env['LD_PRELOAD'] = os.environ['SLOW_DISK']		# 0.1 s for each MiB that is copied
	with open(c.members[0], 'r+b') as f:
		f.seek(MIB)
		for _ in range(SIZE // MIB - 1):
			f.write(os.urandom(MIB))
	blocks = list(range(0, 40 * MIB // BLOCK, 7))
	names = ['n1', 'n2', 'n3']
	mine = {n: blocks[i::3] for i, n in enumerate(names)}
	uris = {n: c.node(n) for n in names}
	writers = begin(c, uris, mine)
	first = soon_copying(c, names)
	c.ok(first, 'one of them copies', [c.cluster(n) for n in names])
	c.kill_node(first)
	left = [n for n in names if n != first]
	second = soon_copying(c, left)
	c.ok(second, f'{first} is killed, another one goes on', [c.cluster(n) for n in left])
	c.stop_node(second)
	last = next(n for n in left if n != second)
	c.ok(c.at_rest(last), f'{second} is stopped, the last one finishes', c.cluster(last))
	wrong, known = end(writers)
	c.same(wrong, 0, 'every node read what it had written, all the time')
	c.same(read_back(c, uris[last], known), [], f'{len(known)} blocks are what was written last')
	c.ok(c.are_equal(), 'the members are equal')

	for name in (first, second):
		uris[name] = c.node(name)
	new = c.image('new.img', SIZE)
	c.must('manage', f'{ARRAY}@{last}', '--fail', c.members[1], '--remove', c.members[1])
	writers = begin(c, uris, mine)
	c.must('manage', f'{ARRAY}@{first}', '--add', new)
	copier = soon_copying(c, names)
	c.ok(copier, 'a new disk is copied to', [c.detail(n) for n in names])
	c.kill_node(copier)
	left = [n for n in names if n != copier]
	whole = lambda d: d['degraded'] == 0 and d['sync_action'] == 'idle'
	c.ok(all(c.until(n, whole) for n in left), f'{copier} is killed, another one finishes', [c.detail(n) for n in left])
	wrong, known = end(writers)
	c.same(wrong, 0, 'every node read what it had written')
	c.ok(c.at_rest(left[0]) and c.at_rest(left[1]), 'all come to rest')
	c.same(read_back(c, uris[left[0]], known), [], f'{len(known)} blocks are what was written last')
	c.members[1] = new
	c.stop_all()
	c.ok(c.are_equal(), 'the members are equal')
