"""Goal:   where members differ, a node that joins reads from the member that all others read from: no sector has two contents.
Method: on one node the first member fails and comes back, so that the other one decides from then on; then a sector is changed
	behind the array's back on each member, another node joins, and both read it.
Law:    I6 (a sector read once reads the same until it is written, on whatever node).
Source: design, section 4; the brain's door (CLU_ASK_PINS).
"""
from clusterscene import ARRAY, MIB, Cluster

SECTOR = 4096


def change(c, member, at, byte):
	superblock = c.json('examine', '--json', member)['members'][0]['superblock']
	with open(member, 'r+b') as f:
		f.seek(superblock['data_offset_bytes'] + at)
		f.write(byte * SECTOR)


with Cluster(nodes=4) as c:
	a, b = c.members
	one = c.node('n1')
	c.must('manage', f'{ARRAY}@n1', '--fail', a)
	c.must('manage', f'{ARRAY}@n1', '--remove', a)
	c.must('manage', f'{ARRAY}@n1', '--re-add', a)
	c.ok(c.at_rest('n1') and c.detail('n1')['degraded'] == 0, 'the first member has come back')
	change(c, a, 8 * MIB, b'A')
	change(c, b, 8 * MIB, b'B')
	two = c.node('n2')
	first, second = c.connect(one), c.connect(two)
	seen = [bytes(h.pread(SECTOR, 8 * MIB))[:1] for h in (first, second)]
	c.same(seen[0], b'B', 'the one that did not fail decides')
	c.same(seen[1], seen[0], 'and it does so for a node that joins later')
	first.shutdown()
	second.shutdown()
	c.stop_all()
