#!/usr/bin/env python3
"""Goal:   what fencing is for is seen, and said: two nodes with two_node quorum, cut apart, both go on; joined again one is lost.
Method: two guests under load in areas of their own, no fencing; the cable of one is cut for some seconds and mended. The window
        in which both sides wrote is measured and printed.
Law:    none is kept here: this is the configuration that docs/cluster.md warns of. C5 holds again from the moment they meet.
Source: issue 6; the cluster specification, section 12 (7)."""
import time

from nodes import MIB, Mirror, Node
from stage import now_us, play

AREA = 16 * MIB
APART_S = 12


def scenario(c):
	mirror = Mirror(c)
	nodes = {n: Node(c, n).serve() for n in c.nodes}
	for n, node in nodes.items():
		node.is_up()
	for n, node in nodes.items():
		node.is_quiet()
		node.load((n - 1) * AREA, AREA, seed=n, pause=1)
	for node in nodes.values():
		c.wait('writes are answered', 30, lambda node=node: len(node.answered()[0]) > 50)
	cut = now_us()
	c.cut(2)
	for n, node in nodes.items():
		node.see('the other\'s slot is taken', 60, lambda d, n=n: d['cluster']['taken']['slots'] == 1)
	c.ok(True, 'each side thinks the other dead and takes its slot')
	time.sleep(APART_S)		# the length of the partition; nothing can be awaited
	apart = now_us()
	last = {n: mirror.last_stamp((n - 1) * AREA, AREA) for n in nodes}
	c.ok(all(t > apart - 2000000 for t in last.values()), 'and both write', last, apart)
	first = {}
	for n, node in nodes.items():
		written = [w for w in node.answered()[0] if w[1] > cut]
		gaps = max(zip(written, written[1:]), key=lambda pair: pair[1][1] - pair[0][1])
		first[n] = gaps[1][1]
		c.note(f'node {n} paused for {(gaps[1][1] - gaps[0][1]) / 1000:.0f} ms while its ring changed')
	c.note(f'without fencing both sides could write from {(max(first.values()) - cut) / 1e6:.1f} s after the cut until they met again '
	       f'({(min(last.values()) - max(first.values())) / 1e6:.1f} s here; for ever, if nobody mends the cable)')
	c.heal(2)
	c.wait('one is lost', 90, lambda: any(node.answered()[1] for node in nodes.values()))
	time.sleep(3)
	alive = [n for n, node in nodes.items() if not node.answered()[1]]
	c.ok(len(alive) <= 1, 'when they meet not both go on', alive)
	for n in nodes:
		d = nodes[n].detail()
		c.note(f'node {n}: {d["cluster"]["last_event"] if d else "its server has ended"}')


play(scenario, nodes=2)
