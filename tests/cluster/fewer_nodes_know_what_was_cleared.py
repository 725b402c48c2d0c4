"""Goal:   when slots go (fewer nodes), what their nodes had cleared is not forgotten: who missed it does not come back by the bitmap.
Method: a member leaves, a disk takes its place, the third node writes, clears its bit and leaves; the array gets two slots off
	line. The member is asked to come back.
Law:    I2 (members in sync are equal).
Source: the cluster specification, section 8 (2).
"""
from clusterscene import ARRAY, MIB, Cluster

CHUNK = 65536

with Cluster(nodes=4) as c:
	a, b = c.members
	new = c.image('new.img')
	c.node('n1')
	c.node('n2')
	three = c.node('n3')
	for words in (['--fail', b], ['--remove', b], ['--add', new]):
		c.must('manage', f'{ARRAY}@n1', *words)
	c.ok(c.until('n3', lambda d: d['degraded'] == 0 and d['sync_action'] == 'idle'), 'a member has left, another one is in its place')
	client = c.connect(three)
	client.pwrite(b'\x33' * CHUNK, 8 * MIB)
	c.ok(c.until('n3', lambda d: d['bitmap']['set_chunks'] == 0), 'the third node writes, and clears its bit')
	client.shutdown()
	c.stop_all()
	c.members = [a, new]
	run = c.umd('grow', '--nodes=2', *c.members)
	c.ok(run.returncode == 0, 'off line two slots are enough', run.stderr)
	c.node('n1')
	for word in ('--fail', '--remove'):
		c.must('manage', f'{ARRAY}@n1', word, new)
	c.refused(c.umd('manage', f'{ARRAY}@n1', '--re-add', b), 1, ['b.img', 'cleared'], 'the member does not come back by the bitmap')
	c.stop_all()
