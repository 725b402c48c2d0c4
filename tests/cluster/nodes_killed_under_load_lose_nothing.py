"""Goal:   nodes that are killed in the middle of writes lose nothing that was acknowledged, and the members end up equal.
Method: three nodes write to areas of their own, each over two connections; again and again one is killed (sometimes two, and
	a member is failed and comes back in between), and starts again. What was acknowledged must be read on every node; what
	was under way may be there or not, per block, but whoever reads it first settles that for all. TURNS= and SEED= come
	from the environment.
Law:    I1, I2, C1, C2, C4, C6.
Source: issue of clusters: killed under load.
"""
import os
import random
import struct
import threading

import nbd

from clusterscene import ARRAY, MIB, Cluster

BLOCK = 4096
AREA = 8 * MIB
TURNS = int(os.environ.get('TURNS', '12'))
SEED = int(os.environ.get('SEED', '0')) or random.randrange(1, 1 << 30)


def content(stamp):
	return struct.pack('<Q', stamp) * (BLOCK // 8)


class Writer(threading.Thread):
	"""Writes blocks of one half of an area until its node is gone or it is told to end."""

	def __init__(self, uri, blocks, known, seed):
		super().__init__()
		self.uri, self.blocks, self.known, self.random = uri, blocks, known, random.Random(seed)
		self.ends, self.count = False, 0

	def run(self):
		try:
			handle = nbd.NBD()
			handle.connect_uri(self.uri)
			while not self.ends:
				block = self.random.choice(self.blocks)
				stamp = self.random.getrandbits(63)
				self.known[block] = self.known[block] | {stamp}
				handle.pwrite(content(stamp), block * BLOCK, nbd.CMD_FLAG_FUA if stamp % 4 == 0 else 0)
				self.known[block] = {stamp}
				self.count += 1
			handle.shutdown()
		except nbd.Error:
			pass


def check(c, node, uri, known):
	"""Blocks that hold what nobody wrote there."""
	handle = c.connect(uri)
	wrong = []
	for block, stamps in known.items():
		found = bytes(handle.pread(BLOCK, block * BLOCK))
		if found not in [content(s) for s in stamps]:
			wrong.append((node, block, found[:8].hex(), [struct.pack('<Q', s).hex() for s in stamps]))
		else:
			known[block] = {struct.unpack('<Q', found[:8])[0]}
	handle.shutdown()
	return wrong


with Cluster(nodes=4, size=32 * MIB) as c:
	print(f'# SEED={SEED} TURNS={TURNS}', flush=True)
	rnd = random.Random(SEED)
	names = ['n1', 'n2', 'n3']
	areas = {n: range(i * AREA // BLOCK, i * AREA // BLOCK + 256) for i, n in enumerate(names)}
	known = {b: {0} for n in names for b in areas[n]}
	uris = {n: c.node(n) for n in names}
	wrong, written = [], 0
	for turn in range(TURNS):
		writers = [Writer(uris[n], areas[n][half::2], known, rnd.random()) for n in names for half in (0, 1)]
		for w in writers:
			w.start()
		if turn % 3 == 2:
			c.umd('manage', f'{ARRAY}@{rnd.choice(names)}', '--fail', c.members[turn % 2])
		else:
			threading.Event().wait(rnd.random() * 0.4)
		victims = rnd.sample(names, 2 if turn % 4 == 3 else 1)
		for name in victims:
			c.kill_node(name)
		for w in writers:
			w.ends = True
			w.join()
		written += sum(w.count for w in writers)
		left = next(n for n in names if n not in victims)
		wrong += check(c, left, uris[left], known)
		for name in victims:
			uris[name] = c.node(name)
		if turn % 3 == 2:
			run = c.umd('manage', f'{ARRAY}@{left}', '--remove', c.members[turn % 2], '--re-add', c.members[turn % 2])
			c.ok(run.returncode == 0, f'turn {turn}: the member that failed comes back', run.stderr)
		rest = c.at_rest(left, 30)
		if not c.ok(rest and not wrong, f'turn {turn}: without {victims}: nothing is lost, and {left} comes to rest', wrong[:4],
			c.detail(left)):
			break
	c.ok(written > TURNS, f'{written} writes were acknowledged')
	for name in names:
		c.at_rest(name)
		wrong += check(c, name, uris[name], known)
	c.ok(not wrong, 'every node reads the same, and what was written', wrong[:4])
	c.stop_all()
	c.ok(c.are_equal(), 'the members are equal')
	c.same(c.slots_of(c.members[0]), [0] * 4, 'and no bit is left')
