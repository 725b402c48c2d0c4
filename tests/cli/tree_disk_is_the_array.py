"""Goal:   NAME/disk is the array: same bytes, same size, same promises as an NBD client gets.
Method: bytes written through the file are read by an NBD client and the other way round, at odd places and sizes, by direct
	I/O and through a loop device with a file system on it; holes; the end of the disk; a server that dies.
Law:    nothing is cached between the file and the array (one truth for all clients); fsync is a flush (I1); a server that
	died is never taken for one that kept its promise.
Source: design section 2, NAME/disk.
"""
import mmap
import os
import random
import re
import shutil
import subprocess
import time

from treescene import TreeScene, error_of

SIZE_MIB = 24


def fallocate(path, *args):
	return subprocess.run(['fallocate', *args, path], capture_output=True, text=True)


def same_bytes(s, disk, h):
	rng = random.Random(1)
	model = bytearray(h.pread(1 << 20, 0))
	fd = os.open(disk, os.O_RDWR)
	for i in range(200):
		at, length = rng.randrange(1 << 20), rng.choice([1, 511, 512, 4096, 5000, 70000])
		length = min(length, (1 << 20) - at)
		data = rng.randbytes(length)
		if i % 2:
			os.pwrite(fd, data, at)
		else:
			h.pwrite(data, at)
		model[at:at + length] = data
	s.ok(os.pread(fd, 1 << 20, 0) == model, 'what file and client wrote in turns is read through the file')
	s.ok(h.pread(1 << 20, 0) == model, 'and by the client')
	data = os.urandom(8192)
	h.pwrite(data, 4096)
	s.ok(os.pread(fd, 8192, 4096) == data, 'what a client writes is there at once: nothing is cached')
	os.fsync(fd)
	os.close(fd)


def direct(s, disk, h):
	data = mmap.mmap(-1, 1 << 20)
	data.write(os.urandom(1 << 20))
	fd = os.open(disk, os.O_RDWR | os.O_DIRECT | os.O_TRUNC)
	flushes = lambda: s.json('detail', '--json', 'home')['counters']['member_flushes']
	s.same(os.pwritev(fd, [data], 8 << 20), 1 << 20, 'direct I/O')
	s.ok(h.pread(1 << 20, 8 << 20) == data[:], 'writes what it says')
	before = flushes()
	os.fsync(fd)
	s.ok(flushes() > before, 'fsync flushes members')
	os.close(fd)


def what_is_asked(s):
	"""Another NBD server, whose log tells what a disk asks for; --disk and --uri put it in the array's place."""
	place, disk, log, sock = s.path('attributes'), s.path('elsewhere'), s.path('log'), s.path('log.sock')
	os.mkdir(place)
	open(disk, 'wb').close()
	with subprocess.Popen(['nbdkit', '--foreground', '-U', sock, '--filter=log', 'memory', '24M', f'logfile={log}',
			       '--run', f'exec {s.tree} --disk={disk} --uri="$uri" home {place}'], env=s.env, stdout=subprocess.PIPE) as keeper:
		s.ok(keeper.stdout.readline() == f'ready {place}\n'.encode(), 'a disk of another server is mounted elsewhere')
		asked = []
		for step in (lambda fd: os.pwrite(fd, b'a', 0), os.fsync, lambda fd: fallocate(disk, '-p', '-o', '0', '-l', '4096'),
			     lambda fd: fallocate(disk, '-z', '-o', '0', '-l', '4096')):
			fd = os.open(disk, os.O_RDWR)
			step(fd)
			os.close(fd)
		fd = os.open(disk, os.O_RDWR | os.O_DSYNC)
		os.pwrite(fd, b'b', 512)
		os.close(fd)
		subprocess.run(['fusermount3', '-u', disk], check=True)
	for line in open(log):
		if re.search(r' (Write|Flush|Zero|Trim) .*\.\.\.', line):
			asked.append(re.search(r'(Write|Flush|Zero|Trim)', line).group() + ''.join(re.findall(r' fua=1| trim=1', line)))
	s.same(asked, ['Write', 'Flush', 'Zero trim=1', 'Flush', 'Zero', 'Flush', 'Write fua=1'],
		'fsync is a flush, a hole a zero that may trim, a synchronous write is durable (fallocate syncs)')


