"""Goal:   a disk that hangs on one node holds up neither that node's stop nor the other nodes' mail to it.
Method: every write of one node to one member takes ten minutes; that node is stopped under a write, and another one takes its
	slot. Then an open of a disk that is being added takes ten minutes on one node: the adder hears so, a failure is recorded by
	all, and the node stops. A start that hangs in an open is told to stop. A member fails while a write to it hangs on one node,
	which is then stopped.
Law:    I9, C6, C1, C2 (what the stopped node left in doubt is copied by who takes its slot).
Source: the cluster specification, section 8; src/run/overdue.c, apart.c.
"""
import os
import subprocess
import threading
import time

from clusterscene import ARRAY, MIB, Cluster

FOREVER_MS, STOP_S, MAIL_S = '600000', 45, 30


def start_slow(c, name, **what):
	"""A node in the foreground, so that its last words are heard. (process, uri)"""
	plain = c.env
	preload = ' '.join([plain.get('LD_PRELOAD', ''), os.environ['SLOW_DISK']]).strip()
	c.env = {**plain, 'LD_PRELOAD': preload, 'SLOW_MS': FOREVER_MS, **what}
	server, uri = c.serve_in_foreground('--cluster=local', f'--node={name}', *c.members)
	c.env = plain
	return server, uri


def write(handle, data, at):
	try:
		handle.pwrite(data, at)
	except Exception:		# the server ends: libnbd's own kind
		pass


def a_hung_write(c):
	second = c.connect(c.node('n2'))
	second.pwrite(b'\x22' * 4096, 16 * MIB)
	server, uri = start_slow(c, 'n1', SLOW_MEMBER=c.members[1])
	writer = threading.Thread(target=write, args=(c.connect(uri), b'\x11' * 4096, 0))
	writer.start()
	c.ok(c.until('n1', lambda d: d['counters']['member_writes'] >= 1), 'a write hangs on one member of a node')
	begin = time.monotonic()
	stop = c.umd('stop', f'{ARRAY}@n1', timeout=120)
	took = time.monotonic() - begin
	_, errors = server.communicate(timeout=60)
	writer.join()
	c.ok(took < STOP_S, f'its stop ends in less than {STOP_S} s', f'{took:.1f} s', stop.stderr)
	c.ok(server.returncode == 1 and c.members[1] in errors and 'has not come back' in errors, 'and names what hangs',
		server.returncode, errors)
	second.pwrite(b'\x33' * 4096, 8 * MIB)
	c.ok(c.at_rest('n2'), 'the other node goes on, and has taken its slot', c.cluster('n2'))


def a_hung_open(c):
	disk = c.image('x.img', 32 * MIB)
	server, _ = start_slow(c, 'n3', SLOW_OPEN=disk)
	begin = time.monotonic()
	added = c.umd('manage', f'{ARRAY}@n2', '--add', disk)
	took = time.monotonic() - begin
	c.ok(added.returncode != 0 and 'n3' in added.stderr, 'a disk that hangs on one node is refused, in its name', added.stderr)
	c.ok(took < MAIL_S, f'in less than {MAIL_S} s', f'{took:.1f} s')
	begin = time.monotonic()
	c.must('manage', f'{ARRAY}@n2', '--fail', c.members[1])
	c.ok(time.monotonic() - begin < MAIL_S, 'its other mail is answered: a failure is recorded by all')
	begin = time.monotonic()
	c.must('stop', f'{ARRAY}@n3')
	server.communicate(timeout=60)
	took = time.monotonic() - begin
	c.ok(took < STOP_S and server.returncode == 0, 'and it stops', f'{took:.1f} s', server.returncode)


def a_failure_under_a_hung_write(c):
	b = c.members[1]
	c.must('manage', f'{ARRAY}@n2', '--re-add', b)
	c.ok(c.at_rest('n2') and c.detail('n2')['degraded'] == 0, 'the member that failed is back')
	server, uri = start_slow(c, 'n1', SLOW_MEMBER=b)
	writer = threading.Thread(target=write, args=(c.connect(uri), b'\x44' * 4096, 24 * MIB))
	writer.start()
	c.ok(c.until('n1', lambda d: d['counters']['member_writes'] >= 1), 'a write hangs on it on another node')
	fail = subprocess.Popen([c.tool, 'manage', f'{ARRAY}@n2', '--fail', b], env=c.env, stdout=subprocess.PIPE,
		stderr=subprocess.PIPE, text=True)
	c.keepers.append(fail)
	c.ok(c.until('n1', lambda d: d['members'][1]['state'] == 'faulty'), 'it fails on all nodes')
	c.ok(fail.poll() is None, 'which is not acknowledged while a write to it is under way')
	c.umd('stop', f'{ARRAY}@n1', timeout=120)
	server.communicate(timeout=60)
	writer.join()
	_, errors = fail.communicate(timeout=60)
	c.same(fail.returncode, 0, 'but when that node was stopped: ' + errors.strip())
	removed = c.umd('manage', f'{ARRAY}@n2', '--remove', b)
	c.ok(removed.returncode == 0, 'and then the member can be removed', removed.stderr)


def a_hung_start(c):
	plain = c.env
	preload = ' '.join([plain.get('LD_PRELOAD', ''), os.environ['SLOW_DISK']]).strip()
	server = subprocess.Popen([c.tool, 'serve', '--cluster=local', '--node=n4', *c.members], text=True, stderr=subprocess.PIPE,
		env={**plain, 'LD_PRELOAD': preload, 'SLOW_MS': FOREVER_MS, 'SLOW_OPEN': c.members[1]})
	c.keepers.append(server)
	nbdkit = Cluster.wait_for(lambda: subprocess.run(['pgrep', '-P', str(server.pid), 'nbdkit'], stdout=subprocess.PIPE,
		check=False).stdout)
	begin = time.monotonic()
	server.terminate()
	_, errors = server.communicate(timeout=60)
	took = time.monotonic() - begin
	c.ok(nbdkit and took < STOP_S and server.returncode == 1, 'a start that hangs in an open ends when it is told to',
		f'{took:.1f} s', server.returncode, errors)
	c.same(len(errors.splitlines()), 1, 'and says so in one sentence')


with Cluster(nodes=4) as c:
	if not os.environ.get('SLOW_DISK'):
		c.skip('all of it', 'SLOW_DISK is not set: run it by the build')
		raise SystemExit
	a_hung_write(c)
	c.stop_node('n2')
	c.ok(c.are_equal(), 'and the members are equal')
	c.node('n2')
	a_hung_open(c)
	a_hung_start(c)
	a_failure_under_a_hung_write(c)
