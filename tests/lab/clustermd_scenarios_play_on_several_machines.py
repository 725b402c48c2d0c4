#!/usr/bin/env python3
"""Goal:   what mdadm's clustermd_tests ask of two nodes of a cluster, two machines with umd do.
Method: two guests with real corosync and DLM, booted once; scenario by scenario (tests/cluster/clustermd.py) on arrays of their own.
        Where a resync or recovery must be met in the middle, writes to one member take longer (SLOW_DISK). After each, what both
        say of the members is the same, and the members are equal as the host reads them: the guests write past their caches.
Law:    C1, C3, I2, I8.
Source: issue 6; the cluster specification, section 9."""
import json
import os
import shlex
import subprocess
import sys
import time

from stage import HERE, MIB, Bail, play

for room in 'cli', 'cluster':
	sys.path.insert(1, os.path.join(HERE, '..', room))

import clustermd
import clusterscene

DISK_BYTES = 32 * MIB
LONGEST_S = 90
CLIENT = '''import nbd, os, sys
c = nbd.NBD(); c.connect_uri("nbd+unix:///?socket=/run/umd/%s/nbd.sock")'''


class Machines(clustermd.TwoNodes):
	"""Node n1 is guest 1, n2 is guest 2. Statements and the lab's commands are the cluster's."""
	engine = 'dlm'
	at_rest = clusterscene.Cluster.at_rest

	def __init__(self, cluster):
		self.cluster, self.up = cluster, []
		self.ok, self.same, self.refused = cluster.ok, cluster.same, cluster.refused

	# ---- disks ----

	def path_of(self, letter):
		return f'/dev/ubd{letter}'

	def disk(self, letter):
		with open(self.cluster.image(letter), 'r+b') as f:
			f.truncate(0)
			f.truncate(DISK_BYTES)
		return self.path_of(letter)

	def place(self, letter):
		"""Where a member's data begins, and its bytes."""
		tool = [self.cluster.tool, 'examine', '--json', self.cluster.image(letter)]
		done = subprocess.run(tool, capture_output=True, text=True, check=True)
		superblock = json.loads(done.stdout)['members'][0]['superblock']
		return superblock['data_offset_bytes'], superblock['component_bytes']

	def fill(self, letter):
		with open(self.cluster.image(letter), 'r+b') as f:
			f.seek(self.place(letter)[0])
			f.write(filled := os.urandom(24 * MIB))
		return filled

	def data(self, letter):
		at, length = self.place(letter)
		with open(self.cluster.image(letter), 'rb') as f:
			f.seek(at)
			return f.read(length)

	# ---- umd on a node ----

	def command(self, node, *words, env=''):
		return self.cluster.on(int(node[1:]), f'mkdir -m 700 -p /run/umd; {env} {self.cluster.tool} {shlex.join(words)}')

	def do(self, node, *words, env=''):
		done = self.command(node, *words, env=env)
		if done.returncode:
			raise Bail(f'{node}: umd {shlex.join(words)}: {done.stderr.strip()}')
		return done.stdout

	def fresh(self, *options, name=clustermd.ARRAY):
		self.stop_all()
		self.letters = ['a', 'b']
		self.do('n1', *self.create_words(name, options), *map(self.disk, self.letters))

	def node(self, name, env=''):
		self.do(name, 'serve', '--background', '--cluster=dlm', f'--node={name}', f'--name={clustermd.ARRAY}',
			*map(self.path_of, self.letters), env=env)
		self.up.append(name)

	def slow_node(self, name, letter):
		"""Half a second for each write of this node to one member: a look at a guest takes a tenth of it."""
		self.node(name, env=f'LD_PRELOAD={os.environ["SLOW_DISK"]} SLOW_MEMBER={self.path_of(letter)} SLOW_MS=500')

	def stop_node(self, name):
		self.do(name, 'stop', clustermd.array_on(name))
		self.up.remove(name)

	def stop_all(self):
		for name in list(self.up):
			self.stop_node(name)

	def detail(self, node):
		return json.loads(self.do(node, 'detail', '--json', clustermd.array_on(node)))

	def until(self, node, condition, longest_s=LONGEST_S):
		return clusterscene.until(lambda: self.detail(node), condition, longest_s)

	# ---- a client of a node ----

	def client(self, node, line):
		program = CLIENT % clustermd.array_on(node).replace('@', '%40') + '\n' + line
		return self.cluster.must(int(node[1:]), f'/usr/bin/python3 -c {shlex.quote(program)}')

	def write(self, node, at, length, byte=None):
		data = f'os.urandom({length})' if byte is None else f'bytes([{byte}]) * {length}'
		self.client(node, f'c.pwrite({data}, {at}); c.flush()')

	def reads(self, node, at, length, byte):
		said = self.client(node, f'print(bytes(c.pread({length}, {at})) == bytes([{byte}]) * {length})')
		return said.strip() == 'True'


def scenario(c):
	machines = Machines(c)
	for part in clustermd.SCENARIOS:
		began = time.monotonic()
		part(machines)
		c.note(f'{part.__name__}: {time.monotonic() - began:.0f} s')


play(scenario, disks=[DISK_BYTES] * 4, limit=560)
