"""umd's turn: a server, clients that write through NBD until it is killed, and what its members hold."""
import multiprocessing
import os
import random
import signal

import regions

NAME = 'killed'


class NbdDisk:
	def __init__(self, uri):
		import nbd
		self.fua, self.handle = nbd.CMD_FLAG_FUA, nbd.NBD()
		self.handle.connect_uri(uri)

	def flush(self):
		self.handle.flush()

	def pread(self, count, at):
		return bytes(self.handle.pread(count, at))

	def pwrite(self, data, at, is_durable):
		self.handle.pwrite(data, at, self.fua if is_durable else 0)

	def zero(self, count, at, is_durable):
		self.handle.zero(count, at, self.fua if is_durable else 0)


def write_until_killed(uri, region, seed, pipe):
	"""A writer, a process of its own with two connections. Says when it is under way, and in the end what it knows."""
	import nbd
	rng, steps, wrong = random.Random(seed), 0, False
	try:
		disks = [NbdDisk(uri), NbdDisk(uri)]
		while not wrong:
			wrong = not regions.one_step(rng, rng.choice(disks), region)
			steps += 1
			if steps == 20:
				pipe.send('under way')
	except nbd.Error:
		pass
	if steps < 20:
		pipe.send('ended early')
	pipe.send((region, steps, wrong))


class Writers:
	def __init__(self, uri, known, rng):
		self.crew = []
		for region in known:
			mine, theirs = multiprocessing.Pipe()
			p = multiprocessing.Process(target=write_until_killed, args=(uri, region, rng.random(), theirs))
			p.start()
			self.crew.append((p, mine))

	def are_under_way(self):
		return all([pipe.recv() == 'under way' for _, pipe in self.crew])	# each has said something

	def results(self):
		"""The regions as the writers know them, how many requests they made, whether all reads were right."""
		got = [pipe.recv() for _, pipe in self.crew]
		for p, _ in self.crew:
			p.join()
		return [r for r, _, _ in got], sum(n for _, n, _ in got), not any(wrong for _, _, wrong in got)


class Server:
	def __init__(self, s, members):
		self.keeper, self.uri = s.serve_in_foreground('--name', NAME, *members, start_new_session=True)
		self.pid = s.json('detail', '--json', NAME)['pid']

	def kill(self, with_keeper):
		"""False when it had died by itself; what it said is in self.words."""
		lived = True
		try:
			if with_keeper:
				os.killpg(self.keeper.pid, signal.SIGKILL)
			else:
				os.kill(self.pid, signal.SIGKILL)
		except ProcessLookupError:
			lived = False
		self.words = self.keeper.communicate()[1]
		return lived

	def stop(self, s):
		s.must('stop', NAME)
		self.keeper.communicate()
		return self.keeper.returncode


def create(s, members, writers):
	"""An array that is synced and stopped; the writers' regions."""
	s.must('create', '--bitmap-chunk=64K', *members)
	server = Server(s, members)
	size = s.connect(server.uri).get_size()
	s.must('wait', NAME)
	s.same(server.stop(s), 0, 'the first resync is done')
	return [regions.Region(w, size // regions.SECTOR // writers) for w in range(writers)]


def data_areas_are_equal(s, members):
	areas = []
	for m in s.json('examine', '--json', *members)['members']:
		with open(m['path'], 'rb') as f:
			f.seek(m['superblock']['data_offset_bytes'])
			areas.append(f.read(m['superblock']['array_bytes']))
	return len(areas[0]) > 0 and all(a == areas[0] for a in areas)