def holes(s, disk, h):
	h.pwrite(b'x' * (1 << 20), 2 << 20)
	s.same(fallocate(disk, '-p', '-o', str(2 << 20), '-l', str(512 << 10)).returncode, 0, 'a hole is punched')
	s.ok(h.pread(1 << 20, 2 << 20) == bytes(512 << 10) + b'x' * (512 << 10), 'and reads as zeroes, for all')
	s.same(fallocate(disk, '-z', '-o', str((2 << 20) + (768 << 10)), '-l', str(128 << 10)).returncode, 0, 'a range is zeroed')
	s.ok(h.pread(1 << 20, 2 << 20) == bytes(512 << 10) + b'x' * (256 << 10) + bytes(128 << 10) + b'x' * (128 << 10), 'and is')
	s.ok('not supported' in fallocate(disk, '-l', '4096').stderr, 'room is not allocated: that is not supported')


def the_end(s, disk, size):
	s.same(os.stat(disk).st_size, size, 'the file is as long as the array')
	fd = os.open(disk, os.O_RDWR)
	s.same(os.lseek(fd, 0, os.SEEK_END), size, 'and ends there')
	s.same(os.pwrite(fd, b'y' * 8192, size - 4096), 4096, 'a write over the end is cut')
	s.same(error_of(os.pwrite, fd, b'y', size), 'ENOSPC', 'one behind it has no room')
	s.same(len(os.pread(fd, 8192, size - 100)), 100, 'a read over the end is cut')
	s.same(os.pread(fd, 8192, size), b'', 'one behind it is at the end')
	s.same((error_of(os.ftruncate, fd, 0), os.fstat(fd).st_size), (None, size), 'it cannot be truncated, as a block device cannot')
	os.close(fd)
	s.same(error_of(os.unlink, disk), 'EBUSY', 'nor removed')


def loop(s, disk):
	run = subprocess.run(['losetup', '--find', '--show', '--direct-io=on', disk], capture_output=True, text=True)
	if run.returncode:
		s.skip('a loop device with direct I/O, a file system on it', run.stderr.strip() or 'no losetup')
		return
	device, place = run.stdout.strip(), s.path('mnt')
	os.mkdir(place)
	try:
		subprocess.run(['mkfs.ext4', '-q', device], check=True, capture_output=True)
		mounted = subprocess.run(['mount', device, place], capture_output=True, text=True)
		if s.ok(mounted.returncode == 0, 'a loop device with direct I/O, a file system on it', mounted.stderr):
			shutil.copy(s.tool, place)
			os.sync()
			trimmed = subprocess.run(['fstrim', place], capture_output=True, text=True)
			s.same(trimmed.returncode, 0, 'fstrim reaches the array')
			subprocess.run(['umount', place], check=True)
			subprocess.run(['mount', device, place], check=True)
			s.ok(open(os.path.join(place, os.path.basename(s.tool)), 'rb').read() == open(s.tool, 'rb').read(),
				'a file is read back')
			subprocess.run(['umount', place], check=True)
	finally:
		subprocess.run(['losetup', '--detach', device], check=True)


def nothing_stays_open(s, disk, md):
	fd = os.open(disk, os.O_RDONLY)
	os.pread(fd, 4096, 0)
	clients = lambda: len([f for f in os.listdir(f'/proc/{s.json("detail", "--json", "home")["pid"]}/fd')])
	during = clients()
	os.close(fd)
	# The kernel tells the tree of it when close() has long returned.
	until = time.monotonic() + 30
	while clients() >= during and time.monotonic() < until:
		pass
	s.ok(during > clients(), 'no connection stays when nobody has the file open')


def server_dies(s, disk):
	fd = os.open(disk, os.O_RDWR)
	os.pwrite(fd, b'z' * 4096, 0)
	s.kill('home')
	s.ok(error_of(os.fsync, fd) in ('EIO', 'ENOTCONN', 'ECONNABORTED', 'ENODEV'), 'the server was killed: fsync does not say that all is well')
	s.ok(error_of(os.pwrite, fd, b'z', 0) in ('EIO', 'ENOTCONN', 'ECONNABORTED', 'ENODEV'), 'nor does a write')
	os.close(fd)


with TreeScene() as s:
	s.mirror('home')
	uri = f'nbd+unix:///home?socket={s.env["UMD_RUNTIME_DIR"]}/home/nbd.sock'
	process, md = s.mount('home')
	disk, h = os.path.join(os.path.dirname(md), 'disk'), s.connect(uri)
	h.set_strict_mode(0)	# requests that are not aligned are the server's to take
	same_bytes(s, disk, h)
	direct(s, disk, h)
	holes(s, disk, h)
	the_end(s, disk, h.get_size())
	h.shutdown()
	loop(s, disk)
	what_is_asked(s)
	nothing_stays_open(s, disk, md)
	server_dies(s, disk)
	process.communicate(timeout=30)
