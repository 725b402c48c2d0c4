"""Goal:   a running array's bitmap moves from its members into a file, back, and away, and a kill at any time leaves an
	array that copies what it must and no more.
Method: umd grow under writes; SIGKILL behind each change and in the middle of them; copies compared.
Law:    I2: copies are equal when the resync has ended; I3: the map there is covers what was written; I9.
Source: docs/differences.md, file-number: a file that was left is out of date from the next write on.
"""
import json
import os
import random
import subprocess
import threading
import time

from scene import Scene

CHUNK = 65536
DATA_AT = 1 << 20


def data(s, name):
	with open(s.path(name), 'rb') as f:
		f.seek(DATA_AT)
		return f.read()


def memory(s):
	path = s.path('state/bitmap-files')
	return list(json.load(open(path)).values()) if os.path.exists(path) else []


def bitmap(s):
	return s.json('detail', '--json', 'home')['bitmap']


def after_kill(s, a, b, words, wanted, text):
	"""Writes three chunks, kills, makes the copies differ there, starts again: what was copied."""
	client = s.connect(uri_of(s))
	for chunk in (2, 5, 200):
		client.pwrite(os.urandom(4096), chunk * CHUNK)
	s.kill('home')
	with open(b, 'r+b') as f:
		f.seek(DATA_AT + 200 * CHUNK)
		f.write(b'differs')
	s.serve('home', *words, a, b)
	s.must('wait', 'home')
	last = s.json('detail', '--json', 'home')['last_sync']
	s.ok(wanted(last['bytes_copied']) and data(s, 'a.img') == data(s, 'b.img'), text, last)


def uri_of(s):
	return 'nbd+unix:///?socket=' + s.path('run/home/nbd.sock')


def check_moves(s, a, b):
	three = lambda n: n == 3 * CHUNK
	s.serve('home', a, b)
	s.must('wait', 'home')
	run = s.must('grow', 'home', '--bitmap=map.bm', '--bitmap-chunk=64K', '--dry-run')
	s.ok('would get' in run.stdout and not os.path.exists(s.path('map.bm')), 'a dry run makes no file', run.stdout)
	s.must('grow', 'home', '--bitmap=map.bm', '--bitmap-chunk=64K')
	got = bitmap(s)
	s.same((got['kind'], got['path'], memory(s)), ('file', s.path('map.bm'), [s.path('map.bm')]),
		'internal to a file: it is there, and remembered')
	s.same(s.umd('get', 'home', 'bitmap/location').stdout, 'file\n', 'the attribute says so')
	after_kill(s, a, b, ['--bitmap=map.bm'], three, 'after a kill the file tells what is copied')
	s.refused(s.umd('grow', 'home', '--bitmap=other.bm'), 1, ['already'], 'a second file is refused')
	s.ok(not os.path.exists(s.path('other.bm')), 'and not left behind')
	s.refused(s.umd('grow', 'home', '--bitmap-chunk=128K'), 1, ['in a file'], 'other chunks in place are refused')
	s.must('grow', 'home', '--bitmap=internal', '--bitmap-chunk=64K')
	s.same((bitmap(s)['kind'], memory(s)), ('internal', []), 'a file to internal: the file is forgotten')
	after_kill(s, a, b, [], three, 'after a kill the members\' own map tells')
	s.refused(s.umd('grow', 'home', '--bitmap=map.bm'), 1, ['exist'], 'an existing file is not written over')
	s.must('grow', 'home', '--bitmap=map.bm', '--bitmap-chunk=64K', '--force')
	s.must('grow', 'home', '--bitmap=none')
	s.same((bitmap(s), memory(s)), (None, []), 'a file to none: forgotten as well')
	after_kill(s, a, b, ['--bitmap=map.bm'], lambda n: n > 400 * CHUNK,
		'the file that was left is out of date after a write: everything is copied')
	s.must('grow', 'home', '--bitmap=none')
	s.must('grow', 'home', '--bitmap=./none.bm', '--bitmap-chunk=64K')
	after_kill(s, a, b, ['--bitmap=none.bm'], three, 'none to a file: the file tells')
	s.stop('home')


def write_on(s, errors, stop):
	client, lot = s.connect(uri_of(s)), random.Random(1)
	try:
		while not stop.is_set():
			client.pwrite(lot.randbytes(4096), lot.randrange(400) * CHUNK)
	except Exception as e:		# the kill
		errors.append(e)


def check_kills(s, a, b):
	"""Changes back and forth under writes, killed at some moment; the next start takes the map there is."""
	lot, rounds, unequal, refused = random.Random(5), 12, [], []
	kind = ['--bitmap=none.bm']
	for n in range(rounds):
		run = s.umd('serve', '--background', '--name', 'home', *kind, a, b)
		if run.returncode and 'internal bitmap' in run.stderr:
			run = s.umd('serve', '--background', '--name', 'home', a, b)
		if run.returncode:
			refused.append(run.stderr)
			break
		s.servers.append('home')
		s.must('wait', 'home')
		if data(s, 'a.img') != data(s, 'b.img'):
			unequal.append(n)
		errors, stop = [], threading.Event()
		writer = threading.Thread(target=write_on, args=(s, errors, stop))
		writer.start()
		goes = subprocess.Popen(['sh', '-c', 'for i in 1 2 3 4 5 6; do "$0" grow home --bitmap=internal --bitmap-chunk=64K;'
			' "$0" grow home --bitmap=./none.bm --bitmap-chunk=64K --force; done', s.tool], env=s.env, cwd=s.dir,
			stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		time.sleep(lot.uniform(0.02, 0.4))
		s.kill('home')
		stop.set()
		writer.join()
		goes.wait()
		kind = ['--bitmap=' + memory(s)[0]] if memory(s) else []
	s.same(refused, [], f'{rounds} kills in the middle of changes: every one is started from')
	s.same(unequal, [], 'and the copies are equal after each')


with Scene() as s:
	a, b = s.image('a.img'), s.image('b.img')
	s.must('create', '--assume-clean', '--name=home', '--bitmap-chunk=64K', a, b)
	check_moves(s, a, b)
	check_kills(s, a, b)
