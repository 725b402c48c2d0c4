"""Goal:   what makes no node is refused in one sentence, and not a byte of a member changes.
Method: wrong options, an array that is not clustered, one more node than slots, members in use by somebody alone; then the
	engine's log is taken away under a running node.
Law:    C4, C5, I7.
Source: the cluster specification, sections 2 and 8.
"""
import os
import shutil

from clusterscene import ARRAY, Cluster

with Cluster(nodes=2) as c:
	before = c.sums(*c.members)
	c.refused(c.umd('serve', '--cluster=magic', *c.members), 1, ['local', 'dlm', 'magic'], 'an engine that nobody knows')
	c.refused(c.umd('serve', '--cluster=local', '--readonly', *c.members), 1, ['read-only', 'not supported'], 'a read-only node')
	c.refused(c.umd('serve', '--cluster=local', '--node=a@b', *c.members), 1, ['a@b', 'name'], 'a name that no node can have')
	c.refused(c.umd('serve', *c.members), 1, ['clustered', '--cluster=local'], 'no engine at all')
	c.refused(c.umd('serve', '--cluster=dlm', *c.members), 1, ['nothing was written'], 'an engine that is not there')
	x, y = c.image('x.img'), c.image('y.img')
	c.must('create', '--name=alone', x, y)
	c.refused(c.umd('serve', '--cluster=local', x, y), 1, ['clustered'], 'an array that is none of a cluster\'s')
	c.refused(c.umd('serve', '--node=n1', x, y), 1, ['--node'], 'a node\'s name without a cluster')
	for option in '--cluster=local', '--node=n1', '--fail-without-quorum', '--direct':
		c.refused(c.umd('serve', '--inactive', '--name=empty', option), 1, ['no other option'], f'{option} of an array that is set up')
	c.same(c.sums(*c.members), before, 'no member has changed')

	c.node('n1')
	c.refused(c.umd('serve', '--cluster=local', '--node=n1', *c.members), 1, [f'{ARRAY}@n1'], 'the same node twice')
	c.refused(c.umd('serve', *c.members), 1, ['clustered'], 'alone, while a node runs')
	c.node('n2')
	run = c.umd('serve', '--cluster=local', '--node=n3', *c.members)
	c.refused(run, 1, ['2 nodes', 'slots'], 'one more node than there are slots')
	c.same([p['state'] for p in c.cluster('n1')['peers']], ['us', 'up'], 'the others do not mind')
	c.stop_node('n2')
	c.node('n4')
	c.same(c.slot('n4'), 1, 'a slot that was let go is given out again')
	c.stop_all()

	keeper, uri = c.serve_in_foreground('--cluster=local', '--node=n1', *c.members)
	client = c.connect(uri)
	client.pwrite(b'x' * 4096, 0)
	shutil.rmtree(os.path.join(c.env['UMD_RUNTIME_DIR'], 'cluster'))
	stderr = keeper.communicate(timeout=60)[1]
	lines = [line for line in stderr.splitlines() if 'nbdkit 1.' not in line]
	c.ok(keeper.returncode == 1 and len(lines) == 1 and 'log' in lines[0], 'a node whose engine is gone ends with a sentence',
		keeper.returncode, stderr)
	c.ok(c.umd('detail', f'{ARRAY}@n1').returncode == 1, 'nothing is left of its name')
	c.node('n1')
	c.ok(c.at_rest('n1'), 'a new start is the way back')
