"""The scenarios of mdadm's clustermd_tests, for two nodes n1 and n2 wherever they run: processes of this host, or machines.

A stage is a TwoNodes that says how it is done there:
	ok, same, refused            statements
	fresh(*options, name=)       everything stopped, a new array on the empty disks a and b; self.letters are its disks
	disk(letter)                 another empty disk; returns its path on the nodes
	fill(letter)                 random data on a member of a stopped array, which is returned
	node(name), stop_node(name)  one node, up and stopped; stop_all()
	slow_node(name, letter)      a node whose writes to one disk take SLOW_MS longer
	command(node, *words)        umd on that node: what it said; do(node, *words): it must go well
	write, reads                 a client of a node; byte None: random data
	detail, until, at_rest       see clusterscene.py
	data(letter)                 what a member holds for clients
"""
import os

MIB = 1 << 20
CHUNK = 65536
ARRAY = 'shared'
NODES = 'n1', 'n2'


def array_on(node):
	return f'{ARRAY}@{node}'


class TwoNodes:
	engine = ''
	letters = ['a', 'b']

	def both(self):
		for node in NODES:
			self.node(node)

	def create_words(self, name, options):
		return ['create', '--bitmap=clustered', '--nodes=4', '--cluster-name=lab', f'--name={name}', f'--bitmap-chunk={CHUNK}',
			'--force', *options]

	def manage(self, node, *words):
		self.do(node, 'manage', array_on(node), *words)

	def states(self, node):
		"""{disk: (state, slot)}"""
		return {self.letter(m['path']): (m['state'], m['slot']) for m in self.detail(node)['members']}

	@staticmethod
	def letter(path):
		"""a.img, /dev/ubda"""
		return os.path.basename(path).removesuffix('.img')[-1]

	def agree(self, wanted, text):
		"""Both nodes come to rest and say the same of the members: @wanted, by state."""
		done = self.at_rest('n1') and self.at_rest('n2')
		said = [self.states(node) for node in NODES]
		found = {}
		for disk, (state, _) in sorted(said[0].items()):
			found[state] = found.get(state, '') + disk
		self.ok(done and said[0] == said[1] and found == wanted, f'{text}: both nodes say the same', said, wanted)

	def equal_after_stop(self, text, begin=b''):
		"""And begin with these bytes."""
		self.stop_all()
		first, *others = [self.data(letter) for letter in self.letters]
		self.ok(first.startswith(begin) and others and all(first == other for other in others), f'{text}: the members are equal')

	def runs(self, node):
		"""In the middle of a sync of this node."""
		return self.until(node, lambda d: d['sync_action'] != 'idle' and (d['sync_position_bytes'] or 0) >= 2 * MIB)


def create(c):
	c.fresh()
	filled = c.fill('a')
	c.slow_node('n1', 'b')
	c.node('n2')
	c.ok(c.runs('n1'), '00r1_Create: a new array is resynced by its first node')
	seen = c.until('n2', lambda d: d['cluster']['peers'][0]['resyncing'])
	c.ok(seen and seen['sync_action'] == 'idle', '00r1_Create: the other one copies nothing, and sees where it is',
		c.detail('n2')['cluster'])
	c.agree({'in_sync': 'ab'}, '00r1_Create')
	c.same(c.detail('n2')['last_sync'], None, '00r1_Create: there was one resync')
	c.equal_after_stop('00r1_Create', filled)


def create_without_resync(c):
	c.fresh('--assume-clean', name='named')
	c.both()
	c.agree({'in_sync': 'ab'}, '00r1_Create --assume-clean')
	c.same([c.detail(n)['last_sync'] for n in NODES], [None, None], '00r1_Create --assume-clean: nothing is copied')
	c.same({c.detail(n)['superblock_name'].split(':')[-1] for n in NODES}, {'named'}, '00r1_Create --name: both know it')
	c.equal_after_stop('00r1_Create --assume-clean')


def bitmap_switch(c):
	what = '01r1_Grow_bitmap-switch'
	c.fresh('--assume-clean')
	c.both()
	for node in NODES:
		c.write(node, 7 * MIB, CHUNK, 0x77)
	c.refused(c.command('n1', 'grow', array_on('n1'), '--bitmap=none'), 1, ['n2', 'up'], f'{what}: not while the second node is up')
	c.stop_node('n2')
	as_node = [f'--cluster={c.engine}', '--nodes=4', '--cluster-name=lab']
	for kind in ('none', 'internal', 'none', 'clustered'):
		c.do('n1', 'grow', array_on('n1'), f'--bitmap={kind}', *(as_node if kind == 'clustered' else []))
		bitmap = c.detail('n1')['bitmap']
		c.same(bitmap and bitmap['kind'] or 'none', kind, f'{what}: the first one has a bitmap of kind {kind}')
	c.node('n2')
	c.ok(c.reads('n2', 7 * MIB, CHUNK, 0x77), f'{what}: the second node starts again, and reads what was written')
	c.agree({'in_sync': 'ab'}, what)
	c.equal_after_stop(what)


