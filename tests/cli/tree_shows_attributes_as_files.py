"""Goal:   attributes are files that shells and programs can use as they use sysfs.
Method: a mirror runs, its tree is mounted; a session in bash, then single system calls from python: modes, stores at any
	offset, snapshots, values that are refused with their errno, listings, and members that come by new_dev.
Law:    one read is one value, one write is one store; the errno is md's.
Source: attributes of md in sysfs; issue "Externally managed metadata", the tree.
"""
import os
import stat

from treescene import TreeScene, error_of, read, store


def session(s, md):
	run = s.bash('cat array_state level; echo frozen > sync_action; cat sync_action; echo idle >> sync_action; cat sync_action', md)
	s.same(run.stdout.split(), ['clean', 'raid1', 'frozen', 'idle'], 'bash: cat, > and >> work')
	s.same(run.stderr, '', 'and say nothing')
	s.same(s.bash('echo 0 | tee safe_mode_delay; head -c 3 safe_mode_delay', md).stdout, '0\n0.0', 'tee writes, head reads a part')
	run = s.bash('echo nonsense > array_state', md)
	s.ok(run.returncode and 'Invalid argument' in run.stderr, 'bash: a wrong word is an invalid argument', run.stderr)
	run = s.bash('echo 1 > bitmap/chunksize', md)
	s.ok(run.returncode and 'busy' in run.stderr, 'bash: what cannot be now is busy', run.stderr)
	run = s.bash('echo true > bitmap/can_clear && cat bitmap/can_clear', md)
	s.same(run.stdout + run.stderr, 'true\n', 'bitmap/can_clear is there')
	s.same(read(os.path.join(md, 'array_state')), 'clean\n', 'nothing that was refused has changed the state')


def modes(s, md):
	shown = s.json('attrs', 'home', '--json')
	files = {a['path']: int(a['mode'], 8) for a in shown if not a.get('link_to')}
	s.ok(len(files) > 40, 'the server lists its attributes', len(files))
	bad = [path for path, mode in files.items() if stat.S_IMODE(os.lstat(os.path.join(md, path)).st_mode) != mode]
	s.same(bad, [], 'each is a file with the mode of the list')
	found = {os.path.relpath(os.path.join(at, name), md) for at, folders, names in os.walk(md)
		for name in names + [f for f in folders if os.path.islink(os.path.join(at, f))]}
	s.same(found, {a['path'] for a in shown}, 'and there is no other file')
	s.same({os.lstat(os.path.join(md, path)).st_size for path in files}, {4096}, 'all say that they have 4096 bytes')
	s.same([a['path'] for a in shown if a.get('link_to') and os.readlink(os.path.join(md, a['path'])) != a['link_to']], [],
		'links lead where the server says')
	s.same(error_of(os.open, os.path.join(md, 'degraded'), os.O_WRONLY), 'EACCES', 'a 0444 file is not opened for writing')
	s.same(error_of(os.open, os.path.join(md, 'degraded'), os.O_RDWR), 'EACCES', 'nor for both')
	s.same(error_of(os.open, os.path.join(md, 'new_dev'), os.O_RDONLY), 'EACCES', 'a 0200 file is not opened for reading')
	s.same(error_of(os.chmod, os.path.join(md, 'degraded'), 0o666), 'EPERM', 'modes cannot be changed')
	s.ok(error_of(os.unlink, os.path.join(md, 'level')), 'files cannot be removed')
	s.ok(error_of(os.open, os.path.join(md, 'mine'), os.O_CREAT | os.O_WRONLY), 'nor made')
	s.same(error_of(os.stat, os.path.join(md, 'nothing')), 'ENOENT', 'a name that is none is not found')


def calls(s, md):
	path = os.path.join(md, 'safe_mode_delay')
	store(path, '0.25\n')
	fd = os.open(path, os.O_RDWR)
	s.same(os.pread(fd, 100, 0), b'0.250\n', 'a value and its newline are read')
	s.same(os.pread(fd, 100, 4), b'0\n', 'the rest of the same value behind it')
	s.same(os.pread(fd, 100, 6), b'', 'then the end')
	store(path, '0.5')
	s.same(os.pread(fd, 100, 2), b'250\n', 'an open file keeps what it has read')
	s.same(os.pread(fd, 100, 0), b'0.500\n', 'until it is read from the start')
	s.same(os.pwrite(fd, b'1.25\n', 3000), 5, 'a write anywhere in the file')
	s.same(os.pread(fd, 100, 0), b'1.250\n', 'is the whole value')
	for name, value in (('nothing but a newline', b'\n'), ('half a word', b'na'), ('bytes that are no text', b'\xff\x00\x01'),
			    ('4096 bytes', b'9' * 4096), ('16 KiB', b'9' * 16384), ('100 KiB', b'7' * 102400)):
		s.ok(error_of(os.pwrite, fd, value, 0), f'{name}: refused')
		s.same(os.pread(fd, 100, 0), b'1.250\n', f'{name}: nothing has changed')
	os.close(fd)
	s.same(error_of(os.truncate, path, 0), None, 'a truncation is taken')
	s.same(read(path), '1.250\n', 'and does nothing')
	store(path, '0.2\n')


def member(s, md, members):
	s.same(error_of(store, os.path.join(md, 'new_dev'), 'new.img'), 'EINVAL', 'new_dev: a relative path is nobody\'s')
	s.same(error_of(store, os.path.join(md, 'new_dev'), s.path('none')), 'ENOENT', 'new_dev: a file that is not there')
	s.same(error_of(store, os.path.join(md, 'new_dev'), s.dir), 'EINVAL', 'new_dev: a folder is no member')
	s.same(error_of(store, os.path.join(md, 'new_dev'), '9999:1'), 'ENXIO', 'new_dev: a device that is not there')
	s.ok(error_of(store, os.path.join(md, 'new_dev'), members[0]), 'new_dev: a member that is one')
	s.same(sorted(n for n in os.listdir(md) if n.startswith('dev-')), ['dev-home-0.img', 'dev-home-1.img'], 'two members are there')
	folder = os.path.join(md, 'dev-home-1.img')
	run = s.bash('cat dev-home-1.img/state && echo faulty > dev-home-1.img/state && cat dev-home-1.img/state degraded', md)
	s.ok(run.stdout.split()[0] == 'in_sync' and 'faulty' in run.stdout.split()[1] and run.stdout.split()[2] == '1',
		'a member fails by a word', run.stdout, run.stderr)
	held = os.open(os.path.join(folder, 'slot'), os.O_RDONLY)
	s.same(error_of(store, os.path.join(md, 'dev-home-0.img/state'), 'faulty'), 'EBUSY', 'the last one does not')
	run = s.bash('for i in $(seq 100); do echo remove > dev-home-1.img/state && break; done; ls -d dev-*', md)
	s.same(run.stdout, 'dev-home-0.img\n', 'remove takes its folder away at once')
	s.same(error_of(os.stat, folder), 'ENOENT', 'nothing is found there')
	s.same(error_of(os.pread, held, 100, 0), 'ENODEV', 'a file of it that is still open: no such device')
	os.close(held)


with TreeScene() as s:
	members = s.mirror('home')
	process, md = s.mount('home')
	s.same(md, os.path.join(s.env['UMD_RUNTIME_DIR'], 'home', 'md'), 'the tree stands in the run-time directory')
	session(s, md)
	modes(s, md)
	calls(s, md)
	member(s, md, members)
	s.same(s.end_tree(process), '', 'the tree ends without a word')
	s.same((process.returncode, os.path.exists(md)), (0, False), 'and leaves nothing')
