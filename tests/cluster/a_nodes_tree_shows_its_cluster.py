"""Goal:   below md/cluster/ of a node's tree stands what umd get says, and who polls it is woken when a node comes, dies or leaves.
Method: a node is served with --tree; every file of the folder is compared with umd get and its mode looked at; then another
	node joins, writes, is killed, comes back and stops, while peers, events and a file that nothing wakes are polled.
Law:    the tree's: POLLPRI|POLLERR since the last read of a value that was notified, and for nothing else.
Source: design, section 7: "visible in the tree (md/cluster/)"; docs/attributes.md, cluster/.
"""
import os
import stat

from clusterscene import ARRAY, MIB, Cluster
from treescene import Poller, TreeScene, error_of, read, store

FILES = ['cluster_name', 'engine', 'events', 'last_event', 'node', 'node_slot', 'nodes', 'peers', 'quorum', 'state', 'suspended',
	'waits_for']
SOON_S = 30


class Stage(Cluster, TreeScene):
	pass


def until_it_reads(poller, words):
	"""What it reads when it has all of @words, woken each time."""
	text = poller.read()
	while not all(w in text for w in words) and poller.woken(SOON_S):
		text = poller.read()
	return text


with Stage(nodes=3) as c:
	c.node('n1')
	process, place = c.mount(f'{ARRAY}@n1')		# where that cannot be, all is skipped
	c.end_tree(process)
	c.stop_node('n1')

	c.node('n1', '--tree')
	folder = os.path.join(c.env['UMD_RUNTIME_DIR'], f'{ARRAY}@n1', 'md/cluster')
	c.same(sorted(os.listdir(folder)), FILES, 'a node has a folder cluster/')
	c.same({f: read(os.path.join(folder, f)) for f in FILES},
		{f: c.must('get', f'{ARRAY}@n1', f'cluster/{f}').stdout for f in FILES}, 'each file reads as umd get says')
	c.same([oct(stat.S_IMODE(os.stat(os.path.join(folder, f)).st_mode)) for f in FILES], ['0o444'] * len(FILES), 'none is to be written')
	c.ok(os.getuid() == 0 or error_of(store, os.path.join(folder, 'state'), 'up') == 'EACCES', 'and who tries is refused')

	peers, events, quiet = [Poller(os.path.join(folder, f)) for f in ('peers', 'events', 'node_slot')]
	quiet.read()
	uri = c.node('n2')
	c.ok('1 up n2' in until_it_reads(peers, ['1 up n2']), 'a node joins: peers wakes')
	c.ok('n2 joins' in until_it_reads(events, ['n2 joins']), 'and events')
	client = c.connect(uri)
	client.pwrite(b'x' * MIB, 0)
	c.kill_node('n2')
	c.ok('1 none' in until_it_reads(peers, ['1 none']), 'it is killed, and its slot taken over: peers wakes until it is nobody\'s')
	c.ok('is taken over' in until_it_reads(events, ['is taken over']), 'events tells of it')
	c.node('n2')
	until_it_reads(peers, ['1 up n2'])
	c.stop_node('n2')
	c.ok('1 none' in until_it_reads(peers, ['1 none']), 'it comes back and stops: peers wakes')
	c.same(quiet.woken(0), 0, 'a file that is never notified woke nobody')
	for poller in peers, events, quiet:
		poller.close()

	c.must('create', '--assume-clean', '--name=alone', c.image('x.img'), c.image('y.img'))
	c.serve('alone', '--tree', c.path('x.img'), c.path('y.img'))
	c.ok(not os.path.exists(os.path.join(c.env['UMD_RUNTIME_DIR'], 'alone/md/cluster')), 'an array of no cluster has no such folder')
	c.stop('alone')
	c.stop_all()
	c.same(c.mounts_left(), [], 'nothing stays mounted')
