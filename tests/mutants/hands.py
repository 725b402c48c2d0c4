"""The plugin with a bug in it: for planted bugs in the hands, caught by replaying what its recording twin recorded, or by
a test that starts several nodes with it.

Its objects are position-independent and need the packages' flags, so they have a folder of their own. The tool and the
replayer are the build's: nothing is planted into them."""
import os
import re
import shutil
import subprocess
import time

import program

FRONT = 'front/nbdkit'
EXTRA = ['src/member/record.c', 'tests/record/recording.c']
ROOMS = ['src/engine', 'src/member', 'src/look', 'src/run']


def packages(what):
	return subprocess.run(['pkg-config', what, 'json-c', 'blkid', 'nbdkit'], check=True, stdout=subprocess.PIPE,
			      text=True).stdout.split()


def wraps(root):
	"""The calls that tests/record/meson.build sends to the recorder."""
	with open(os.path.join(root, 'tests/record/meson.build'), encoding='utf-8') as f:
		named = re.search(r'foreach call : \[(.*?)\]', f.read(), re.DOTALL)[1]
	return ['-Wl,--wrap=' + call for call in re.findall(r"'(\w+)'", named)]


class Hands(program.World):
	def __init__(self, root, folder, jobs):
		super().__init__(root, os.path.join(folder, 'hands'), jobs)
		self.cc += ['-fPIC', '-DUMD_VERSION="planted"', *packages('--cflags')]
		built = {'UMD': os.path.join(root, 'build/umd'), 'UMD_REPLAY': os.path.join(root, 'build/tests/record/umd-replay'),
			'SLOW_DISK': os.path.join(root, 'build/tests/slow.so')}
		self.env = {**built, **os.environ}
		for key in built:
			if not os.path.exists(self.env[key]):
				raise program.BuildError(f'{self.env[key]} ({key}) is not built')
		os.makedirs(os.path.join(self.folder, 'objects'), exist_ok=True)

	def plugin_sources(self):
		rooms = [path for room in ROOMS for path in self.sources(room + '/*.c') if path not in EXTRA and
			 (not os.path.basename(path).startswith('engine_dlm') or path.endswith('_none.c'))]
		return self.pure_sources() + rooms + self.sources(FRONT + '/*.c') + EXTRA

	def build(self, bugs):
		self.compile_stale(self.plugin_sources())
		self.plain = os.path.join(self.folder, 'plain.so')
		shutil.rmtree(os.path.join(self.folder, 'served'), ignore_errors=True)
		program.must(self.link_command(list(map(self.object_of, self.plugin_sources())), self.plain),
			     'the recording plugin does not link')

	# ---- several nodes ----

	def served_sources(self):
		return [path for path in self.plugin_sources() if path not in EXTRA]

	def put_beside_tool(self, objects, home):
		"""The plugin as it is served, and a tool that finds it: returns that."""
		os.makedirs(home, exist_ok=True)
		program.must([*self.cc, '-shared', *objects, *packages('--libs'), '-lpthread', '-o',
			      os.path.join(home, 'nbdkit-umd-plugin.so')], 'the plugin does not link')
		return shutil.copy(self.env['UMD'], os.path.join(home, 'umd'))

	def plain_tool(self):
		with self.lock:
			home = os.path.join(self.folder, 'served')
			if not os.path.exists(os.path.join(home, 'umd')):
				self.put_beside_tool(list(map(self.object_of, self.served_sources())), home)
			return os.path.join(home, 'umd')

	def by_cluster(self, bug, home):
		"""A test of nodes on this host, by its statements."""
		tool = self.put_beside_tool(self.objects_with(bug, self.served_sources(), home), home)
		test = ['/usr/bin/python3', os.path.join(self.root, 'tests/cluster', bug.named[0] + '.py')]

		def catch(limit):
			status, output = program.run(['env', 'UMD=' + tool, *test], limit, home, self.env)
			if not status or not re.search(r'^not ok', output, re.MULTILINE):
				return program.missed(f'status {status}, and no statement failed')
			if not self.passes(['env', 'UMD=' + self.plain_tool(), *test]):
				return program.missed(f'cluster {bug.named[0]} fails without the bug as well')
			return program.Outcome(True, program.STATEMENT, bug.caught, None)
		return catch

	def link_command(self, objects, name):
		return [*self.cc, '-shared', *wraps(self.root), *objects, *packages('--libs'), '-lpthread', '-o', name]

	def by_record(self, bug, home):
		"""Loads are recorded and replayed, seed after seed, until the replayer names a law."""
		plugin = self.link(bug, self.plugin_sources(), home)
		catcher = ['/usr/bin/python3', os.path.join(self.root, 'tests/record/catch.py')]

		def catch(limit):
			until, seed, last = time.monotonic() + limit, 1, program.NOTHING
			while time.monotonic() < until and not last.is_caught:
				left = until - time.monotonic()
				words = [*bug.named, '--seed', str(seed), '--seconds', f'{left:.0f}']
				status, output = program.run([*catcher, plugin, *words], None, home, self.env)
				last = self.outcome(bug, catcher, status, output)
				seed = (last.seed or seed) + 1
			return last
		return catch

	def outcome(self, bug, catcher, status, output):
		broken = re.search(r'^(\w+), seed (\d+): LAW (\S+) BROKEN', output, re.MULTILINE)
		if not status:
			return program.NOTHING
		if status != 1 or not broken:
			return program.missed(' '.join(output.split('\n')[:2]) or f'status {status}')
		name, seed, law = broken[1], int(broken[2]), broken[3].replace('-', 'MUST')
		if not bug.may_be_caught_by(law):
			return program.missed(f'{law}, which is no law, {name}, seed {seed}', seed)
		if not self.passes([*catcher, self.plain, name, '--seed', str(seed), '--seconds', '0']):
			return program.missed(f'{law}, without the bug as well, {name}, seed {seed}', seed)
		return program.Outcome(True, law, f'{law}, record {name}', seed)
