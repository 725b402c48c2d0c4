"""Goal:   umd cluster lab tells the life of a cluster, and leaves nothing behind.
Method: a short lab; one on a terminal; one that is interrupted; one that is kept and then stopped by hand; wrong folders.
Law:    C1, C2, I2.
Source: issue 6, "umd cluster lab".
"""
import os
import pty
import re
import signal
import subprocess

from clusterscene import Cluster


def labs(top):
	return [f for f in os.listdir(top) if f.startswith('umd-lab.')]


def on_a_terminal(c, *words):
	"""What it draws, and its exit status."""
	master, slave = pty.openpty()
	child = subprocess.Popen([c.tool, *words], env={**c.env, 'TERM': 'xterm'}, stdin=slave, stdout=slave, stderr=slave)
	os.close(slave)
	said = b''
	while True:
		try:
			piece = os.read(master, 65536)
		except OSError:
			break
		if not piece:
			break
		said += piece
	os.close(master)
	return child.wait(60), said.decode('utf-8', 'replace')


with Cluster() as c:
	top = c.path('tmp')
	os.mkdir(top)
	c.env['TMPDIR'] = top

	run = c.umd('cluster', 'lab', '-n', '3', '--seconds=6')
	c.ok(run.returncode == 0, 'a lab of three nodes comes to its end', run.stdout, run.stderr)
	c.same(re.findall(r'^(n\d)  nbd\+unix:', run.stdout, re.M), ['n1', 'n2', 'n3'], 'it prints an NBD URI for each node')
	c.ok('every other node reads it' in run.stdout, 'what one node wrote the others read', run.stdout)
	dead = re.search(r'n2 is killed \(SIGKILL\); its slot, 1, had (\d+) chunks set', run.stdout)
	taken = re.search(r'after the death n[13] has taken (\d+) chunks over and copied (\d+)\.0 MiB', run.stdout)
	c.ok(dead and taken and int(dead.group(1)) > 0, 'a node with bits set is killed, and its slot taken over', run.stdout)
	c.ok(taken and taken.group(1) == taken.group(2), 'what is copied are the chunks taken over, of 1 MiB each', run.stdout)
	c.ok('n2 is started again' in run.stdout and re.search(r'n2: this node is up with slot \d of 3', run.stdout),
		'the dead node comes back', run.stdout)
	c.ok(run.stdout.rstrip().splitlines()[-1].startswith('the members are equal'), 'the members are equal at the end', run.stdout)
	c.same(labs(top), [], 'the folder is gone')

	status, said = on_a_terminal(c, 'cluster', 'lab', '-n', '2', '--seconds=4')
	c.ok(status == 0 and re.search(r'slot 1  n2', said) and '\033[J' in said and 'the members are equal' in said,
		'on a terminal the slots are drawn', said[-2000:])

	lab = subprocess.Popen([c.tool, 'cluster', 'lab', '-n', '2', '--seconds=600'], env=c.env, text=True,
		stdout=subprocess.PIPE, stderr=subprocess.PIPE)
	for line in lab.stdout:
		if 'all nodes write' in line:
			break
	lab.send_signal(signal.SIGINT)
	out, err = lab.communicate(timeout=60)
	c.ok(lab.returncode == 1 and err.strip() == 'umd: interrupted: every node was stopped', 'Ctrl-C ends it in order', out, err)
	c.same(labs(top), [], 'and leaves nothing')

	kept = c.path('kept')
	run = c.umd('cluster', 'lab', '-n', '2', '--seconds=4', f'--dir={kept}', '--keep')
	c.ok(run.returncode == 0 and f'UMD_RUNTIME_DIR={kept}/run' in run.stdout, '--keep says where the nodes are', run.stdout, run.stderr)
	c.env['UMD_RUNTIME_DIR'] = kept + '/run'
	c.same(sorted(a['name'] for a in c.json('list', '--json')), ['lab@n1', 'lab@n2'], 'they run on')
	c.refused(c.umd('cluster', 'lab', f'--dir={kept}'), 1, ['a.img', 'exists'], 'another lab does not overwrite them')
	for name in ('lab@n1', 'lab@n2'):
		c.must('stop', name)
	c.ok(os.path.exists(kept + '/a.img'), 'the folder that was named stays')

	c.refused(c.umd('cluster', 'lab', '--dir=/proc/nowhere'), 1, ['/proc/nowhere'], 'a folder that cannot be made is one sentence')
