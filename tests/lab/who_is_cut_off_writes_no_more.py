#!/usr/bin/env python3
"""Goal:   an engine that lost quorum, or slept through its own funeral, lets nobody write, before its locks go to another.
Method: three guests with an engine each, whose writers put the time into a sector of their own as long as they may. One is
        unplugged, and plugged in again; then another is stopped as a whole and goes on ten seconds later. All clocks are the host's.
Law:    C5, C4.
Source: the cluster specification, section 8 (22 to 24) and 12."""
from stage import Probe, now_us, play


def start(c, nodes):
	probes = {n: Probe(c, n) for n in nodes}
	for n, p in probes.items():
		p.tell('group')
		p.wait('config')
		p.tell(f'lock {n - 1}')
		p.wait(f'lock bitmap000{n - 1} granted')
		p.wait('may_write yes')
	for p in probes.values():
		p.wait('config' + ' .' * len(nodes))
	return probes


def judge_takeover(c, dead, heir, slot, since, what):
	"""@heir asked for the slot of @dead at @since: who wrote when?"""
	granted = heir.wait(f'lock bitmap000{slot} granted', 60, since)[0]
	last = dead.last_written()
	c.ok(since - 2000000 < last < granted, f'{what}: its last write came before its slot was granted to another',
	     f'cut {since}', f'last write {last}', f'granted {granted}')
	c.note(f'{what}: wrote for {(last - since) / 1000:.0f} ms after, slot granted after {(granted - since) / 1000:.0f} ms')
	return granted


def partition(c, probes):
	one, two, three = probes[1], probes[2], probes[3]
	one.tell('lock 2')
	cut = now_us()
	c.cut(3)
	no = three.wait('quorum no', 60, cut)[0]
	granted = judge_takeover(c, three, one, 2, cut, 'a node without its cable')
	c.ok(three.wait('may_write no', 20, cut)[0] <= no + 1000 < granted, 'it knew before that it has no quorum', three.log())
	one.tell('unlock 2')
	c.ok([w for w in one.said_events() if w.startswith('quorum')] == ['quorum yes'], 'the others kept theirs')
	asked = three.tell('lock resync')
	three.tell('cancel resync')
	told = three.wait('lock resync cancelled', 10, asked)[0]
	c.ok(told - asked < 5000000, 'a lock that nobody can give now may be cancelled all the same', asked, told)
	before = three.last_written()
	three.tell('send too-late')
	c.heal(3)
	lost = three.wait('lost', 60)[1]
	c.ok(True, 'plugged in again it is lost: ' + lost)
	c.same(three.last_written(), before, 'and wrote nothing more')
	c.ok(all('3' not in w.split() for w in one.said_events()[-3:] if w.startswith('config')),
	     'the others have not seen it as a member again', one.log())
	c.ok('message 3 too-late' not in one.said_events(), 'nor heard what it said meanwhile')
	asked = three.tell('close')
	closed = three.wait('closed', 30, asked)[0]
	c.ok(closed - asked < 15000000, f'closing takes {(closed - asked) / 1000:.0f} ms, whatever the DLM thinks of it')
	# Corosync of the third ends by itself, which costs the others a token and a new ring: no writes for about ten seconds.
	over = now_us()
	c.wait('the others write', 40, lambda: min(one.last_written(), two.last_written()) > over)
	c.ok(all('lost' not in w for p in (one, two) for w in p.said_events()), 'and go on writing', one.log(), two.log())


def sleep(c, probes):
	one, two = probes[1], probes[2]
	c.kill(3)
	c.boot(3)
	three = Probe(c, 3)
	three.tell('group')
	three.wait('may_write yes')
	c.ok(True, 'booted again it is let in')
	one.tell('lock 1')
	stopped = now_us()
	c.pause(2)
	judge_takeover(c, two, one, 1, stopped, 'a node that is stopped')
	before = two.last_written()
	resumed = now_us()
	c.resume(2)
	two.wait('lost', 60)
	last = two.last_written()
	writes = [t for t, w in two.log() if w == 'may_write yes' and t > resumed]
	c.ok(not writes, 'going on it never thinks that it may write', two.log())
	c.ok(last <= before or last < stopped + 1000, 'and has written nothing', before, last, two.log())


def scenario(c):
	probes = start(c, [1, 2, 3])
	partition(c, probes)
	sleep(c, probes)


play(scenario, nodes=3)
