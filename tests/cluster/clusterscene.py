"""A stage with a cluster: one clustered array on image files, any number of nodes on this host.

	with Cluster(nodes=4) as c:
		uri = c.node('n1')
		c.kill_node('n1')

A node is a server in the background; its array's run-time name is ARRAY@NODE. What tests wait for they ask `umd detail`
for, up to LONGEST_S."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))

from scene import MIB, Scene

LONGEST_S = 60
ARRAY = 'shared'


def until(look, condition, longest_s=LONGEST_S):
	"""What look() returns as soon as condition() of it is true; None when it does not come to that."""
	last = time.monotonic() + longest_s
	while time.monotonic() < last:
		found = look()
		if condition(found):
			return found
		time.sleep(0.02)
	return None


class Cluster(Scene):
	def __init__(self, nodes=4, members=2, size=32 * MIB, chunk=65536, assume_clean=True, name='lab'):
		super().__init__()
		self.shape = (nodes, members, size, chunk, assume_clean, name)

	def __enter__(self):
		super().__enter__()
		nodes, members, size, chunk, assume_clean, name = self.shape
		self.members = [self.image(f'{i}.img', size) for i in 'abcdefgh'[:members]]
		self.must('create', '--bitmap=clustered', f'--nodes={nodes}', f'--cluster-name={name}', f'--name={ARRAY}',
			f'--bitmap-chunk={chunk}', *(['--assume-clean'] if assume_clean else []), *self.members)
		return self

	# ---- nodes ----

	def node(self, name, *more):
		"""Starts it; returns its URI once it is up."""
		run = self.must('serve', '--background', '--cluster=local', f'--node={name}', *more, *self.members)
		self.servers.append(f'{ARRAY}@{name}')
		return run.stdout.split()[-1]

	def detail(self, node):
		return self.json('detail', '--json', f'{ARRAY}@{node}')

	def cluster(self, node):
		return self.detail(node)['cluster']

	def slot(self, node):
		return self.cluster(node)['slot']

	def kill_node(self, node):
		self.kill(f'{ARRAY}@{node}')

	def stop_node(self, node):
		self.stop(f'{ARRAY}@{node}')

	def stop_all(self):
		for name in list(self.servers):
			self.stop(name)

	def pid(self, node):
		return self.detail(node)['pid']

	def until(self, node, condition, longest_s=LONGEST_S):
		"""The node's detail as soon as condition(detail) is true; None when it does not come to that."""
		return until(lambda: self.detail(node), condition, longest_s)

	def at_rest(self, node, longest_s=LONGEST_S):
		"""Nothing is copied, and no slot is anybody's that is not up."""
		return self.until(node, lambda d: d['sync_action'] == 'idle' and d['bitmap']['needed_chunks'] == 0 and
			all(p['state'] in ('none', 'up', 'us') for p in d['cluster']['peers']), longest_s)

	def until_no_client(self, name):
		return self.wait_for(lambda: self.json('detail', '--json', name)['clients'] == 0)

	def until_peers_are_gone(self, name):
		return self.wait_for(lambda: all(p['state'] in ('us', 'none') for p in
			self.json('detail', '--json', name)['cluster']['peers']))

	@staticmethod
	def wait_for(is_so, longest_s=LONGEST_S):
		return bool(until(is_so, bool, longest_s))

	# ---- members ----

	def slots_of(self, member):
		"""examine: per slot the number of set chunks."""
		return [b['set_chunks'] for b in self.json('examine', '--json', member)['members'][0]['bitmaps']]

	def data_of(self, member):
		superblock = self.json('examine', '--json', member)['members'][0]['superblock']
		with open(member, 'rb') as f:
			f.seek(superblock['data_offset_bytes'])
			return f.read(superblock['component_bytes'])

	def are_equal(self):
		first, *others = [self.data_of(m) for m in self.members]
		return all(first == other for other in others)
