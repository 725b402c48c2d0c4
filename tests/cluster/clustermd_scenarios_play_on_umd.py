"""Goal:   what mdadm's clustermd_tests ask of two nodes of a cluster, two nodes of umd do.
Method: scenario by scenario (clustermd.py), in mdadm's order and by its names; where a resync or recovery must be met in the middle,
	writes to one member take longer (SLOW_DISK). After each, what both nodes say of the members is the same, and the members are
	equal: mdadm's tests look at states alone. What umd does not do yet is in not-yet.txt, and is refused in the words that stand there.
Law:    C1, C3, I2, I8.
Source: the cluster specification, section 9.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, '..', 'cli'))

import clustermd
from clustermd import ARRAY, MIB, array_on
from clusterscene import Cluster

COMMAND_ERRORS = (1, 2)


class Stage(clustermd.TwoNodes, Cluster):
	"""Two processes of this host; each scenario begins with an array of its own."""
	engine = 'local'

	def path_of(self, letter):
		return self.path(f'{letter}.img')

	def disk(self, letter):
		return self.image(f'{letter}.img')

	def fresh(self, *options, name=ARRAY):
		self.stop_all()
		self.letters = ['a', 'b']
		self.must(*self.create_words(name, options), *map(self.disk, self.letters))

	def fill(self, letter):
		"""Data that is no zeroes: these would be copied as a hole, at once."""
		at = self.json('examine', '--json', self.path_of(letter))['members'][0]['superblock']['data_offset_bytes']
		with open(self.path_of(letter), 'r+b') as f:
			f.seek(at)
			f.write(filled := os.urandom(24 * MIB))
		return filled

	def data(self, letter):
		return self.data_of(self.path_of(letter))

	def node(self, name, *more):
		self.members = list(map(self.path_of, self.letters))
		self.uris = {**getattr(self, 'uris', {}), name: super().node(name, f'--name={ARRAY}', *more)}

	def slow_node(self, name, letter):
		"""A tenth of a second for each write of this node to one member."""
		plain = self.env
		self.env = {**plain, 'LD_PRELOAD': ' '.join([plain.get('LD_PRELOAD', ''), os.environ['SLOW_DISK']]).strip(),
			'SLOW_MEMBER': self.path_of(letter), 'SLOW_MS': '100'}
		self.node(name)
		self.env = plain

	def command(self, _, *words):
		return self.umd(*words)

	def do(self, _, *words):
		self.must(*words)

	def write(self, node, at, length, byte=None):
		client = self.connect(self.uris[node])
		client.pwrite(os.urandom(length) if byte is None else bytes([byte]) * length, at)
		client.shutdown()

	def reads(self, node, at, length, byte):
		client = self.connect(self.uris[node])
		found = bytes(client.pread(length, at)) == bytes([byte]) * length
		client.shutdown()
		return found


def not_yet(c):
	c.fresh('--assume-clean')
	c.both()
	disks = {'DISK': c.image('e.img'), 'DISK2': c.image('f.img'), 'ARRAY': array_on('n1')}
	with open(os.path.join(HERE, 'not-yet.txt'), encoding='utf-8') as f:
		lines = [l.strip() for l in f if l.strip() and not l.startswith('#')]
	for line in lines:
		scenario, _, rest = line.partition(': ')
		command, _, words = rest.partition(' => ')
		run = c.umd(*[disks.get(w, w) for w in command.split()])
		said = run.stderr.splitlines()
		c.ok(run.returncode in COMMAND_ERRORS and len(said) == 1 and words and words in said[0],
			f'{scenario}: not yet: {words}', f'exit status {run.returncode}', run.stderr, run.stdout)
	c.agree({'in_sync': 'ab'}, 'after all that was refused')
	c.equal_after_stop('after all that was refused')


with Stage() as c:
	for scenario in [*clustermd.SCENARIOS, not_yet]:
		if len(sys.argv) < 2 or scenario.__name__ in sys.argv[1:]:
			scenario(c)
