"""Goal:   a node that is killed leaves its slot's bits to the others: one of them copies those chunks, and no others.
Method: two nodes write; one is killed with SIGKILL while it writes; what a member lacks is made by hand behind its back,
	inside of what the dead node's bits cover; the survivor must copy that, and as much as there were bits. Then both are
	killed, and the first one up finds both slots.
Law:    C1, C2 (merged durably before it is cleared), I2.
Source: the cluster specification, sections 5 and 8.
"""
import os

from clusterscene import MIB, Cluster

CHUNK = 65536


def spoil(c, member, offset, size):
	"""Another content on one member, as a cut in the middle of a write leaves it."""
	superblock = c.json('examine', '--json', member)['members'][0]['superblock']
	with open(member, 'r+b') as f:
		f.seek(superblock['data_offset_bytes'] + offset)
		f.write(os.urandom(size))


with Cluster(nodes=4) as c:
	one, two = c.node('n1'), c.node('n2')
	first, second = c.connect(one), c.connect(two)
	second.pwrite(b'\xaa' * (8 * CHUNK), 4 * MIB)
	second.pwrite(b'\xbb' * CHUNK, 0)
	first.pwrite(b'\xcc' * CHUNK, 16 * MIB)
	spoiled = c.members[1]
	spoil(c, spoiled, 4 * MIB + 4096, 8192)
	bits = c.slots_of(c.members[0])
	c.same(bits[:2], [1, 9], 'each slot has its node\'s chunks')

	c.kill_node('n2')
	c.until('n1', lambda d: d['cluster']['taken']['slots'] == 1)
	done = c.at_rest('n1')
	c.ok(done, 'the other node comes to rest again', c.cluster('n1'))
	sync = (done or c.detail('n1'))['last_sync'] or {}
	c.same((sync.get('action'), sync.get('bytes_copied')), ('resync', 9 * CHUNK), 'it has copied the dead node\'s chunks, chunk 0 too')
	c.same(c.cluster('n1')['taken'], {'slots': 1, 'chunks': 9}, 'and says whose they were')
	c.same(c.slots_of(c.members[0])[1], 0, 'nothing is left in the dead node\'s slot')
	c.ok(bytes(first.pread(8 * CHUNK, 4 * MIB)) == b'\xaa' * (8 * CHUNK), 'what the dead node was told is written can be read')

	two = c.node('n2')
	c.same(c.slot('n2'), 1, 'it comes back, and its slot is free')
	second = c.connect(two)
	second.pwrite(b'\xdd' * CHUNK, 8 * MIB)
	first.pwrite(b'\xee' * (2 * CHUNK), 12 * MIB)
	before = c.slots_of(c.members[0])
	c.kill_node('n1')
	c.kill_node('n2')
	spoil(c, spoiled, 8 * MIB, 512)
	spoil(c, spoiled, 12 * MIB + CHUNK, 512)
	c.node('n3')
	done = c.at_rest('n3')
	c.ok(done, 'both are killed; the first one that starts comes to rest', c.cluster('n3'))
	c.same(c.slot('n3'), 0, 'in the lowest slot')
	c.ok(c.until('n3', lambda d: sum(c.slots_of(c.members[0])[1:]) == 0), 'the other slot is empty', c.slots_of(c.members[0]))
	c.stop_all()
	c.ok(c.are_equal(), 'the members are equal', before)
