"""Goal:   two nodes serve one array at the same time; what one writes the other reads, and the members are equal.
Method: two servers with the local engine on two image files; each writes its own areas over NBD, and reads the other's;
	a third one joins and leaves meanwhile; all stop in order.
Law:    C4 (one slot, one live node), I2 (equal when all is done), I3 (each in its own slot).
Source: the cluster specification, sections 1 and 5.
"""
from clusterscene import MIB, Cluster


def pattern(seed, size=256 * 1024):
	return bytes((i * 7 + seed) % 251 for i in range(size))


with Cluster(nodes=4) as c:
	one, two = c.node('n1'), c.node('n2')
	c.same([c.slot('n1'), c.slot('n2')], [0, 1], 'each node has a slot of its own, the lowest that is free')
	d = c.cluster('n1')
	c.same((d['engine'], d['cluster_name'], d['node'], d['state'], d['nodes'], d['quorum']),
		('local', 'lab', 'n1', 'up', 4, True), 'detail says what the node is')
	c.same([(p['state'], p['node']) for p in d['peers'][:2]], [('us', 'n1'), ('up', 'n2')], 'and who else is there')

	c.ok(f'  clients   {one}\n' in c.must('detail', 'shared@n1').stdout, 'clients find it by the same URI', one)
	first, second = c.connect(one), c.connect(two)
	for i in range(8):
		first.pwrite(pattern(i), (2 * i) * MIB)
		second.pwrite(pattern(100 + i), (2 * i + 1) * MIB)
	first.flush()
	second.flush()
	seen = [bytes(second.pread(256 * 1024, 2 * i * MIB)) == pattern(i) for i in range(8)]
	seen += [bytes(first.pread(256 * 1024, (2 * i + 1) * MIB)) == pattern(100 + i) for i in range(8)]
	c.ok(all(seen), 'what one node wrote the other reads at once', seen)
	set_by = c.slots_of(c.members[0])
	c.ok(set_by[0] and set_by[1] and not any(set_by[2:]), 'each recorded its writes in its own slot, on every member', set_by)
	c.same(set_by, c.slots_of(c.members[1]), 'which are the same everywhere')

	c.node('n3')
	c.same(c.slot('n3'), 2, 'a third node joins while they work')
	c.ok(c.until('n1', lambda d: d['cluster']['peers'][2]['state'] == 'up'), 'and is known')
	c.stop_node('n3')
	c.ok(c.until('n1', lambda d: d['cluster']['peers'][2]['state'] == 'none'), 'it leaves, and that is known as well',
		c.cluster('n1'))
	first.pwrite(pattern(200), 20 * MIB, 1)
	c.ok(bytes(second.pread(256 * 1024, 20 * MIB)) == pattern(200), 'the others go on')

	first.shutdown()
	second.shutdown()
	c.stop_all()
	c.ok(c.are_equal(), 'after all have stopped the members are equal')
	c.same(c.slots_of(c.members[0]), [0, 0, 0, 0], 'and no slot has a bit')
	said = [c.must(*words, *c.members).stdout for words in (['examine'], ['map'], ['why', '--at=0'])]
	c.ok(not any('not stopped cleanly' in text for text in said), 'nobody calls that an unclean stop', *said)
	c.ok('slots tell what is in doubt' in said[0], 'though a cluster\'s array stays active', said[0])
	uri = c.node('n1')
	c.at_rest('n1')
	c.same(c.detail('n1')['last_sync'], None, 'the next start copies nothing')
