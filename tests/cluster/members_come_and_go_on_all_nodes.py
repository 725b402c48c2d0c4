"""Goal:   a member that fails on one node is written by no node any more; what is added, removed or re-added on one node is so on
	all, and a recovery copies what any node wrote.
Method: two nodes write; a member is failed on one, both write what it misses, it is removed and comes back (re-add) on the
	other; then a new disk takes its place, a spare comes and goes, also for a node that joins with it, and a disk that the other node cannot open is refused.
Law:    C6 (once a failure is acknowledged by all nobody writes there), I2, I4; the data-loss bug of md-cluster's re-add.
Source: the cluster specification, sections 7 and 8 (1, 2, 21).
"""
import os
import subprocess

from clusterscene import ARRAY, MIB, Cluster

CHUNK = 65536


def states(c, node):
	return sorted((os.path.basename(m['path']), m['state']) for m in c.detail(node)['members'])


with Cluster(nodes=4) as c:
	a, b = c.members
	one, two = c.node('n1'), c.node('n2')
	first, second = c.connect(one), c.connect(two)
	first.pwrite(b'\x11' * CHUNK, 0)
	second.pwrite(b'\x22' * CHUNK, 16 * MIB)
	c.at_rest('n1')

	c.must('manage', f'{ARRAY}@n1', '--fail', b)
	c.same(states(c, 'n2'), [('a.img', 'in_sync'), ('b.img', 'faulty')], 'what one node fails is failed on the other when the command is done')
	first.pwrite(b'\x33' * (2 * CHUNK), 2 * MIB)
	second.pwrite(b'\x44' * (3 * CHUNK), 20 * MIB)
	c.must('manage', f'{ARRAY}@n1', '--remove', b)
	c.same(states(c, 'n2'), [('a.img', 'in_sync')], 'what one removes has left on the other')
	run = c.umd('manage', f'{ARRAY}@n2', '--re-add', b)
	c.ok(run.returncode == 0, 'the other node takes it back, by the bitmap', run.stderr)
	done = c.at_rest('n2')
	c.ok(done and c.at_rest('n1'), 'both come to rest')
	c.same([states(c, n) for n in ('n1', 'n2')], [[('a.img', 'in_sync'), ('b.img', 'in_sync')]] * 2, 'it is in sync on both')
	copied = max((c.detail(n)['last_sync'] or {}).get('bytes_copied', 0) for n in ('n1', 'n2'))
	c.same(copied, 7 * CHUNK, 'what either node wrote meanwhile, or just before, was copied, and nothing else')
	c.ok(c.are_equal(), 'the members are equal')

	new = c.image('c.img')
	c.must('manage', f'{ARRAY}@n2', '--add', new)
	c.same([states(c, n)[-1] for n in ('n1', 'n2')], [('c.img', 'spare')] * 2, 'a disk that is added is a spare on both')
	c.ok(all(n == 0 for n in c.slots_of(new)) and len(c.slots_of(new)) == 4, 'with an empty bitmap for every node', c.slots_of(new))
	c.must('manage', f'{ARRAY}@n1', '--fail', a)
	first.pwrite(b'\x55' * CHUNK, 5 * MIB)
	second.pwrite(b'\x66' * CHUNK, 25 * MIB)
	c.ok(c.until('n1', lambda d: ('c.img', 'in_sync') in states(c, 'n1')), 'it takes the place of one that fails', states(c, 'n1'))
	c.ok(c.until('n2', lambda d: ('c.img', 'in_sync') in states(c, 'n2')), 'on both', states(c, 'n2'))
	c.must('manage', f'{ARRAY}@n2', '--remove', a)
	c.members = [b, new]
	c.at_rest('n1')
	c.at_rest('n2')
	c.ok(c.are_equal(), 'the members are equal')

	run = c.umd('manage', f'{ARRAY}@n1', '--add', a)
	c.ok(run.returncode == 0, 'the first one comes back as a spare', run.stderr)
	c.members = [b, new, a]
	c.node('late')
	c.same(states(c, 'late'), states(c, 'n1'), 'a node that joins with it has it as a spare')
	c.stop_node('late')
	c.must('manage', f'{ARRAY}@n1', '--remove', a)
	c.same([len(states(c, n)) for n in ('n1', 'n2')], [2, 2], 'it leaves again')
	c.node('late')
	c.ok(c.until('late', lambda d: len(d['members']) == 2), 'a node that joins with it, a spare by its superblock, lets it go', states(c, 'late'))
	c.stop_node('late')
	c.members = [b, new]

	# A node for which one folder is another one: it runs in a mount namespace of its own.
	os.mkdir(c.path('hidden'))
	unseen = c.image('hidden/d.img')
	blind = subprocess.run(['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none "$0" && exec "$@"', c.path('hidden'), c.tool, 'serve',
		'--background', '--cluster=local', '--node=blind', *c.members], env=c.env, capture_output=True, text=True)
	if blind.returncode:
		c.skip('a disk that one node cannot open is refused on all', f'no mount namespace: {blind.stderr.strip()[:80]}')
	else:
		c.servers.append(f'{ARRAY}@blind')
		run = c.umd('manage', f'{ARRAY}@n1', '--add', unseen)
		c.refused(run, 1, ['d.img', 'blind'], 'a disk that one node cannot open is refused, and that node named')
		c.same([len(states(c, n)) for n in ('n1', 'n2', 'blind')], [2, 2, 2], 'nobody has it')
		c.refused(c.umd('examine', unseen), 1, ['no md superblock'], 'and nothing on it says that it was to join')
		c.stop_node('blind')
		run = c.umd('manage', f'{ARRAY}@n1', '--add', unseen)
		c.ok(run.returncode == 0, 'when all that are up can open it, it joins', run.stderr)
		c.same([len(states(c, n)) for n in ('n1', 'n2')], [3, 3], 'everywhere')
	first.shutdown()
	second.shutdown()
	c.stop_all()
	c.ok(c.are_equal(), 'all stop, the members are equal')
