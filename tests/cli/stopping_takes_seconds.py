"""Goal:   SIGTERM and `umd stop` end a server within 5 s, in the middle of a resync and with an idle client connected.
Method: members so large that their first resync takes long (they are sparse); the client only connects.
Law:    I9: every stop ends; the next start goes on with the resync.
Source: issue "A mirror that runs"; design section 2.
"""
import multiprocessing
import os
import signal
import time

from scene import MIB, Scene

LIMIT_S = 5
MEMBER_BYTES = 512 * 1024 * MIB


def start(s, *members):
	return s.serve_in_foreground('--name', 'ending', *members)


def ask_by_signal(server, s):
	server.send_signal(signal.SIGTERM)


def ask_by_command(server, s):
	s.must('stop', 'ending')


def ask_by_interrupt(server, s):
	server.send_signal(signal.SIGINT)


def end(s, ask, how, *members):
	server, uri = start(s, *members)
	idle = s.connect(uri)
	s.ok(idle.get_size() > 0, f'{how}: an idle client is connected')
	s.same(s.json('detail', '--json', 'ending')['sync_action'], 'resync', f'{how}: a resync runs')

	began = time.monotonic()
	ask(server, s)
	_, errors = server.communicate(timeout=60)
	took = time.monotonic() - began
	s.ok(took < LIMIT_S, f'{how}: the server ends within {LIMIT_S} s', f'it took {took:.1f} s')
	s.same(server.returncode, 0, f'{how}: with exit status 0')
	s.ok('error' not in errors and len(errors.splitlines()) <= 1, f'{how}: without noise', errors)
	s.same(os.listdir(s.path('run')), [], f'{how}: sockets and pid file are gone')


def write_until_refused(s, uri, pipe):
	"""A client that never rests: how many sectors were acknowledged, and the error that ended it."""
	import nbd
	h, count = s.connect(uri), 0
	try:
		while True:
			h.pwrite(bytes([count % 255 + 1]) * 512, count * 512)
			count += 1
			if count == 100:
				pipe.send('busy')
	except nbd.Error as error:
		pipe.send((count, error.errno))


def end_busy(s, *members):
	server, uri = start(s, *members)
	mine, theirs = multiprocessing.Pipe()
	client = multiprocessing.Process(target=write_until_refused, args=(s, uri, theirs))
	client.start()
	s.same(mine.recv(), 'busy', 'a client writes without rest')
	began = time.monotonic()
	ask_by_signal(server, s)
	server.communicate(timeout=60)
	took = time.monotonic() - began
	s.ok(took < LIMIT_S and server.returncode == 0, f'the server ends within {LIMIT_S} s', f'it took {took:.1f} s')
	count, error = mine.recv()
	client.join()
	s.ok(error in ('ESHUTDOWN', 'ENOTCONN', 'EPIPE', 'ECONNRESET'), 'and tells the client so', error)
	s.same(s.json('examine', '--json', *members)['arrays'][0]['next_start']['action'], 'none', 'the array is clean')
	server, uri = start(s, *members)
	h = s.connect(uri)
	s.ok(all(h.pread(512, i * 512) == bytes([i % 255 + 1]) * 512 for i in range(count)),
		f'each of its {count} acknowledged writes is there')
	h.shutdown()
	s.must('stop', 'ending')
	server.communicate()


with Scene() as s:
	small = [s.image('c'), s.image('d')]
	s.must('create', '--assume-clean', *small)
	end_busy(s, *small)
	members = [s.image('a', MEMBER_BYTES), s.image('b', MEMBER_BYTES)]
	s.must('create', '--bitmap-chunk=64M', *members)
	end(s, ask_by_signal, 'SIGTERM', *members)
	end(s, ask_by_command, 'umd stop', *members)
	end(s, ask_by_interrupt, 'SIGINT', *members)
	server, uri = start(s, *members)
	s.same(s.json('detail', '--json', 'ending')['sync_action'], 'resync', 'the next start goes on with it')
	s.must('stop', 'ending')
	s.same(server.wait(timeout=60), 0, 'and stops as well')