def manage_add(c):
	c.fresh('--assume-clean')
	c.both()
	spare = c.disk('c')
	c.manage('n1', '--fail', c.path_of('a'), '--remove', c.path_of('a'))
	c.write('n1', 3 * MIB, CHUNK, 0x11)
	c.write('n2', 23 * MIB, CHUNK, 0x22)
	c.manage('n1', '--add', spare)
	c.agree({'in_sync': 'bc'}, '02r1_Manage_add: fail, remove, add another disk')
	c.letters = ['b', 'c']
	c.equal_after_stop('02r1_Manage_add')


def manage_add_spare(c):
	c.fresh('--assume-clean')
	c.both()
	c.manage('n1', '--add', c.disk('c'))
	c.agree({'in_sync': 'ab', 'spare': 'c'}, '02r1_Manage_add: to a healthy array, a spare')
	c.manage('n2', '--add', c.disk('d'))
	c.agree({'in_sync': 'ab', 'spare': 'cd'}, '02r1_Manage_add-spare: beside one that is there')
	c.write('n1', 9 * MIB, CHUNK, 0x55)
	c.manage('n2', '--fail', c.path_of('b'))
	c.ok(c.until('n1', lambda d: d['degraded'] == 0), '02r1_Manage_add-spare: one of them takes the place of a failed member')
	states = c.states('n1')
	c.same(sorted(s for s, _ in states.values()), ['faulty', 'in_sync', 'in_sync', 'spare'], '02r1_Manage_add-spare: one is left')
	c.letters = [disk for disk, (s, _) in states.items() if s == 'in_sync']
	c.at_rest('n1')
	c.at_rest('n2')
	c.equal_after_stop('02r1_Manage_add-spare')


def manage_readd(c):
	c.fresh('--assume-clean')
	c.both()
	c.manage('n1', '--fail', c.path_of('b'), '--remove', c.path_of('b'))
	c.write('n1', 5 * MIB, CHUNK, 0x33)
	c.write('n2', 25 * MIB, CHUNK, 0x44)
	c.manage('n1', '--re-add', c.path_of('b'))
	c.agree({'in_sync': 'ab'}, '02r1_Manage_re-add')
	copied = [d['last_sync']['bytes_copied'] for d in map(c.detail, NODES) if d['last_sync']]
	c.same(copied, [2 * CHUNK], '02r1_Manage_re-add: what both wrote is copied, once')
	c.ok(c.reads('n2', 5 * MIB, CHUNK, 0x33) and c.reads('n1', 25 * MIB, CHUNK, 0x44),
		'02r1_Manage_re-add: each reads what the other wrote')
	c.equal_after_stop('02r1_Manage_re-add')


def switch_recovery(c):
	c.fresh('--assume-clean')
	spare = c.disk('c')
	c.slow_node('n1', 'c')
	c.node('n2')
	c.manage('n1', '--fail', c.path_of('b'), '--remove', c.path_of('b'))
	c.write('n2', 0, 24 * MIB)
	c.write('n2', 0, CHUNK, 0x66)
	c.manage('n1', '--add', spare)
	begun = c.until('n1', lambda d: d['sync_action'] == 'recover' or d['degraded'] == 0)
	c.same(begun and begun['sync_action'], 'recover', '03r1_switch-recovery: the recovery runs on the node that added the disk')
	c.ok(c.runs('n1'), '03r1_switch-recovery: it has begun')
	c.stop_node('n1')
	c.ok(c.until('n2', lambda d: d['degraded'] == 0 and d['sync_action'] == 'idle'),
		'03r1_switch-recovery: the array is stopped there, and the other node goes on to the end', c.states('n2'))
	c.letters = ['a', 'c']
	c.node('n1')
	c.agree({'in_sync': 'ac'}, '03r1_switch-recovery')
	c.equal_after_stop('03r1_switch-recovery', b'\x66' * CHUNK)


def switch_resync(c):
	c.fresh()
	filled = c.fill('a')
	c.slow_node('n1', 'b')
	c.node('n2')
	c.ok(c.runs('n1'), '03r1_switch-resync: the first resync runs on the first node')
	c.stop_node('n1')
	done = c.at_rest('n2')
	c.ok(done and done['last_sync'] and done['last_sync']['action'] == 'resync',
		'03r1_switch-resync: the array is stopped there, and the other node resyncs', done and done['last_sync'])
	c.node('n1')
	c.agree({'in_sync': 'ab'}, '03r1_switch-resync: the first one starts again')
	c.equal_after_stop('03r1_switch-resync', filled)


SCENARIOS = [create, create_without_resync, bitmap_switch, manage_add, manage_add_spare, manage_readd, switch_recovery,
	switch_resync]
