"""Goal:   a node stops within seconds while another one hangs, and one that was stopped for a while goes on afterwards.
Method: of two nodes one gets SIGSTOP; the other is asked to fail a member (which waits for the hanging one), then it is
	stopped; the hanging one goes on and takes over. A node that waits to be let in is stopped, too.
Law:    I9, C5.
Source: the cluster specification, section 8 (5, 23).
"""
import os
import signal
import subprocess
import time

from clusterscene import ARRAY, MIB, Cluster

SOON_S = 15


with Cluster(nodes=4) as c:
	a, b = c.members
	one, two = c.node('n1'), c.node('n2')
	first, second = c.connect(one), c.connect(two)
	first.pwrite(b'\x11' * 4096, 0)
	second.pwrite(b'\x22' * 4096, 16 * MIB)
	other = c.pid('n2')
	os.kill(other, signal.SIGSTOP)
	first.pwrite(b'\x33' * 4096, 4 * MIB)
	c.ok(bytes(first.pread(4096, 4 * MIB)) == b'\x33' * 4096, 'a node reads and writes while another one hangs')

	late = subprocess.Popen([c.tool, 'serve', '--cluster=local', '--node=n3', *c.members], env=c.env, stdout=subprocess.PIPE,
		stderr=subprocess.PIPE, text=True)
	c.keepers.append(late)
	c.ok(c.until('n1', lambda d: 'n3' in [p['node'] for p in d['cluster']['peers']]), 'a third one wants in', c.cluster('n1'))
	c.ok(late.poll() is None, 'and waits, since the hanging one must know it')
	begin = time.monotonic()
	late.terminate()
	out, err = late.communicate(timeout=60)
	c.ok(late.returncode == 1 and 'stopped' in err and time.monotonic() - begin < SOON_S, 'stopped, it is gone in a moment',
		late.returncode, err, time.monotonic() - begin)

	fail = subprocess.Popen([c.tool, 'manage', f'{ARRAY}@n1', '--fail', b], env=c.env, stdout=subprocess.PIPE,
		stderr=subprocess.PIPE, text=True)
	c.ok(c.until('n1', lambda d: d['members'][1]['state'] == 'faulty'), 'a member fails')
	c.ok(fail.poll() is None, 'which is not recorded yet: the hanging one has not acknowledged it')
	begin = time.monotonic()
	c.stop_node('n1')
	c.ok(time.monotonic() - begin < SOON_S, 'the node stops all the same', time.monotonic() - begin)
	fail.communicate(timeout=30)
	c.ok(fail.returncode != 0, 'and says that nothing was recorded')
	os.kill(other, signal.SIGCONT)
	c.ok(c.until('n2', lambda d: d['cluster']['peers'][0]['state'] == 'none'), 'the other one goes on', c.cluster('n2'))
	second.pwrite(b'\x44' * 4096, 8 * MIB)
	c.ok(bytes(second.pread(4096, 4 * MIB)) == b'\x33' * 4096, 'and has what the first one was told is written')
	c.stop_node('n2')
	c.node('n1')
	states = [(m['path'], m['state']) for m in c.detail('n1')['members']]
	c.same(states, [(a, 'in_sync')], 'the next start knows who is missing')
