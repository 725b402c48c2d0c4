"""Programs with a bug in them: objects that are compiled once, one planted file, and the run that must catch it."""
import concurrent.futures
import glob
import os
import re
import subprocess
import threading
import time

import table

SIM = 'tests/sim-next'		# the simulator's folder
ROOMS = ['src/base', 'src/format', 'src/bitmap', 'src/array', 'src/assembly']
FLAGS = ['-std=gnu17', '-O1', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-DUMD_LAWS_ARE_SILENT', '-w']
TRUNKS = 400			# seeds of the first round
TRUNKS_PER_CRASHED = 50		# that cost as much as one with a crash wherever there can be one
SEEN_WITHOUT = 'seen without it as well:'


class BuildError(Exception):
	pass


def run(command, limit=None, folder=None, env=None):
	"""(status, output); the status is None when it was killed at the limit."""
	try:
		done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit,
				      cwd=folder, env=env or dict(os.environ, TMPDIR=folder or '/tmp'))
	except subprocess.TimeoutExpired:
		return None, ''
	return done.returncode, done.stdout.decode(errors='replace')


def must(command, what):
	status, output = run(command)
	if status:
		raise BuildError(f'{what}:\n{output}')


def inputs_of(obj):
	"""The files an object was made of, as the compiler told."""
	with open(obj[:-1] + 'd', encoding='utf-8') as f:
		return f.read().replace('\\\n', ' ').split(':', 1)[1].split()


def is_fresh(obj):
	if not os.path.exists(obj) or not os.path.exists(obj[:-1] + 'd'):
		return False
	made = os.path.getmtime(obj)
	return all(os.path.exists(path) and os.path.getmtime(path) <= made for path in inputs_of(obj))


