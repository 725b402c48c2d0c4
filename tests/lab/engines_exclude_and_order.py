#!/usr/bin/env python3
"""Goal:   on real corosync and DLM the engine excludes, orders, tells deaths, and is refused in one sentence where it must be.
Method: two guests; the engine is asked by hand (engine-probe); Linux' own md has another array running in the second.
Law:    C2, C4 (a lock of a dead node is granted once), C5.
Source: design section 7; the doors src/engine/engine.h and src/cluster/cluster.h; md-cluster's lockspace (EPROTO)."""
import re

from stage import Probe, now_us, play


def locks(c, one, two):
	one.tell('lock token')
	one.wait('lock token granted')
	two.tell('try token')
	two.wait('lock token refused')
	c.ok(True, 'a lock that is held is refused to who does not queue')
	two.tell('lock token')
	two.tell('cancel token')
	two.wait('lock token cancelled')
	c.ok(True, 'who queues may think better of it')
	asked = two.tell('lock token')
	one.tell('unlock token')
	two.wait('lock token granted', after=asked)
	c.ok(True, 'who queues gets it when it is let go')
	asked = one.tell('lock token')
	two.must_tell('unlock token', 'lock token')
	one.wait('lock token granted', after=asked)
	c.ok(not [e for e in two.log() if e[0] > asked and 'granted' in e[1]], 'letting go and asking again keeps nobody out',
	     two.log())
	one.tell('unlock token')
	two.wait('lock token granted', after=asked)
	two.tell('unlock token')
	one.tell('try 1')
	one.wait('lock bitmap0001 granted')
	two.tell('try 1')
	two.wait('lock bitmap0001 refused')
	c.ok(True, 'slots are locks of their own')


def messages(c, one, two):
	for i in range(20):
		one.tell(f'send one-{i}')
		two.tell(f'send two-{i}')
	two.wait('message . one-19')
	one.wait('message . two-19')
	heard = [[what for _, what in p.log() if what.startswith('message')] for p in (one, two)]
	c.same(heard[0], heard[1], 'both hear the same messages in the same order, their own included')
	c.same(len(heard[0]), 40, 'and all of them')


def token(c, one, two):
	"""A corosync.conf that is read again, on all nodes: corosync-cfgtool -R says so to all of them."""
	for node in (1, 2):
		c.must(node, "sed -i 's/token: .*/token: 6000/' /etc/corosync/corosync.conf")
	changed = now_us()
	c.must(1, 'corosync-cfgtool -R')
	notes = [p.wait('note .*token timeout is 6000 ms now', after=changed)[1] for p in (one, two)]
	c.ok(all(notes), 'a changed token is followed by all: ' + notes[0])
	one.tell('send after-the-change')
	two.wait('message . after-the-change', after=changed)
	c.ok(not [e for p in (one, two) for e in p.log() if e[0] > changed and re.match('may_write no|lost|quorum', e[1])],
	     'and nobody stops writing for it', one.log()[-5:], two.log()[-5:])


def crash(c, one, two):
	two.tell('lock 3')
	two.wait('lock bitmap0003 granted')
	one.tell('lock 3')
	killed = now_us()
	c.must(2, 'pkill -9 -f engine-prob[e]')
	gone = one.wait('config 1$', after=killed)[0]
	granted = one.wait('lock bitmap0003 granted', after=killed)[0]
	c.ok(True, f'a process that dies leaves no lock: told after {(gone - killed) / 1000:.0f} ms, granted after '
	     f'{(granted - killed) / 1000:.0f} ms')
	one.tell('unlock 3')
	c.ok(c.on(2, 'ls /sys/kernel/dlm').stdout.strip(), 'its lockspace stays')
	again = Probe(c, 2)
	again.tell('group')
	again.wait('may_write yes')
	c.ok(True, 'and the next start goes on with it')
	again.tell('close')
	again.wait('closed')
	c.ok(c.wait('the lockspace is gone', 10, lambda: not c.on(2, 'ls /sys/kernel/dlm').stdout.strip()), 'and removes it')
	two = Probe(c, 2)
	two.tell('group')
	two.wait('may_write yes')
	return two


def death(c, one, two):
	two.tell('lock 0')
	two.wait('lock bitmap0000 granted')
	one.tell('lock 0')
	killed = now_us()
	c.kill(2)
	gone = one.wait('config 1$', after=killed)[0]
	granted = one.wait('lock bitmap0000 granted', after=killed)[0]
	c.ok(True, 'a dead node is told, and what it held is granted')
	c.note(f'told after {(gone - killed) / 1000:.0f} ms, granted after {(granted - killed) / 1000:.0f} ms')
	last = two.last_written()
	c.ok(killed - 1000000 < last < granted, 'its last write came before', killed, last, granted)
	one.wait('may_write yes', after=gone)
	c.ok([w for w in one.said_events() if w.startswith('quorum')] == ['quorum yes'], 'the survivor kept its quorum', one.log())


def refusals(c):
	foreign = Probe(c, 1, name='elsewhere', stays=False).said
	c.ok('belongs to cluster "elsewhere"' in foreign and 'runs "lab"' in foreign, 'another cluster\'s array is refused: ' +
	     foreign.strip())
	c.must(2, 'mdadm --create /dev/md0 --run --assume-clean --bitmap=clustered --nodes=2 --level=1 -n 2 /dev/ubda /dev/ubdb 2>&1')
	uuid = c.must(2, "mdadm --detail --export /dev/md0 | sed -n 's/^MD_UUID=//p'").strip()
	other = Probe(c, 1, uuid=uuid, stays=False).said
	c.ok('another node has array' in other and "Linux' own md" in other, 'an array that Linux runs on another node is refused: ' +
	     other.strip())
	here = Probe(c, 2, uuid=uuid, stays=False).said
	c.ok("runs under Linux' own md on this node" in here, 'and one that it runs here: ' + here.strip())
	c.must(2, 'mdadm --stop /dev/md0')
	again = Probe(c, 1, uuid=uuid)
	again.tell('group')
	again.wait('may_write yes')
	c.ok(True, 'once it is stopped there the engine opens')
	refused = c.on(2, 'mdadm --assemble /dev/md0 /dev/ubda /dev/ubdb 2>&1; mdadm --detail /dev/md0 2>&1 | head -3')
	c.ok('active' not in c.on(2, 'grep md0 /proc/mdstat').stdout, 'and Linux is kept out while it is open', refused.stdout)
	c.on(2, 'mdadm --stop /dev/md0')
	again.tell('close')
	again.wait('closed')
	c.ok(c.wait('the lockspace is gone', 10, lambda: not c.on(1, 'ls /sys/kernel/dlm').stdout.strip()), 'closing removes the lockspace')


def scenario(c):
	refusals(c)
	one, two = Probe(c, 1), Probe(c, 2)
	one.tell('group')
	one.wait('config 1$')
	two.tell('group')
	one.wait('config 1 2')
	two.wait('config')
	c.ok([w for w in two.said_events() if w.startswith('config')][0] in ('config 1 2', 'config 2 1'),
	     'a joiner sees the whole group from the beginning', two.log())
	locks(c, one, two)
	messages(c, one, two)
	token(c, one, two)
	two = crash(c, one, two)
	death(c, one, two)


play(scenario, nodes=2)
