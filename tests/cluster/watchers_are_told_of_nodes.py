"""Goal:   whoever watches a node is told that others come, leave, die and are taken over; detail, tree and monitor agree.
Method: umd monitor on one node, while others join, leave and are killed; its lines, the attributes below cluster/ and detail
	are compared.
Law:    nothing is told of what did not happen; no event is lost between two looks.
Source: issue of clusters, 5.
"""
import subprocess
import threading

from clusterscene import ARRAY, MIB, Cluster


class Monitor:
	def __init__(self, c, node):
		self.lines = []
		self.process = subprocess.Popen([c.tool, 'monitor', f'{ARRAY}@{node}', 'cluster/events'], env=c.env, text=True,
			stdout=subprocess.PIPE, stderr=subprocess.PIPE)
		self.reader = threading.Thread(target=lambda: self.lines.extend(line.rstrip() for line in self.process.stdout))
		self.reader.start()

	def finish(self):
		self.process.wait(30)
		self.reader.join()
		return [line.split('  ', 2)[-1] for line in self.lines]


with Cluster(nodes=3) as c:
	c.node('n1')
	get = lambda path: c.must('get', f'{ARRAY}@n1', f'cluster/{path}').stdout
	c.same([get(p).strip() for p in ('engine', 'cluster_name', 'node', 'node_slot', 'nodes', 'state', 'quorum')],
		['local', 'lab', 'n1', '0', '3', 'up', '1'], 'attributes say what the node is')
	c.same(c.must('get', f'{ARRAY}@n1', 'bitmap/metadata').stdout, 'clustered\n', 'and what its bitmap is')
	monitor = Monitor(c, 'n1')
	seen = get('events').splitlines()
	two = c.node('n2')
	c.until('n1', lambda d: d['cluster']['peers'][1]['state'] == 'up')
	c.same(get('peers').splitlines()[:2], ['0 us n1', '1 up n2'], 'peers are shown by slot')
	c.stop_node('n2')
	c.until('n1', lambda d: d['cluster']['peers'][1]['state'] == 'none')
	three = c.node('n3')
	client = c.connect(three)
	client.pwrite(b'x' * MIB, 0)
	c.kill_node('n3')
	c.at_rest('n1')
	c.until('n1', lambda d: d['cluster']['taken']['slots'] == 1)
	now = get('events').splitlines()
	c.ok(now[:len(seen)] == seen and [int(line.split()[0]) for line in now] == list(range(1, len(now) + 1)),
		'events are numbered, and stay', now)
	last = c.cluster('n1')['last_event']
	c.ok(now[-1].endswith(last) and get('last_event').strip() == last, 'detail has the last one', now, last)
	c.stop_node('n1')
	told = monitor.finish()
	fresh = [line.split(' ', 1)[1] for line in now[len(seen):]]
	c.same(told[:len(fresh)], fresh, 'the monitor has told each of them once, in order')
	for word in ('n2 joins', 'n2 (slot 1) leaves', 'n3 joins', 'n3 (slot 1) is dead for sure', 'taken over'):
		c.ok(any(word in line for line in told), f'of "{word}"', told)
