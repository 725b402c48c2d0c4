#!/usr/bin/env python3
"""Goal:   a machine without its cable writes to no member any more before its slot goes to another, and neither does one that was
        stopped and goes on; both start again as new nodes.
Method: three guests under load. One is unplugged: when it says that it is held, the members' blocks in its area are looked at, and
        again at the end; the survivors' part as ever. Then another is stopped as a whole, and goes on when its slot is taken. At last
        one is cut off whose clients are not to wait.
Law:    C5, C2, I2.
Source: issue 6; the cluster specification, section 8 (22 to 24) and 12."""
import time

from nodes import MIB, Mirror, Node
from stage import now_us, play

AREA = 16 * MIB


def taken_by(nodes, slot):
	"""Who took the slot, and its detail."""
	for node in nodes:
		d = node.detail()
		if d and d['cluster']['peers'][slot]['state'] == 'none' and d['cluster']['taken']['slots']:
			return node, d
	return None


def wait_for_heirs(c, others, slot):
	early = []

	def is_over():
		for node in others:
			d = node.detail()
			state = d['cluster']['peers'][slot]['state'] if d else 'unknown'
			if state in ('up', 'gone', 'unknown') and d and d['sync_action'] != 'idle':
				early.append(d['cluster'])
		return taken_by(others, slot)
	c.wait(f'slot {slot} is taken', 90, is_over)
	over = now_us()
	for node in others:
		node.see('copied', 60, lambda d: d['sync_action'] == 'idle' and d['bitmap']['needed_chunks'] == 0 and
			d['cluster']['peers'][slot]['state'] == 'none')
	c.ok(not early, 'nothing is copied before the lock of the slot is granted', early)
	return over


def start_loads(c, nodes):
	for n, node in nodes.items():
		node.load((n - 1) * AREA, AREA, seed=n, pause=1)
	for node in nodes.values():
		c.wait('writes are answered', 40, lambda node=node: len(node.answered()[0]) > 50)


def partition(c, mirror, nodes):
	start_loads(c, nodes)
	gone, others = nodes[3], [nodes[1], nodes[2]]
	slot = gone.detail()['cluster']['slot']
	cut = now_us()
	c.cut(3)
	held = gone.see('held', 60, lambda d: d['cluster']['state'] != 'up')
	c.ok(held['cluster']['state'] == 'held' and not held['cluster']['quorum'], 'without its cable a node is held', held['cluster'])
	seen = now_us()
	last = mirror.last_stamp(2 * AREA, AREA)
	over = wait_for_heirs(c, others, slot)
	c.note(f'writes of the node cut off: the last {(last - cut) / 1000:.0f} ms after the cut; held seen after '
	       f'{(seen - cut) / 1000:.0f} ms; its slot taken after {(over - cut) / 1000:.0f} ms')
	c.same(mirror.last_stamp(2 * AREA, AREA), last, 'and writes nothing from then on, while its slot is taken')
	written, words = gone.answered()
	c.ok(not words and written[-1][1] <= last + 1000000, 'its client waits', words, written[-1], last)
	c.ok(all(node.answered()[0][-1][1] > over - 5000000 for node in others), 'the others\' clients do not')
	c.heal(3)
	c.wait('the node that was cut off ends', 90, lambda: gone.answered()[1])
	c.ok(True, f'plugged in again its client is told an error: {gone.answered()[1][-1][:90]}')
	d = gone.detail()
	c.ok(d is None or d['cluster']['state'] == 'lost', 'and it is lost', d and d['cluster'])
	if d:
		c.note('it says: ' + d['cluster']['last_event'])
	c.same(mirror.last_stamp(2 * AREA, AREA), last, 'it has written nothing more')
	c.same(mirror.set_chunks(slot), set(), 'no bit either in the slot that was taken')
	c.on(3, f'{c.tool} stop {gone.name}')


def stopped(c, mirror, nodes):
	c.kill(3)
	c.boot(3)
	nodes[3].serve('--fail-without-quorum').is_up()
	c.ok(True, 'started again after a reboot it is a node like any other')
	nodes[3].load(2 * AREA, AREA, seed=33, pause=1)
	c.wait('writes are answered', 40, lambda: len(nodes[3].answered()[0]) > 50)
	slot = nodes[2].detail()['cluster']['slot']
	paused = now_us()
	c.pause(2)
	last = mirror.last_stamp(AREA, AREA)
	over = wait_for_heirs(c, [nodes[1], nodes[3]], slot)
	c.note(f'a node stopped as a whole: its slot taken after {(over - paused) / 1000:.0f} ms')
	c.same(mirror.last_stamp(AREA, AREA), last, 'a node that is stopped writes nothing, of course')
	c.resume(2)
	c.wait('the node that was stopped ends', 90, lambda: nodes[2].answered()[1])
	time.sleep(2)
	c.ok(True, f'going on its client is told an error: {nodes[2].answered()[1][-1][:90]}')
	c.same(mirror.last_stamp(AREA, AREA), last, 'and it has written nothing')
	c.same(mirror.set_chunks(slot), set(), 'no bit either in the slot that was taken')


def policy(c, nodes):
	"""A node whose clients do not want to wait."""
	nodes[3].load(2 * AREA, AREA, seed=34, pause=1)
	c.wait('writes are answered', 40, lambda: len(nodes[3].answered()[0]) > 50)
	c.cut(3)
	held = nodes[3].see('held', 60, lambda d: d['cluster']['state'] == 'held')
	c.ok(not nodes[3].answered()[1], 'what was under way waits', held['cluster'])
	said = nodes[3].try_write(2 * AREA, 'late')
	c.ok(said.returncode and 'Input/output error' in said.stderr, 'with --fail-without-quorum a new write is answered with an error',
	     said.stderr)


def scenario(c):
	mirror = Mirror(c)
	nodes = {n: Node(c, n).serve() for n in c.nodes}
	for node in nodes.values():
		node.is_up()
	for node in nodes.values():
		node.is_quiet()
	partition(c, mirror, nodes)
	stopped(c, mirror, nodes)
	for n in (1, 3):
		c.on(n, 'pkill -f load.py')
	for n in (1, 3):
		nodes[n].is_quiet()
	c.same(mirror.differing(), [], 'the members are equal at the end')
	policy(c, nodes)


play(scenario, nodes=3, limit=380)
