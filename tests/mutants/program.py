"""Programs with a bug in them: objects that are compiled once, one planted file, and the run that must catch it.

Caught means: the oracle names a law, or a statement of the unit test or scenario fails, where the program without the
bug passes the same seed, log or test. Whoever dies of a signal or of an assert of its own (MUST) tells no law, and a run
that hangs tells nothing: these do not count, unless the entry's line `caught` names MUST or SIGNAL."""
import collections
import concurrent.futures
import glob
import os
import re
import subprocess
import threading
import time

import table

SIM = 'tests/sim'		# the simulator's folder
CSIM = 'tests/csim'		# the simulated cluster's: its members are the simulator's
CSIM_SHARED = [SIM + '/' + name for name in ('arena.c', 'disk.c', 'model.c')]
ROOMS = ['src/base', 'src/format', 'src/bitmap', 'src/array', 'src/assembly', 'src/attrs', 'src/cluster']	# the pure ones
FLAGS = ['-std=gnu17', '-O1', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-DUMD_LAWS_ARE_SILENT', '-w']
TRUNKS = 400			# seeds of the first round
TRUNKS_PER_CRASHED = 50		# that cost as much as one with a crash wherever there can be one
STATEMENT = 'statement'		# what caught a bug when no law was named

# law: that was named, STATEMENT, MUST or SIGNAL; words: about it; seed: that showed it, where it is one of many
Outcome = collections.namedtuple('Outcome', 'is_caught law words seed')
NOTHING = Outcome(False, '', 'nothing', None)


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


def missed(words, seed=None):
	return Outcome(False, '', words, seed)


def symptom(status, output):
	"""(what a simulator that failed has told, the seed); what is '' when it says nothing of use."""
	broken = re.search(r'LAW (\S+) BROKEN.*\n\s*(?:seed (\d+))?', output)
	died = re.search(r'^seed (\d+) died by signal', output, re.MULTILINE)
	if broken:
		return broken[1].replace('-', 'MUST'), broken[2]
	if status < 0:
		return 'SIGNAL', died and died[1]
	return (STATEMENT if re.search(r'\.umd:\d+: expected: ', output) else ''), None


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
		self.plain_csim = os.path.join(folder, 'plain-csim')
		self.env = None		# as it is
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

	def csim_sources(self):
		return [*self.pure_sources(), *CSIM_SHARED, *self.sources(CSIM + '/*.c')]

	def pure_sources(self):
		return [path for room in ROOMS for path in self.sources(room + '/*.c')]

	def engine_sources(self, name):
		"""The local engine, and members as they are: its tests are processes. Those of the dlm engine play its
		libraries."""
		if name.startswith('engine/dlm_'):
			dlm = [path for path in self.sources('src/engine/engine_dlm*.c') if not path.endswith('_none.c')]
			return [*self.pure_sources(), *dlm, table.unit_test(name)]
		members = [path for path in self.sources('src/member/*.c') if not path.endswith('/record.c')]
		return [*self.pure_sources(), *members, *self.sources('src/engine/engine_local*.c'),
			table.unit_test(name)]

	def unit_sources(self, name):
		"""The brains; a test of hands has those whose headers it includes, on members made by itself. The cluster's
		have an array of their own."""
		if name.startswith('engine/'):
			return self.engine_sources(name)
		test = table.unit_test(name)
		if name.startswith('cluster/'):
			return [*self.sources('src/base/*.c'), *self.sources('src/cluster/*.c'), test]
		with open(os.path.join(self.root, test), encoding='utf-8') as f:
			hands = re.findall(r'^#include "((?:run|look)/\w+)\.h"', f.read(), re.MULTILINE)
		return [*self.pure_sources(), *(f'src/{hand}.c' for hand in hands), *['src/member/member.c'][:len(hands)], test]

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
				sources |= set(self.unit_sources(bug.named[0]))
		wants_simulator = catchers & {'sim', 'exhaust', 'scenario'}
		if wants_simulator:
			sources |= set(self.sim_sources())
		if 'csim' in catchers:
			sources |= set(self.csim_sources())
		self.compile_stale(sources)
		if wants_simulator:
			must([*self.cc, *map(self.object_of, self.sim_sources()), '-o', self.plain], 'the simulator does not link')
		if 'csim' in catchers:
			must([*self.cc, *map(self.object_of, self.csim_sources()), '-o', self.plain_csim],
			     'the simulated cluster does not link')
		if catchers & {'record', 'cluster'}:
			from hands import Hands
			self.hands = Hands(self.root, self.folder, self.jobs)
			self.hands.build(bugs)

	def compile_stale(self, sources):
		stale = [source for source in sorted(sources) if not is_fresh(self.object_of(source))]
		with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
			list(pool.map(lambda source: self.compile(source, self.object_of(source)), stale))

	def objects_with(self, bug, sources, home):
		"""What is made of the planted file is compiled anew."""
		planted, objects = os.path.join(self.root, bug.file), []
		for source in sources:
			obj = self.object_of(source)
			if planted in map(os.path.abspath, inputs_of(obj)):
				obj = os.path.join(home, os.path.basename(obj))
				self.compile(source, obj, home)
			objects.append(obj)
		return objects

	def link(self, bug, sources, home):
		"""The program with the bug."""
		name = os.path.join(home, 'program')
		must(self.link_command(self.objects_with(bug, sources, home), name), f'{bug.name} does not link')
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
		"""Plants it, links, and returns the run that shall catch it: run(limit) returns an Outcome."""
		return getattr(self, 'by_' + bug.catcher)(bug, self.copy(bug))

	def passes(self, command):
		"""Does it, without a bug? Asked once."""
		command = tuple(command)
		with self.lock:
			if command not in self.kept:
				self.kept[command] = run(command, None, self.folder, self.env)[0] == 0
			return self.kept[command]

	# ---- who catches: each returns run(limit) ----

	def by_simulator(self, bug, home, *words):
		program = self.link(bug, self.sim_sources(), home)

		def catch(limit):
			return self.breach_of(bug, program, home, limit, words)
		return catch

	def breach_of(self, bug, program, home, limit, words, plain=None):
		"""What is broken with the bug; what breaks without it (@plain) as well is no evidence."""
		status, output = run([program, *words], limit, home)
		if not status:
			return NOTHING
		what, seed = symptom(status, output)
		where = f', seed {seed}' if seed else ''
		if not what or not bug.may_be_caught_by(what):
			return missed(f'{what or f"status {status}"}, which is no law{where}', seed)
		if not self.passes([plain or self.plain, *(['--seed', seed, *words[3:]] if seed else words)]):
			return missed(f'{what}, without the bug as well{where}', seed)
		return Outcome(True, what, bug.caught if what == STATEMENT else what, seed)

	def by_sim(self, bug, home):
		"""Many histories as they are, some with a crash wherever there can be one, then more of both."""
		program = self.link(bug, self.sim_sources(), home)

		def catch(limit):
			until, first, crashed, last = time.monotonic() + limit, 1, 1, NOTHING
			while time.monotonic() < until and not last.is_caught:
				count = first + TRUNKS
				last = self.in_range(bug, program, home, until, (first, count, '--no-branches'), last)
				if not last.is_caught:
					last = self.in_range(bug, program, home, until,
							     (crashed, count // TRUNKS_PER_CRASHED), last)
				first, crashed = first + count, crashed + count // TRUNKS_PER_CRASHED
			return last
		return catch

	def by_csim(self, bug, home):
		"""Histories of clusters, from the first seed on."""
		program = self.link(bug, self.csim_sources(), home)

		def catch(limit):
			until, first, last = time.monotonic() + limit, 1, NOTHING
			while time.monotonic() < until and not last.is_caught:
				words = ['--seeds', str(first), str(TRUNKS)]
				now = self.breach_of(bug, program, home, until - time.monotonic(), words, self.plain_csim)
				last = last if now == NOTHING else now
				first = int(now.seed) + 1 if now.seed else first + TRUNKS
			return last
		return catch

	def in_range(self, bug, program, home, until, seeds, last):
		"""@seeds: the first, how many, and options; what tells no law is remembered, and the next seed comes."""
		first, count, *more = seeds
		end = first + count
		while first < end and time.monotonic() < until:
			words = ['--seeds', str(first), str(end - first), *more]
			now = self.breach_of(bug, program, home, until - time.monotonic(), words)
			if now.is_caught:
				return now
			if now != NOTHING:
				last = now
			if not now.seed:
				break
			first = int(now.seed) + 1
		return last

	def by_exhaust(self, bug, home):
		return self.by_simulator(bug, home, '--exhaust', '2')

	def by_scenario(self, bug, home):
		path = os.path.join(self.root, 'tests/scenarios', bug.named[0] + '.umd')
		return self.by_simulator(bug, home, '--scenario', path)

	def by_unit(self, bug, home):
		name = bug.named[0]
		program = self.link(bug, self.unit_sources(name), home)

		def catch(limit):
			status, output = run([program], limit, home)
			if not status:
				return NOTHING
			what = STATEMENT if re.search(r'^not ok', output, re.MULTILINE) else 'SIGNAL'
			if not bug.may_be_caught_by(what):
				return missed(f'status {status}, and no statement failed')
			if not self.passes([self.plain_unit(name)]):
				return missed(f'unit {name} fails without the bug as well')
			return Outcome(True, what, bug.caught, None)
		return catch

	def plain_unit(self, name):
		program = os.path.join(self.folder, 'plain-' + name.replace('/', '-'))
		with self.lock:
			objects = list(map(self.object_of, self.unit_sources(name)))
			if not os.path.exists(program) or any(map(lambda o: os.path.getmtime(o) > os.path.getmtime(program), objects)):
				must(self.link_command(objects, program), f'{name} does not link')
		return program

	def by_record(self, bug, home):
		return self.hands.by_record(bug, home)

	def by_cluster(self, bug, home):
		return self.hands.by_cluster(bug, home)
