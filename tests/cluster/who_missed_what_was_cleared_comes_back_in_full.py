"""Goal:   a member that left before any node cleared bits does not come back by the bitmap, also when that node is gone, and the
	only member left has been away itself since.
Method: of three members one leaves, a disk takes its place, and a node writes, clears its bits and leaves; another member goes
	and comes back by the bitmap, and then is the only one that the next start has. The first one is asked to come back.
Law:    I2 (members in sync are equal), I4.
Source: the cluster specification, section 8 (2, 21).
"""
from clusterscene import ARRAY, MIB, Cluster

CHUNK = 65536


def is_whole(c):
	return c.until('n1', lambda d: d['degraded'] == 0 and d['sync_action'] == 'idle')


with Cluster(nodes=4, members=3) as c:
	a, b, x = c.members
	new = c.image('new.img')
	manage = lambda *words: c.must('manage', f'{ARRAY}@n1', *words)
	c.node('n1')
	two = c.node('n2')
	manage('--fail', b)
	manage('--remove', b)
	manage('--add', new)
	c.ok(is_whole(c), 'a member has left, another one is in its place')
	second = c.connect(two)
	second.pwrite(b'\x22' * CHUNK, 8 * MIB)
	c.ok(c.until('n2', lambda d: d['bitmap']['set_chunks'] == 0), 'the second node writes, and clears its bit')
	second.shutdown()
	c.stop_node('n2')
	c.ok(c.until('n1', lambda d: d['cluster']['peers'][1]['state'] == 'none'), 'it leaves')
	manage('--fail', x)
	manage('--remove', x)
	manage('--re-add', x)
	c.ok(is_whole(c), 'a third one goes, and comes back by the bitmap')
	for member in (a, new):
		manage('--fail', member)
		manage('--remove', member)
	c.stop_all()
	c.members = [x]
	c.node('n1')
	run = c.umd('manage', f'{ARRAY}@n1', '--re-add', b)
	c.refused(run, 1, ['b.img', 'cleared'], 'the first one does not come back by the bitmap')
	if run.returncode:
		manage('--add', b)
	c.ok(c.until('n1', lambda d: len(d['members']) == 2 and d['sync_action'] == 'idle'), 'it is a member again')
	c.stop_all()
	c.ok(c.data_of(b) == c.data_of(x), 'and has all that it missed')
