"""Loads for the recording plugin: arrays made, served by nbdkit with the recorder inside, written by many threads at
once, while members fail and return and servers are killed, fail and stop.

A load is several lives of one array; each life leaves one log. Every write fills its range with one word that nobody
else writes, so that whoever replays the logs knows for each sector who wrote what. Requests are whole sectors.

What the logs tell is judged by whoever replays them. What they cannot tell is looked at here: servers that end by
themselves or with another status, connections that are lost, requests that fail on the way between client and array,
waits that run out; then run() raises Failed. A server that has nothing to wait for is told from a slow machine by its
threads: all of them sleep, and its log does not grow (Stillness).
"""
import glob
import os
import random
import signal
import struct
import subprocess
import threading
import time

SECTOR, SPAN_MAX = 512, 90
WORD_IS_FUA = 1 << 47		# in the word itself, so that nobody on the way can forget it
MIB = 1 << 20
THREADS = 6
LOOK_S, LOOKS_STILL, PATIENCE_S = 0.05, 100, 60
RECORD = struct.Struct('=4I3Qq2Q')	# struct mbr_record
ANSWERED, ESHUTDOWN = 5, 108


class StoodStill(RuntimeError):
	pass


class Failed(RuntimeError):
	"""A load that ended otherwise than it must. has_stood_still: no thread of the server had anything left to do."""

	def __init__(self, why, members, logs):
		super().__init__(str(why))
		self.members, self.logs, self.has_stood_still = members, logs, isinstance(why, StoodStill)


class Load:
	"""What a load is made of. lives: what ends each (stop, kill), what happens in it, which faults are ordered; is_mostly:
	the last member is write-mostly."""

	def __init__(self, name, lives, members=2, create=('--bitmap-chunk=16K',), metadata='1.0', requests=250, is_mostly=False):
		self.is_mostly = is_mostly
		self.name, self.lives, self.members, self.create, self.metadata = name, lives, members, create, metadata
		self.requests = requests


class Life:
	"""@absent: letters of members that are not given; then the array is started with --run."""

	def __init__(self, end='stop', faults='', events=(), absent=''):
		self.end, self.faults, self.events, self.absent = end, faults, events, absent


LOADS = [
	Load('calm', [Life('kill', 'a:write:20:slow b:write:60:slow a:flush:40:slow'), Life('stop'),
		      Life('kill', 'b:flush:30:slow')]),
	Load('alone', [Life('kill'), Life('kill', absent='b'), Life('stop', 'a:write:50:slow'), Life('stop', absent='a'),
		       Life('kill')],
	     create=('--bitmap-chunk=64K', '--assume-clean'), requests=120),
	Load('three', [Life('kill', events=['fail b', 're-add b']), Life('stop', events=['fail c', 're-add c', 'fail a', 'add a'])],
	     members=3, metadata='1.2', create=('--bitmap-chunk=8K', '--assume-clean')),
	Load('flushes', [Life('kill', 'b:flush:20:eio', events=['lost b', 'add b']),
			 Life('kill', 'a:flush:20:eio', events=['lost a', 'add a']),
			 Life('stop', 'a:durable:20:eio', events=['lost a', 'add a'])],
	     create=('--bitmap-chunk=32K',)),
	Load('writes', [Life('kill', 'a:write:20:short a:write:50:short b:write:30:eintr a:write:90:short b:read:3:short '
			'a:read:7:eintr b:flush:9:eintr b:write:60:eio', events=['lost b', 'add b']),
			Life('stop', 'a:durable:5:unsupported b:write:5:unsupported b:write:40:short')], metadata='1.1'),
	Load('behind', [Life('kill', 'b:write:30:slow b:write:40:slow b:write:55:slow b:flush:30:slow b:write:80:slow'),
			Life('kill', 'b:write:60:slow b:write:70:slow', events=['fail b', 're-add b']),
			Life('stop', 'b:write:40:eio', events=['lost b', 'add b'])],
	     create=('--bitmap-chunk=16K', '--write-behind=4'), is_mostly=True),
	Load('bare', [Life('kill'), Life('stop', 'b:durable:30:eio')], create=('--bitmap=none', '--assume-clean')),
]


