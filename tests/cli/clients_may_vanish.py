"""Goal:   a client that disappears with requests in flight harms nobody.
Method: 100 clients send 16 large requests each, read nothing and are killed; a client beside them goes on working.
Law:    I9: once faults stop, every request ends; what the others wrote is read back.
Source: issue "A mirror that runs"; nbdkit before 1.33.10 aborts here when it is started carelessly.
"""
import os
import signal

from scene import MIB, Scene

CLIENTS, IN_FLIGHT, PIECE = 100, 16, 256 * 1024


def vanish(s, uri, number):
	"""A process that sends and dies: its socket is closed by the kernel with replies under way."""
	pid = os.fork()
	if pid:
		return os.waitpid(pid, 0)[1]
	try:
		send_and_die(s, uri, number)
	finally:
		os._exit(1)


def send_and_die(s, uri, number):
	import nbd
	h = s.connect(uri)
	buffers = [nbd.Buffer(PIECE) for _ in range(IN_FLIGHT)]
	for i, buffer in enumerate(buffers):
		at = (i + number) % IN_FLIGHT * PIECE
		if (i + number) % 3:
			h.aio_pread(buffer, at)
		else:
			h.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(PIECE)), 8 * MIB + at)
	os.kill(os.getpid(), signal.SIGKILL)


with Scene() as s:
	members = [s.image('a', 64 * MIB), s.image('b', 64 * MIB)]
	s.must('create', *members)
	uri = s.serve('vanish', *members)
	pid = s.json('detail', '--json', 'vanish')['pid']
	steady = s.connect(uri)
	data = os.urandom(PIECE)
	steady.pwrite(data, 20 * MIB)

	died = [vanish(s, uri, i) for i in range(CLIENTS)]
	s.same(died.count(signal.SIGKILL), CLIENTS, f'{CLIENTS} clients were killed with {IN_FLIGHT} requests in flight')
	s.ok(steady.pread(PIECE, 20 * MIB) == data, 'a client that was there all the time still reads what it wrote')
	steady.flush()
	s.same(s.json('detail', '--json', 'vanish')['pid'], pid, 'the server is the same process')
	late = s.connect(uri)
	late.pwrite(data[::-1], 30 * MIB)
	s.ok(late.pread(PIECE, 30 * MIB) == data[::-1], 'a new client writes and reads')
	late.shutdown()
	steady.shutdown()
	s.stop('vanish')
	s.same(os.path.exists(s.path('run/vanish')), False, 'it stops cleanly')
