"""Goal:   nodes that start, stop, die and sleep while members fail, leave and come, in any order, lose no write that was answered.
Method: histories by seed: three nodes write under load in parts of their own; forty times something happens to a node or a member.
	Then whoever is up reads everything, the mirror is made whole, all stop, the members are compared. A history that fails is
	told. SEED= is the first of COUNT= histories.
Law:    I1, I2, I9, C1, C2, C6.
Source: issue 6.
"""
import os
import random
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, '..', 'cli'))

from clusterscene import ARRAY, MIB, Cluster

BLOCK = 16384
PART = 9 * MIB
NODES = ('n1', 'n2', 'n3')
STEPS = 40
PATIENCE_S = 60


class Writer(threading.Thread):
	"""Writes to one node, block after block, until that ends; notes what was answered."""

	def __init__(self, handle, index, content, seed):
		super().__init__(daemon=True)
		self.handle, self.at, self.content = handle, index * PART, content
		self.random, self.is_over = random.Random(seed), False
		self.start()

	def run(self):
		while not self.is_over:
			at = self.at + self.random.randrange(PART // BLOCK) * BLOCK
			value = self.random.randrange(1, 256)
			self.content[at] = None			# in doubt: the old value or the new one
			try:
				self.handle.pwrite(bytes([value]) * BLOCK, at)
			except Exception:				# the node has ended
				return
			self.content[at] = value


class History(Cluster):
	def __init__(self, seed):
		super().__init__()
		self.random, self.seed = random.Random(seed), seed
		self.story, self.content, self.writers = [], {}, {}

	def __enter__(self):
		super().__enter__()
		self.pool = [*self.members, self.image('c.img')]
		return self

	def __exit__(self, kind, value, trace):
		for name in list(self.servers):
			self.umd('stop', name)
		self.folder.cleanup()

	def tell(self, *words):
		self.story.append(' '.join(map(str, words)))

	def states(self, node):
		return {m['path']: m['state'] for m in self.detail(node)['members']}

	# ---- what may happen ----

	def start(self, node):
		uri = self.node(node)
		self.writers[node] = Writer(self.connect(uri), NODES.index(node), self.content, self.random.random())
		self.tell('start', node)

	def ends(self, node, how):
		how(node)
		self.writers.pop(node).join(PATIENCE_S)
		self.tell(how.__name__, node)

	def sleep(self, node):
		pid = self.pid(node)
		os.kill(pid, signal.SIGSTOP)
		time.sleep(self.random.random())		# as long as it sleeps: nothing to be awaited
		os.kill(pid, signal.SIGCONT)
		self.tell('sleep', node)

	def manage(self, node, verb, path):
		run = self.umd('manage', f'{ARRAY}@{node}', verb, path)
		self.tell(node, verb, os.path.basename(path), run.stderr.strip() or 'done')
		return run.returncode == 0

	def fail(self, node):
		whole = [p for p, s in self.states(node).items() if s == 'in_sync']
		path = self.random.choice(whole)
		if len(whole) > 1 and self.manage(node, '--fail', path) and self.manage(node, '--remove', path) and path in self.members:
			self.members.remove(path)

	def bring(self, node):
		there = self.states(node)
		out = [p for p in self.pool if p not in there]
		if len(there) > 2 or not out:
			return
		path = self.random.choice(out)
		if self.manage(node, self.random.choice(['--re-add', '--add']), path) and path not in self.members:
			self.members.append(path)

	def happen(self):
		up = sorted(self.writers)
		what = self.random.choice(['start', 'start', 'start', 'kill', 'stop', 'sleep', 'fail', 'bring', 'bring'])
		down = [n for n in NODES if n not in up]
		if what == 'start' or not up:
			if down:
				self.start(self.random.choice(down))
			return
		node = self.random.choice(up)
		if what == 'kill':
			self.ends(node, self.kill_node)
		elif what == 'stop' and len(up) > 1:
			self.ends(node, self.stop_node)
		elif what != 'stop':
			getattr(self, what)(node)

	# ---- the end ----

	def make_whole(self, node):
		for path, state in self.states(node).items():
			if state == 'faulty':
				self.manage(node, '--remove', path)
		there = self.states(node)
		if len(there) < 2:
			self.manage(node, '--add', next(p for p in self.pool if p not in there))

	def wrong_reads(self):
		wrong = []
		for name in sorted(self.writers):
			handle = self.writers[name].handle
			wrong += [(name, at, value) for at, value in self.content.items()
				if value is not None and bytes(handle.pread(BLOCK, at)) != bytes([value]) * BLOCK]
		return wrong

	def play(self):
		"""What is wrong; [] when all is well."""
		self.start('n1')
		for _ in range(STEPS):
			time.sleep(self.random.random() * 0.2)	# some load between two events
			self.happen()
		if not self.writers:
			self.start('n1')
		for writer in self.writers.values():
			writer.is_over = True
		for name, writer in self.writers.items():
			writer.join(PATIENCE_S)
			if writer.is_alive():
				return [f'a write on {name} has no end', self.cluster(name)]
		first = sorted(self.writers)[0]
		self.make_whole(first)
		for name in self.writers:
			if not self.at_rest(name, PATIENCE_S):
				return [f'{name} does not come to rest', self.detail(name)]
		wrong = self.wrong_reads()
		self.members = [p for p, s in self.states(first).items() if s == 'in_sync']
		for writer in self.writers.values():
			writer.handle.shutdown()
		self.stop_all()
		if len(self.members) != 2 or not self.are_equal():
			wrong.append(f'the members differ, or are not two: {self.members}')
		return wrong


def main():
	first, count = int(os.environ.get('SEED') or 1), int(os.environ.get('COUNT') or 4)
	failed = 0
	for number, seed in enumerate(range(first, first + count), 1):
		with History(seed) as h:
			wrong = h.play()
			failed += bool(wrong)
			known = sum(v is not None for v in h.content.values())
			print(f'{"not ok" if wrong else "ok"} {number} - SEED={seed}: {len(h.story)} events, {known} blocks are read as they were written',
				flush=True)
			for line in [*wrong[:20], *h.story] if wrong else []:
				print('#', line, flush=True)
	print(f'1..{count}')
	return 1 if failed else 0


if __name__ == '__main__':
	sys.exit(main())
