#!/usr/bin/env python3
"""Goal:   machines write one mirror at the same time; of one that dies exactly the chunks it left in doubt are copied, by one
        survivor; it comes back; when all die the first one up recovers every slot.
Method: guests with real corosync and DLM; clients write random blocks in areas of their own; guests are killed in the midst
        of it, the members copied at that instant tell what their slots say, and are compared at the end. With two guests, and
        with three (UMD_TEST_NODES).
Law:    I2, I8, C1, C2, C4.
Source: design section 7; the cluster specification, sections 5 and 8 (1, 3, 19, 20)."""
import os

from nodes import CHUNK, MIB, Mirror, Node
from stage import now_us, play

AREA = 16 * MIB


def start(c, numbers):
	mirror = Mirror(c)
	nodes = {n: Node(c, n).serve() for n in numbers}
	for node in nodes.values():
		node.is_up()
	for node in nodes.values():
		node.is_quiet()
	c.ok(mirror.is_equal(), f'{len(nodes)} nodes are up, and the members are equal after the first resync')
	return mirror, nodes


def sees_at_once(c, nodes):
	for n, node in nodes.items():
		node.write(n * 8192, f'by-{n}.')
		for other in nodes.values():
			if other is not node:
				c.ok(other.read(n * 8192).startswith(f'by-{n}.by-{n}.'),
				     f'what node {n} wrote node {other.number} reads at once')


def kill_under_load(c, mirror, nodes, dead):
	jobs = [node.load((n - 1) * AREA, AREA, seed=n) for n, node in nodes.items()]
	for node in nodes.values():
		c.wait('writes are answered', 30, lambda node=node: len(node.answered()[0]) > 200)
	slot = nodes[dead].detail()['cluster']['slot']
	before = {n: (node.detail()['cluster']['taken'], node.detail()['last_sync']) for n, node in nodes.items()}
	killed = now_us()
	c.kill(dead)
	copies = mirror.copies('killed')
	left = mirror.set_chunks(slot, copies)
	others = {n: node for n, node in nodes.items() if n != dead}
	done = {}
	for n, node in others.items():
		done[n] = node.see(f'slot {slot} is taken', 60, lambda d: d['cluster']['peers'][slot]['state'] == 'none' and
			d['sync_action'] == 'idle' and d['bitmap']['needed_chunks'] == 0)
	over = now_us()
	taken = {n: d['cluster']['taken']['chunks'] - before[n][0]['chunks'] for n, d in done.items()}
	copied = sum(d['last_sync']['bytes_copied'] for n, d in done.items() if taken[n])
	c.ok(left, f'the dead node\'s slot had {len(left)} chunks set')
	c.same(sorted(taken.values()), [0] * (len(others) - 1) + [len(left)], 'one survivor took them all, nobody took any twice')
	c.same(copied, len(left) * CHUNK, 'and copied these chunks and nothing else')
	c.note(f'from the kill to recovered: {(over - killed) / 1e6:.1f} s ({len(left)} chunks, {copied >> 20} MiB)')
	for node in others.values():
		written, words = node.answered()
		stalls = max(answered - asked for asked, answered, *_ in written)
		c.ok(written[-1][1] > over - 5000000 and not words, f'node {node.number} went on writing', written[-1], words)
		c.note(f'node {node.number}: {len(written)} writes, the longest took {stalls / 1000:.0f} ms')
	return jobs


def end_load(c, nodes):
	for node in nodes.values():
		c.on(node.number, 'pkill -f load.py')	# in the guest, whose only client it is


def judge(c, mirror, nodes, text):
	for node in nodes.values():
		node.is_quiet()
	c.same(mirror.differing(), [], text)


def stamps_are_there(c, mirror, nodes):
	for n, node in nodes.items():
		written = node.answered()[0]
		last = mirror.last_stamp((n - 1) * AREA, AREA)
		c.ok(last >= written[-1][0], f'the last write that node {n} was told of is on the members', last, written[-1])


def comes_back(c, mirror, nodes, number):
	c.boot(number)
	nodes[number].serve()
	d = nodes[number].is_up()
	c.ok(True, f'the dead node is back with slot {d["cluster"]["slot"]}')
	nodes[number].write(number * 8192, f'again-{number}.')
	other = [node for n, node in nodes.items() if n != number][0]
	c.ok(other.read(number * 8192).startswith(f'again-{number}.'), 'and what it writes the others read')


def all_die(c, mirror, nodes):
	for n, node in nodes.items():
		node.load((n - 1) * AREA, AREA, seed=10 + n)
	for node in nodes.values():
		c.wait('writes are answered', 30, lambda node=node: len(node.answered()[0]) > 200)
	slots = [node.detail()['cluster']['slot'] for node in nodes.values()]
	for number in nodes:
		c.kill(number)
	left = set().union(*[mirror.set_chunks(slot) for slot in slots])
	differing = mirror.differing()
	c.note(f'all killed: {len(left)} chunks are set in slots {slots}, {len(differing)} differ')
	c.ok(set(differing) <= left, 'what differs is covered by somebody\'s bits', set(differing) - left)
	first = max(nodes)
	for number in nodes:
		c.command('boot-node', '-w', '0', str(number))
	c.wait('they boot', 120, lambda: all(c.on(n, 'dlm_tool status | grep -q "quorate 1"').returncode == 0 for n in nodes))
	nodes[first].serve()
	d = nodes[first].is_up()
	c.same(d['last_sync']['bytes_copied'], len(left) * CHUNK, 'the first one up copies the chunks of all slots together')
	judge(c, mirror, {first: nodes[first]}, 'and the members are equal')
	nodes[first].stop()


def scenario(c):
	mirror, nodes = start(c, c.nodes)
	sees_at_once(c, nodes)
	dead = 2
	kill_under_load(c, mirror, nodes, dead)
	others = {n: node for n, node in nodes.items() if n != dead}
	end_load(c, others)
	judge(c, mirror, others, 'the members are equal afterwards')
	stamps_are_there(c, mirror, others)
	comes_back(c, mirror, nodes, dead)
	for node in nodes.values():
		node.is_quiet()
	all_die(c, mirror, nodes)


play(scenario, nodes=int(os.environ.get('UMD_TEST_NODES', '2')), limit=380)