class Stage:
	"""Where a load happens: paths, tool, plugin."""

	def __init__(self, folder, tool, plugin, preload=''):
		self.dir, self.tool, self.plugin, self.preload = folder, tool, plugin, preload
		self.env = {**os.environ, 'LC_ALL': 'C.UTF-8', 'UMD_RUNTIME_DIR': os.path.join(folder, 'run')}

	def path(self, name):
		return os.path.join(self.dir, name)

	def umd(self, *args):
		return subprocess.run([self.tool, *args], env=self.env, cwd=self.dir, capture_output=True, text=True, timeout=60,
			stdin=subprocess.DEVNULL)


class Server:
	"""nbdkit with the recording plugin, on a socket of its own."""

	def __init__(self, stage, name, members, log, faults, is_degraded):
		self.stage, self.name, self.log, self.is_ending = stage, name, log, False
		self.socket, self.words = stage.path(name + '.sock'), stage.path(name + '.stderr')
		env = {**stage.env, 'UMD_RECORD_LOG': log, 'UMD_RECORD_FAULTS': faults}
		if stage.preload:
			env['LD_PRELOAD'] = stage.preload
		if os.path.exists(self.socket):
			os.unlink(self.socket)
		args = ['nbdkit', '-f', '--exit-with-parent', '-t', '8', '-U', self.socket, stage.plugin, 'name=' + name]
		args += ['member=' + m for m in members]
		if is_degraded:
			args.append('run=true')
		with open(self.words, 'w', encoding='utf-8') as err:
			self.process = subprocess.Popen(args, env=env, cwd=stage.dir, stdin=subprocess.DEVNULL, stderr=err)

	def connect(self):
		import nbd
		for _ in range(1000):
			if self.process.poll() is not None:
				break
			handle = nbd.NBD()
			try:
				handle.connect_unix(self.socket)
				return handle
			except nbd.Error:
				time.sleep(0.01)	# nbdkit tells nobody when its socket is there
		with open(self.words, encoding='utf-8') as f:
			raise RuntimeError('the recording server does not start: ' + f.read())

	def end(self, how):
		"""The status; raises when a stop does not end."""
		stillness, self.is_ending = Stillness(self), True
		self.process.send_signal(signal.SIGKILL if how == 'kill' else signal.SIGTERM)
		while self.process.poll() is None:
			time.sleep(LOOK_S)
			stillness.look(0)
		return self.process.returncode

	def is_idle(self):
		"""All its threads sleep: none runs, waits for a processor, or for a disk."""
		try:
			for path in glob.glob(f'/proc/{self.process.pid}/task/*/stat'):
				with open(path, encoding='utf-8') as f:
					if f.read().rsplit(')', 1)[1].split()[0] != 'S':
						return False
		except OSError:
			return False		# a thread that has just ended
		return True


class Stillness:
	"""Whoever waits for a server looks here each LOOK_S; raises when there is nothing to be waited for any more."""

	def __init__(self, server):
		self.server, self.since, self.seen, self.looks = server, time.monotonic(), None, 0

	def look(self, done):
		"""@done: what the waiter counts."""
		seen = (done, os.path.getsize(self.server.log))
		self.looks = self.looks + 1 if seen == self.seen and self.server.is_idle() else 0
		if not self.seen or self.seen[0] != done:
			self.since = time.monotonic()
		self.seen = seen
		if self.looks >= LOOKS_STILL:
			raise StoodStill('no thread of the server has anything to do any more')
		if time.monotonic() - self.since > PATIENCE_S:
			raise RuntimeError(f'nothing was done in {PATIENCE_S} s')


