"""Goal:   a node that is counted out while it adds a disk does not write to that disk any more: the others may have it by then.
Method: of two nodes one gets SIGSTOP, so that it does not answer whether it sees the disk that the other adds; when that has
	become a spare on disk the log of the cluster goes, and the command ends. The disk is looked at.
Law:    C5 (after a node learns that it is out it issues no member write).
Source: design, sections 4 and 7; the engines' door (may_write).
"""
import glob
import os
import signal
import subprocess

from clusterscene import ARRAY, Cluster

with Cluster(nodes=4) as c:
	c.node('n1')
	c.node('n2')
	other, disk = c.pid('n2'), c.image('third.img')
	os.kill(other, signal.SIGSTOP)
	add = subprocess.Popen([c.tool, 'manage', f'{ARRAY}@n1', '--add', disk], env=c.env, stdout=subprocess.DEVNULL,
		stderr=subprocess.PIPE, text=True)
	c.ok(c.wait_for(lambda: c.umd('examine', disk).returncode == 0), 'a disk has become a spare, and waits for the other node')
	os.unlink(glob.glob(os.path.join(c.env['UMD_RUNTIME_DIR'], 'cluster', '*.log'))[0])
	said = add.communicate(timeout=60)[1]
	c.ok(add.returncode != 0 and 'lost the cluster' in said, 'who adds it is counted out', said)
	c.ok(c.umd('examine', disk).returncode == 0, 'and what it has written there stays: the other node may have it')
	os.kill(other, signal.SIGCONT)
