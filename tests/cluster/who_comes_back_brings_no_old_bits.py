"""Goal:   a member that comes back by the bitmap has no bits of its former life in slots of nodes that are away: nothing is copied
	twice for them.
Method: a node writes and the first member fails, so that its bits stay there; the node is killed, another one takes its slot
	over, and brings the member back. When all is at rest no slot has a bit on either member, and the next start copies
	nothing.
Law:    I8 (a resync copies exactly the set chunks; an idle healthy array has no bit set).
Source: the cluster specification, section 8 (21); design, section 4.
"""
from clusterscene import ARRAY, MIB, Cluster

CHUNK = 65536

with Cluster(nodes=4) as c:
	a, b = c.members
	one, two = c.node('n1'), c.node('n2')
	second = c.connect(two)
	for i in range(3):
		second.pwrite(b'\x22' * CHUNK, i * 4 * MIB)
	c.must('manage', f'{ARRAY}@n1', '--fail', a)
	c.ok(c.slots_of(a)[1] > 0, 'a member fails that has bits of the second node', c.slots_of(a))
	c.kill_node('n2')
	c.ok(c.until('n1', lambda d: d['cluster']['peers'][1]['state'] == 'none'), 'that node dies, and its slot is taken over')
	c.must('manage', f'{ARRAY}@n1', '--remove', a)
	run = c.umd('manage', f'{ARRAY}@n1', '--re-add', a)
	c.ok(run.returncode == 0 and c.at_rest('n1'), 'the member comes back', run.stderr)
	c.ok(c.until('n1', lambda d: d['bitmap']['set_chunks'] == 0), 'and no chunk is set any more')
	c.same([c.slots_of(m) for m in (a, b)], [[0] * 4] * 2, 'in no slot, on either member')
	c.stop_all()
	c.node('n1')
	c.at_rest('n1')
	c.same(c.detail('n1')['last_sync'], None, 'the next start copies nothing')
	c.stop_all()
