"""Goal:   what mdadm's clustermd_tests ask of two nodes of a cluster, two nodes of umd do.
Method: scenario by scenario, in mdadm's order and by its names; where a resync or recovery must be met in the middle, writes to one
	member take longer (SLOW_DISK). After each, what both nodes say of the members is the same, and the members are equal: mdadm's
	tests look at states alone. What umd does not do yet is in not-yet.txt, and is refused in the words that stand there.
Law:    C1, C3, I2, I8.
Source: the cluster specification, section 9.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, '..', 'cli'))

from clusterscene import ARRAY, MIB, Cluster

CHUNK = 65536
COMMAND_ERRORS = (1, 2)


class Stage(Cluster):
	"""Two nodes; each scenario begins with an array of its own."""

	def fresh(self, *options, size=32 * MIB, name=ARRAY):
		self.stop_all()
		self.members = [self.image(n, size) for n in ('a.img', 'b.img')]
		self.must('create', '--bitmap=clustered', '--nodes=4', '--cluster-name=lab', f'--name={name}',
			f'--bitmap-chunk={CHUNK}', '--force', *options, *self.members)

	def fill(self, member):
		"""Data that is no zeroes: these would be copied as a hole, at once."""
		at = self.json('examine', '--json', member)['members'][0]['superblock']['data_offset_bytes']
		with open(member, 'r+b') as f:
			f.seek(at)
			f.write(os.urandom(24 * MIB))

	def node(self, name, *more):
		return super().node(name, f'--name={ARRAY}', *more)

	def both(self):
		return [self.connect(self.node(n)) for n in ('n1', 'n2')]

	def slow_node(self, name, member):
		"""A tenth of a second for each write of this node to one member."""
		plain = self.env
		self.env = {**plain, 'LD_PRELOAD': ' '.join([plain.get('LD_PRELOAD', ''), os.environ['SLOW_DISK']]).strip(),
			'SLOW_MEMBER': member, 'SLOW_MS': '100'}
		uri = self.node(name)
		self.env = plain
		return uri

	def manage(self, node, *words):
		self.must('manage', f'{ARRAY}@{node}', *words)

	def states(self, node):
		"""{member: (state, slot)}"""
		return {os.path.basename(m['path']): (m['state'], m['slot']) for m in self.detail(node)['members']}

	def agree(self, wanted, text):
		"""Both nodes come to rest and say the same of the members: @wanted, by state."""
		done = self.at_rest('n1') and self.at_rest('n2')
		said = [self.states('n1'), self.states('n2')]
		found = {}
		for name, (state, _) in sorted(said[0].items()):
			found.setdefault(state, []).append(name)
		self.ok(done and said[0] == said[1] and found == wanted, f'{text}: both nodes say the same', said, wanted)

	def equal_after_stop(self, text, *members):
		self.stop_all()
		self.members = list(members) or self.members
		self.ok(self.are_equal(), f'{text}: the members are equal')

	def runs(self, node):
		"""In the middle of a sync of this node."""
		return self.until(node, lambda d: d['sync_action'] != 'idle' and (d['sync_position_bytes'] or 0) >= 2 * MIB)


def create(c):
	c.fresh()
	c.fill(c.members[0])
	c.slow_node('n1', c.members[1])
	c.node('n2')
	c.ok(c.runs('n1'), '00r1_Create: a new array is resynced by its first node')
	seen = c.until('n2', lambda d: d['cluster']['peers'][0]['resyncing'])
	c.ok(seen and seen['sync_action'] == 'idle', '00r1_Create: the other one copies nothing, and sees where it is',
		c.cluster('n2'))
	c.agree({'in_sync': ['a.img', 'b.img']}, '00r1_Create')
	c.same(c.detail('n2')['last_sync'], None, '00r1_Create: there was one resync')
	c.equal_after_stop('00r1_Create')

	c.fresh('--assume-clean', name='named')
	c.both()
	c.agree({'in_sync': ['a.img', 'b.img']}, '00r1_Create --assume-clean')
	c.same([c.detail(n)['last_sync'] for n in ('n1', 'n2')], [None, None], '00r1_Create --assume-clean: nothing is copied')
	c.same({c.detail(n)['superblock_name'].split(':')[-1] for n in ('n1', 'n2')}, {'named'}, '00r1_Create --name: both know it')


def bitmap_switch(c):
	what = '01r1_Grow_bitmap-switch'
	c.fresh('--assume-clean')
	for client in c.both():
		client.pwrite(b'\x77' * CHUNK, 7 * MIB)
		client.shutdown()
	array = f'{ARRAY}@n1'
	c.refused(c.umd('grow', array, '--bitmap=none'), 1, ['n2', 'up'], f'{what}: not while the second node is up')
	c.stop_node('n2')
	as_node = ['--cluster=local', '--nodes=4', '--cluster-name=lab']
	for kind in ('none', 'internal', 'none', 'clustered'):
		c.must('grow', array, f'--bitmap={kind}', *(as_node if kind == 'clustered' else []))
		bitmap = c.detail('n1')['bitmap']
		c.same(bitmap and bitmap['kind'] or 'none', kind, f'{what}: the first one has a bitmap of kind {kind}')
	second = c.connect(c.node('n2'))
	c.ok(bytes(second.pread(CHUNK, 7 * MIB)) == b'\x77' * CHUNK, f'{what}: the second node starts again, and reads what was written')
	second.shutdown()
	c.agree({'in_sync': ['a.img', 'b.img']}, what)
	c.equal_after_stop(what)


def manage_add(c):
	c.fresh('--assume-clean')
	first, second = c.both()
	spare = c.image('c.img')
	c.manage('n1', '--fail', c.members[0], '--remove', c.members[0])
	first.pwrite(b'\x11' * CHUNK, 3 * MIB)
	second.pwrite(b'\x22' * CHUNK, 23 * MIB)
	c.manage('n1', '--add', spare)
	c.agree({'in_sync': ['b.img', 'c.img']}, '02r1_Manage_add: fail, remove, add another disk')
	c.equal_after_stop('02r1_Manage_add', c.members[1], spare)

	c.fresh('--assume-clean')
	c.both()
	spare = c.image('c.img')
	c.manage('n1', '--add', spare)
	c.agree({'in_sync': ['a.img', 'b.img'], 'spare': ['c.img']}, '02r1_Manage_add: to a healthy array, a spare')
	other = c.image('d.img')
	c.manage('n2', '--add', other)
	c.agree({'in_sync': ['a.img', 'b.img'], 'spare': ['c.img', 'd.img']}, '02r1_Manage_add-spare: beside one that is there')
	c.manage('n2', '--fail', c.members[1])
	c.ok(c.until('n1', lambda d: d['degraded'] == 0), '02r1_Manage_add-spare: one of them takes the place of a failed member')
	states = c.states('n1')
	c.same(sorted(s for s, _ in states.values()), ['faulty', 'in_sync', 'in_sync', 'spare'], '02r1_Manage_add-spare: one is left')
	joined = [c.path(m) for m, (s, _) in states.items() if s == 'in_sync']
	c.at_rest('n1')
	c.at_rest('n2')
	c.equal_after_stop('02r1_Manage_add-spare', *joined)


def manage_readd(c):
	c.fresh('--assume-clean')
	first, second = c.both()
	c.manage('n1', '--fail', c.members[1], '--remove', c.members[1])
	first.pwrite(b'\x33' * CHUNK, 5 * MIB)
	second.pwrite(b'\x44' * CHUNK, 25 * MIB)
	c.manage('n1', '--re-add', c.members[1])
	c.agree({'in_sync': ['a.img', 'b.img']}, '02r1_Manage_re-add')
	copied = [d['last_sync']['bytes_copied'] for d in map(c.detail, ('n1', 'n2')) if d['last_sync']]
	c.same(copied, [2 * CHUNK], '02r1_Manage_re-add: what both wrote is copied, once')
	c.equal_after_stop('02r1_Manage_re-add')


def switch_recovery(c):
	c.fresh('--assume-clean')
	spare = c.image('c.img')
	c.slow_node('n1', spare)
	uri = c.node('n2')
	c.manage('n1', '--fail', c.members[1], '--remove', c.members[1])
	c.connect(uri).pwrite(os.urandom(24 * MIB), 0)
	c.manage('n1', '--add', spare)
	on = 'n1' if c.until('n1', lambda d: d['sync_action'] == 'recover' or d['degraded'] == 0)['sync_action'] == 'recover' else 'n2'
	c.same(on, 'n1', '03r1_switch-recovery: the recovery runs on the node that added the disk')
	c.ok(c.runs('n1'), '03r1_switch-recovery: it has begun')
	c.stop_node('n1')
	c.ok(c.until('n2', lambda d: d['degraded'] == 0 and d['sync_action'] == 'idle'),
		'03r1_switch-recovery: the array is stopped there, and the other node goes on to the end', c.states('n2'))
	c.members[1] = spare
	c.node('n1')
	c.agree({'in_sync': ['a.img', 'c.img']}, '03r1_switch-recovery')
	c.equal_after_stop('03r1_switch-recovery')


def switch_resync(c):
	c.fresh()
	c.fill(c.members[0])
	c.slow_node('n1', c.members[1])
	c.node('n2')
	c.ok(c.runs('n1'), '03r1_switch-resync: the first resync runs on the first node')
	c.stop_node('n1')
	done = c.at_rest('n2')
	c.ok(done and done['last_sync'] and done['last_sync']['action'] == 'resync',
		'03r1_switch-resync: the array is stopped there, and the other node resyncs', done and done['last_sync'])
	c.node('n1')
	c.agree({'in_sync': ['a.img', 'b.img']}, '03r1_switch-resync: the first one starts again')
	c.equal_after_stop('03r1_switch-resync')


def not_yet(c):
	c.fresh('--assume-clean')
	c.both()
	disks = {'DISK': c.image('e.img'), 'DISK2': c.image('f.img'), 'ARRAY': f'{ARRAY}@n1'}
	with open(os.path.join(HERE, 'not-yet.txt'), encoding='utf-8') as f:
		lines = [l.strip() for l in f if l.strip() and not l.startswith('#')]
	for line in lines:
		scenario, _, rest = line.partition(': ')
		command, _, words = rest.partition(' => ')
		run = c.umd(*[disks.get(w, w) for w in command.split()])
		said = run.stderr.splitlines()
		c.ok(run.returncode in COMMAND_ERRORS and len(said) == 1 and words and words in said[0],
			f'{scenario}: not yet: {words}', f'exit status {run.returncode}', run.stderr, run.stdout)
	c.agree({'in_sync': ['a.img', 'b.img']}, 'after all that was refused')
	c.equal_after_stop('after all that was refused')


SCENARIOS = [create, bitmap_switch, manage_add, manage_readd, switch_recovery, switch_resync, not_yet]

with Stage() as c:
	for scenario in SCENARIOS:
		if len(sys.argv) < 2 or scenario.__name__ in sys.argv[1:]:
			scenario(c)
