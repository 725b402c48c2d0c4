#!/usr/bin/env python3
"""Goal:   a DLM that never answers, since a dead node is never fenced, holds neither the stop of a node nor its members.
Method: two guests; fencing is switched on and nobody can fence; one dies. The other asks the DLM for its slot, which hangs in the
        kernel, and is stopped.
Law:    I9, C2 (the dead node's slot is not taken), C4.
Source: issue 6; the engines' door (close); docs/cluster.md."""
import time

from nodes import DISKS, MIB, Mirror, Node
from stage import play


def scenario(c):
	for n in (1, 2):
		c.must(n, 'pkill -x dlm_controld; while pgrep -x dlm_controld; do sleep 0.1; done; '
			'dlm_controld --enable_fencing 1 --enable_startup_fencing 0')
	mirror = Mirror(c)
	one, two = Node(c, 1).serve(), Node(c, 2).serve()
	for node in (one, two):
		node.is_up()
	one.write(0, 'a')
	two.write(8 * MIB, 'b')
	slot = two.detail()['cluster']['slot']
	pid = one.detail()['pid']
	c.kill(2)
	one.see('the other one is gone', 60, lambda d: d['cluster']['peers'][slot]['state'] == 'gone')
	c.ok('fence' in c.on(1, 'dlm_tool ls; dlm_tool status').stdout, 'the DLM waits for a fence that nobody can give')
	began = time.monotonic()
	job = c.start(1, f'{c.tool} stop {one.name}')
	c.wait('the node has let go of its members', 60, lambda: not [l for l in
		c.on(1, f'ls -l /proc/{pid}/fd 2> /dev/null').stdout.splitlines() if any(d in l for d in DISKS)])
	c.ok(True, 'it lets go of its members all the same')
	c.note(f'after {time.monotonic() - began:.1f} s')
	c.wait('its keeper has ended', 60, lambda: not c.on(1, 'pgrep -f "umd serv[e]"').stdout.strip())
	c.ok(' D ' in c.on(1, f'cat /proc/{pid}/task/*/stat').stdout, 'its process, which the kernel does not let end, is waited for no longer')
	c.note(f'after {time.monotonic() - began:.1f} s')
	c.ok(mirror.set_chunks(slot), "the dead node's bits are where they were", mirror.set_chunks(slot))
	done = c.finish(job)
	c.ok(done.returncode == 1 and 'the kernel holds it' in done.stdout + done.stderr, 'and umd stop says so', done.returncode,
		done.stdout, done.stderr)
	c.note(f'after {time.monotonic() - began:.1f} s')


play(scenario, nodes=2)