class World:
	"""The folder of objects. @root: the tree, never written to."""

	def __init__(self, root, folder, jobs):
		self.root, self.folder, self.jobs = root, folder, jobs
		self.cc = os.environ.get('CC', 'cc').split()
		self.plain, self.kept, self.lock = os.path.join(folder, 'plain'), {}, threading.Lock()
		self.hands = None	# the recording plugin's objects, once somebody needs them

	def sources(self, pattern):
		return sorted(os.path.relpath(path, self.root) for path in glob.glob(os.path.join(self.root, pattern)))

	def is_program(self, source):
		with open(os.path.join(self.root, source), encoding='utf-8') as f:
			return re.search(r'^int main\(', f.read(), re.MULTILINE)

	def sim_sources(self):
		"""The brains with the simulator: it has its own allocator, and tests of its own beside it."""
		sim = [path for path in self.sources(SIM + '/*.c') if path.endswith('/main.c') or not self.is_program(path)]
		return [path for path in self.pure_sources() if path != 'src/base/mem.c'] + sim

	def pure_sources(self):
		return [path for room in ROOMS for path in self.sources(room + '/*.c')]

	def unit_sources(self, name):
		return [*self.pure_sources(), f'tests/unit/{name}.c']

	def object_of(self, source):
		return os.path.join(self.folder, 'objects', source.replace('/', '-')[:-1] + 'o')

	def compile(self, source, obj, shadow=None):
		"""@shadow: a folder whose src comes before the tree's."""
		includes = ['src', 'tests', 'include']
		path = os.path.join(self.root, source)
		if shadow and os.path.exists(os.path.join(shadow, source)):
			path = os.path.join(shadow, source)
			includes.append(os.path.dirname(source))
		before = ['-I' + os.path.join(shadow, 'src')] if shadow else []
		must([*self.cc, *FLAGS, *before, *('-I' + os.path.join(self.root, i) for i in includes), '-MMD', '-c', path,
		      '-o', obj], f'{source} does not compile')

	def build(self, bugs):
		"""Every object that the programs of these bugs need, unless it is fresh."""
		catchers, sources = {bug.catcher for bug in bugs}, set(self.pure_sources())
		os.makedirs(os.path.join(self.folder, 'objects'), exist_ok=True)
		for bug in bugs:
			if bug.catcher == 'unit':
				sources |= set(self.unit_sources(bug.caught.split()[1]))
		wants_simulator = catchers & {'sim', 'exhaust', 'scenario'}
		if wants_simulator:
			sources |= set(self.sim_sources())
		self.compile_stale(sources)
		if wants_simulator:
			must([*self.cc, *map(self.object_of, self.sim_sources()), '-o', self.plain], 'the simulator does not link')
		if 'record' in catchers:
			from hands import Hands
			self.hands = Hands(self.root, self.folder, self.jobs)
			self.hands.build(bugs)

	def compile_stale(self, sources):
		stale = [source for source in sorted(sources) if not is_fresh(self.object_of(source))]
		with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
			list(pool.map(lambda source: self.compile(source, self.object_of(source)), stale))

	def link(self, bug, sources, home):
		"""The program with the bug: what is made of the planted file is compiled anew."""
		planted, objects = os.path.join(self.root, bug.file), []
		for source in sources:
			obj = self.object_of(source)
			if planted in map(os.path.abspath, inputs_of(obj)):
				obj = os.path.join(home, os.path.basename(obj))
				self.compile(source, obj, home)
			objects.append(obj)
		name = os.path.join(home, 'program')
		must(self.link_command(objects, name), f'{bug.name} does not link')
		return name

	def link_command(self, objects, name):
		return [*self.cc, *objects, '-o', name]

	def copy(self, bug):
		"""A copy of its file with the bug in it, alone in a folder of its own, which is returned."""
		home = os.path.join(self.folder, 'bugs', bug.name)
		copy = os.path.join(home, bug.file)
		os.makedirs(os.path.dirname(copy), exist_ok=True)
		with open(os.path.join(self.root, bug.file), encoding='utf-8') as f:
			text = bug.plant(f.read())
		with open(copy, 'w', encoding='utf-8') as f:
			f.write(text)
		return home

	def planted(self, bug):
		"""Plants it, links, and returns the run that shall catch it: run(limit) says who did, or None."""
		return getattr(self, 'by_' + bug.catcher)(bug, self.copy(bug))

	# ---- who catches: each returns run(limit) ----

	def by_simulator(self, bug, home, *words):
		program = self.link(bug, self.sim_sources(), home)

		def catch(limit):
			return self.breach_of(program, home, limit, words)
		return catch

	def breach_of(self, program, home, limit, words):
		"""The law that is broken with the bug; what breaks without it as well is no evidence."""
		status, output = run([program, *words], limit, home)
		broken = re.search(r'LAW (\S+) BROKEN.*\n\s*(?:seed (\d+))?', output)
		if not status:
			return None
		if not broken:
			return f'signal {-status}' if status < 0 else None
		if self.is_kept_without(words, broken[2]):
			return broken[1].replace('-', 'MUST')
		return f'{SEEN_WITHOUT} {broken[2]}'

	def is_kept_without(self, words, seed):
		words = tuple(['--seed', seed, *words[3:]] if seed else words)
		with self.lock:
			if words not in self.kept:
				self.kept[words] = run([self.plain, *words], None, self.folder)[0] == 0
			return self.kept[words]

	def by_sim(self, bug, home):
		"""Many histories as they are, some with a crash wherever there can be one, then more of both."""
		program = self.link(bug, self.sim_sources(), home)

		def catch(limit):
			until, first, crashed = time.monotonic() + limit, 1, 1
			while time.monotonic() < until:
				count = first + TRUNKS
				by = self.in_range(program, home, until, first, count, ['--no-branches']) or \
					self.in_range(program, home, until, crashed, count // TRUNKS_PER_CRASHED)
				if by:
					return by
				first, crashed = first + count, crashed + count // TRUNKS_PER_CRASHED
			return None
		return catch

	def in_range(self, program, home, until, first, count, more=()):
		end = first + count
		while first < end and time.monotonic() < until:
			words = ['--seeds', str(first), str(end - first), *more]
			by = self.breach_of(program, home, until - time.monotonic(), words)
			if not by or not by.startswith(SEEN_WITHOUT):
				return by
			first = int(by.split()[-1]) + 1
		return None

	def by_exhaust(self, bug, home):
		return self.by_simulator(bug, home, '--exhaust', '2')

	def by_scenario(self, bug, home):
		path = os.path.join(self.root, 'tests/scenarios', bug.caught.split()[1] + '.umd')
		return self.by_simulator(bug, home, '--scenario', path)

	def by_unit(self, bug, home):
		name = bug.caught.split()[1]
		program = self.link(bug, self.unit_sources(name), home)

		def catch(limit):
			status, output = run([program], limit, home)
			is_red = status and (status < 0 or re.search(r'^not ok', output, re.MULTILINE))
			return f'{bug.laws[0]}, unit {name}' if is_red else None
		return catch

	def by_record(self, bug, home):
		return self.hands.by_record(bug, home)
