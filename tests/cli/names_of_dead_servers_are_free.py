"""Goal:   a start under the name of a server that died is not refused because its leftovers are being cleared away.
Method: the test holds the lock of the name, as the dead server's keeper does while it tidies up, with no pid in the file;
	it lets go while a start waits. Held for good, or with a pid in the file, the start is refused in one sentence.
Law:    I9 (a start ends, and is refused with a true reason only).
Source: scenario files on real files: 2 of 60 starts right after SIGKILL were refused, "runs already".
"""
import fcntl
import os
import struct
import subprocess
import time

from scene import Scene

F_OFD_SETLK, GRACE_S = 37, 0.3


def hold(s, name, text=''):
	"""The name is taken: returns the descriptor that holds it."""
	folder = os.path.join(s.env['UMD_RUNTIME_DIR'], name)
	os.makedirs(folder, mode=0o700)
	fd = os.open(os.path.join(folder, 'pid'), os.O_RDWR | os.O_CREAT, 0o600)
	fcntl.fcntl(fd, F_OFD_SETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
	os.write(fd, text.encode())
	return fd


def let_go(s, name, fd):
	folder = os.path.join(s.env['UMD_RUNTIME_DIR'], name)
	os.unlink(os.path.join(folder, 'pid'))
	os.rmdir(folder)
	os.close(fd)


with Scene() as s:
	images = [s.image('a', 4 << 20), s.image('b', 4 << 20)]
	s.must('create', '--assume-clean', '--name=home', *images)
	os.makedirs(s.env['UMD_RUNTIME_DIR'], mode=0o700)

	fd = hold(s, 'home')
	start = subprocess.Popen([s.tool, 'serve', '--background', '--name=home', *images], env=s.env, cwd=s.dir, text=True,
		stdout=subprocess.PIPE, stderr=subprocess.PIPE)
	time.sleep(GRACE_S)	# how long tidying takes here; a start that comes later than that finds the name free
	let_go(s, 'home', fd)
	out, said = start.communicate()
	if s.ok(start.returncode == 0 and out.startswith('ready '), 'a start waits for the one that tidies up', said):
		s.servers.append('home')
		s.stop('home')

	fd = hold(s, 'home')
	s.refused(s.umd('serve', '--background', '--name=home', *images), 1, ['"home" runs already'],
		'when nobody lets go it is refused')
	let_go(s, 'home', fd)

	fd = hold(s, 'home', '4711\n')
	begun = time.monotonic()
	s.refused(s.umd('serve', '--background', '--name=home', *images), 1, ['"home" runs already', '4711'],
		'a server that runs is named at once')
	let_go(s, 'home', fd)