class Writers:
	"""THREADS connections, each with one request at a time, until told to end or the server is gone."""

	def __init__(self, server, seed, clock):
		self.server, self.clock, self.is_over = server, clock, False
		self.lock, self.moved, self.done = threading.Lock(), threading.Condition(), 0
		self.refused, self.lost = 0, []
		self.pause = threading.Event()
		self.pause.set()
		self.crew = [threading.Thread(target=self.work, args=(random.Random(seed * 1000 + i), server.connect()))
			     for i in range(THREADS)]
		for t in self.crew:
			t.start()

	def word(self):
		with self.lock:
			self.clock[0] += 1
			return self.clock[0]

	def work(self, lots, handle):
		import nbd
		sectors = handle.get_size() // SECTOR
		while not self.is_over:
			self.pause.wait()
			try:
				self.one_request(lots, handle, sectors)
			except nbd.Error as e:
				if not self.bears_with(handle, e):
					break
			with self.moved:
				self.done += 1
				self.moved.notify_all()
		with self.moved:
			self.done += 1 << 30		# nobody waits for one who is gone
			self.moved.notify_all()

	def bears_with(self, handle, error):
		"""False: the connection is gone. Whoever is ending may say so, or hang up."""
		is_gone = handle.aio_is_dead() or handle.aio_is_closed()
		with self.lock:
			if is_gone and not self.server.is_ending:
				self.lost.append(str(error))
			self.refused += not is_gone and not (self.server.is_ending and error.errno == 'ESHUTDOWN')
		return not is_gone

	def one_request(self, lots, handle, sectors):
		import nbd
		kind, count = lots.random(), lots.choice([1, 1, 2, 8, 8, lots.randrange(1, SPAN_MAX)])
		hot = lots.randrange(4) * (sectors // 4) + lots.randrange(40)
		first = min(hot if lots.random() < 0.6 else lots.randrange(sectors), sectors - count)
		flags = nbd.CMD_FLAG_FUA if lots.random() < 0.2 else 0
		if kind < 0.5:
			word = self.word() | (WORD_IS_FUA if flags else 0)
			handle.pwrite(struct.pack('<Q', word) * (count * SECTOR // 8), first * SECTOR, flags)
		elif kind < 0.55:
			handle.zero(count * SECTOR, first * SECTOR, flags | (nbd.CMD_FLAG_NO_HOLE if lots.random() < 0.3 else 0))
		elif kind < 0.6:
			handle.trim(count * SECTOR, first * SECTOR, flags)
		elif kind < 0.75:
			handle.pread(count * SECTOR, first * SECTOR)
		else:
			handle.flush()

	def wait(self, requests):
		stillness = Stillness(self.server)
		while not self.have_done(requests):
			stillness.look(self.done)

	def have_done(self, requests):
		with self.moved:
			return self.moved.wait_for(lambda: self.done >= requests, LOOK_S)

	def rest(self, seconds):
		"""Nobody asks for a while: the array becomes clean, the bits are swept."""
		self.pause.clear()
		time.sleep(seconds)
		self.pause.set()

	def end(self):
		"""Each hears the answer it waits for."""
		stillness, self.is_over = Stillness(self.server), True
		self.pause.set()
		for t in self.crew:
			t.join(LOOK_S)
			while t.is_alive():
				stillness.look(self.done)
				t.join(LOOK_S)

	def check(self):
		"""What clients heard and the log does not explain."""
		if self.lost:
			raise RuntimeError('a connection was lost: ' + self.lost[0])
		known = refusals(self.server.log)
		if self.refused > known:
			raise RuntimeError(f'{self.refused} requests failed for clients, and the array had refused {known}')


def refusals(log):
	"""How many requests the array has answered with an error, but that it stops."""
	count = 0
	with open(log, 'rb') as f:
		while len(head := f.read(RECORD.size)) == RECORD.size:
			kind, _, _, _, _, _, _, rc, _, extra = RECORD.unpack(head)
			count += kind == ANSWERED and rc not in (0, -ESHUTDOWN)
			f.seek((extra + 7) & ~7, os.SEEK_CUR)
	return count


def fill(stage, load, members):
	"""Each member's data area with words of its own, unless they are assumed to be equal."""
	import json
	if '--assume-clean' in load.create:
		return
	looks = json.loads(stage.umd('examine', '--json', *members).stdout)['members']
	for number, (path, look) in enumerate(zip(members, looks)):
		with open(path, 'r+b') as f:
			f.seek(look['superblock']['data_offset_bytes'])
			for s in range(look['superblock']['array_bytes'] // SECTOR):
				f.write(struct.pack('<Q', (1 << 56) + (number << 48) + s) * (SECTOR // 8))


def create(stage, load):
	members = [stage.path(f'{load.name}-{"abcdef"[i]}') for i in range(load.members)]
	for m in members:
		with open(m, 'wb') as f:
			f.truncate(MIB + (1200 << 10 if load.metadata != '1.0' else 160 << 10))
	mostly = ['--write-mostly'] if load.is_mostly else []
	run = stage.umd('create', '--metadata=' + load.metadata, '--size=1M', *load.create, *members[:-1], *mostly, members[-1])
	if run.returncode:
		raise RuntimeError(run.stderr)
	fill(stage, load, members)
	return members


def administer(stage, load, event):
	import json
	verb, letter = event.split()
	path = stage.path(f'{load.name}-{letter}')
	if verb == 'lost':
		for _ in range(60):		# not lost: then the replayer has something to say
			found = json.loads(stage.umd('detail', '--json', load.name).stdout)['members']
			if any(m['path'] == path and m['state'] == 'faulty' for m in found):
				return
			time.sleep(0.02)
		return
	if verb in ('add', 're-add'):
		stage.umd('manage', load.name, '--remove', path)
	stage.umd('manage', load.name, '--' + verb, path)


def faults_of(load, life, lots):
	"""The ordered faults as the recorder reads them; when each comes is up to the seed."""
	orders = [word.split(':') for word in life.faults.split()]
	return ' '.join(f'{load.name}-{letter}:{op}:{lots.randrange(int(nth) // 2, 2 * int(nth)) + 1}:{how}'
			for letter, op, nth, how in orders)


def live(stage, load, life, members, log, seed, clock):
	lots = random.Random(seed)
	given = [m for m in members if m[-1] not in life.absent]
	server = Server(stage, load.name, given, log, faults_of(load, life, lots), life.absent)
	writers = None
	try:
		writers = Writers(server, seed, clock)
		status = let_live(stage, load, life, server, writers, lots)
	finally:
		server.is_ending = True
		server.process.kill()
		server.process.wait()
		if writers:
			writers.end()
	with open(server.words, encoding='utf-8') as f:
		words = f.read()
	if status != (0 if life.end == 'stop' else -signal.SIGKILL):
		raise RuntimeError(f'the server ended with status {status}: {words}')
	writers.check()
	return words


def let_live(stage, load, life, server, writers, lots):
	"""What happens in a life until its end; the server's status."""
	shares = len(life.events) + 2
	for number in range(shares - 1):
		writers.wait(load.requests * (number + 1) // shares)
		if number < len(life.events):
			administer(stage, load, life.events[number])
		if lots.random() < 0.7:
			writers.rest(0.15)
	writers.wait(load.requests)
	if life.end == 'stop' and lots.random() < 0.5:
		writers.end()
	return server.end(life.end)


def run(stage, load, seed):
	"""(members, logs, words of the servers). Raises Failed when a server does not do what it must."""
	members, logs, words, clock = create(stage, load), [], '', [0]
	for number, life in enumerate(load.lives):
		logs.append(stage.path(f'{load.name}-{number}.log'))
		try:
			words += live(stage, load, life, members, logs[-1], seed * 100 + number, clock)
		except (RuntimeError, subprocess.TimeoutExpired) as e:
			raise Failed(e, members, logs) from e
	return members, logs, words
