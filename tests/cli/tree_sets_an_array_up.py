"""Goal:   an owner sets an array up with nothing but a shell and the tree; member paths may hold any byte.
Method: a server without members; a session in bash in the kernel's order, to an array that runs and whose disk takes data;
	then members under hostile names, each found in its folder, and taken out again.
Law:    what a store has made is there when it returns; a name from outside is a file name here, or is not here at all.
Source: md's document of externally managed metadata; issue "Externally managed metadata", the tree.
"""
import json
import os
import signal
import socket
import threading

from scene import MIB
from treescene import Poller, TreeScene, error_of, read, store

HOSTILE = [b'with blank', b'new\nline', b'...', b'..a', b'.hidden', b'a"b\\c', b'x' * 200, b'new_dev', b'*', b'$(reboot)',
	   b"'; exit #", b'%s%n', 'ü€'.encode(), b'\xff\xfe', b'-rf', b'dev-', b'a/../b'.replace(b'/', b':')]

SESSION = '''set -e
echo external:mine > metadata_version
echo raid1 > level
echo 2 > raid_disks
echo $((16 * 1024)) > component_size
for m in one two; do
	echo "$PWD_OF_TEST/$m" > new_dev
	echo 2048 > dev-$m/offset
	echo $((16 * 1024)) > dev-$m/size
done
echo 0 > dev-one/slot
echo 1 > dev-two/slot
echo external > bitmap/metadata
echo 65536 > bitmap/chunksize
echo 5 > bitmap/time_base
echo +8 > bitmap/location
echo none > resync_start
cat array_state
echo clean > array_state 2>/dev/null || echo readonly > array_state
cat array_state
'''


def session(s, md):
	disk = os.path.join(os.path.dirname(md), 'disk')
	s.same((read(os.path.join(md, 'array_state')), os.stat(disk).st_size), ('clear\n', 0), 'a fresh array is clear, its disk empty')
	s.same(open(disk, 'rb').read(), b'', 'and reads as nothing')
	s.same(error_of(store, disk, b'x'), 'ENXIO', 'and takes nothing')
	for name in ('one', 'two'):
		s.image(name, 24 * MIB)
	run = s.bash(SESSION.replace('$PWD_OF_TEST', s.dir), md)
	s.same((run.stdout.split(), run.stderr), (['inactive', 'readonly'], ''), 'a session in bash sets an array up and starts it')
	s.same(s.bash('ls -d rd*/state dev-*/state', md).stdout.split(),
		['dev-one/state', 'dev-two/state', 'rd0/state', 'rd1/state'], 'links lead to its members')
	s.same(os.stat(disk).st_size, 16 * MIB, 'the disk has its size')
	s.same(error_of(os.open, disk, os.O_RDWR), 'EROFS', 'and cannot be written while the array is read-only')


def await_state(state, wanted):
	"""Read, sleep until woken, read again: as an owner does. The last value."""
	while state.read() != wanted and state.woken(10):
		pass
	return state.read()


def handshake(s, md):
	disk = os.path.join(os.path.dirname(md), 'disk')
	state = Poller(os.path.join(md, 'array_state'))
	store(os.path.join(md, 'array_state'), 'active')
	fd = os.open(disk, os.O_RDWR)
	for round in range(2):
		pid = os.fork()
		if pid == 0:
			os._exit(os.pwrite(fd, b'e' * 4096, 65536 * round) != 4096)
		s.same(await_state(state, 'write-pending\n'), 'write-pending\n', f'write {round}: it asks first, its owner wakes')
		s.same(os.waitpid(pid, os.WNOHANG)[0], 0, f'write {round}: it waits')
		store(os.path.join(md, 'array_state'), 'active')
		s.same(os.waitpid(pid, 0)[1], 0, f'write {round}: the answer lets it go on')
		s.same(os.pread(fd, 4096, 65536 * round), b'e' * 4096, f'write {round}: it is done')
		s.same(await_state(state, 'active-idle\n'), 'active-idle\n', f'write {round}: left alone the array is idle')
		store(os.path.join(md, 'array_state'), 'clean')
		s.same(state.read(), 'clean\n', f'write {round}: its owner calls it clean')
	s.same(error_of(store, os.path.join(md, 'array_state'), 'inactive'), 'EBUSY', 'an array whose disk is open is busy')
	os.close(fd)
	state.close()


def stopped(s, md):
	disk = os.path.join(os.path.dirname(md), 'disk')
	run = s.bash('for i in $(seq 200); do echo inactive > array_state && break; done 2>/dev/null; cat array_state', md)
	s.same(run.stdout, 'inactive\n', 'with nobody there it stops')
	s.same(os.stat(disk).st_size, 0, 'and its disk is empty')
	store(os.path.join(md, 'array_state'), 'clear')
	s.same([n for n in os.listdir(md) if n.startswith(('dev-', 'rd'))], [], 'clear lets go of the members')


def hostile(s, md):
	os.mkdir(s.path('h'))
	store(os.path.join(md, 'metadata_version'), 'external:h')
	refused, folders = [], set()
	for name in HOSTILE:
		path = os.path.join(s.dir.encode(), b'h', name)
		with open(path, 'wb') as f:
			f.truncate(MIB)
		before = set(os.listdir(md.encode()))
		if error_of(store, os.path.join(md, 'new_dev'), path + b'\n'):
			refused.append(name)
			continue
		new = set(os.listdir(md.encode())) - before
		if len(new) != 1 or read(os.path.join(md.encode(), *new, b'state')) != 'spare\n':
			refused.append((name, new))
		folders |= new
	s.same(refused, [], f'{len(HOSTILE)} hostile names: each has its folder as soon as it is bound')
	s.ok(all(32 < b < 127 and b != ord('/') for f in folders for b in f), 'of harmless letters', folders)
	for folder in folders:
		store(os.path.join(md.encode(), folder, b'state'), 'remove')
	s.same([n for n in os.listdir(md) if n.startswith('dev-')], [], 'and is gone as soon as it is removed')
	s.same(len(os.listdir(s.path('h'))), len(HOSTILE), 'nobody touched the files')


def by_the_other_door(s, md, process):
	"""Members come and go by the control socket, and their folders are looked at as soon as it has answered."""
	path, folder, late = s.image('other', MIB), os.path.join(md, 'dev-other'), []
	with socket.socket(socket.AF_UNIX) as door:
		door.connect(os.path.join(os.path.dirname(md), 'control.sock'))

		def put(name, value, *fds):
			socket.send_fds(door, [json.dumps({'command': 'set', 'path': name, 'value': value}).encode() + b'\n'], fds)
			return door.recv(65536)

		for i in range(10):
			# The tree is held up, so that its own watch cannot be faster than the question.
			process.send_signal(signal.SIGSTOP)
			fd = os.open(path, os.O_RDWR)
			put('new_dev', path, fd)
			os.close(fd)
			looker = threading.Thread(target=lambda: late.append(i) if not os.path.exists(folder) else None)
			looker.start()
			looker.join(0.02)
			process.send_signal(signal.SIGCONT)
			looker.join()
			store(os.path.join(folder, 'state'), 'remove')
			if os.path.exists(folder):
				late.append(-i)
	s.same(late, [], 'a folder is there, and gone, at once, whoever made and removed it')


with TreeScene() as s:
	s.must('serve', '--background', '--inactive', '--name', 'ext')
	s.servers.append('ext')
	process, md = s.mount('ext')
	session(s, md)
	handshake(s, md)
	stopped(s, md)
	hostile(s, md)
	by_the_other_door(s, md, process)
	s.end_tree(process)
