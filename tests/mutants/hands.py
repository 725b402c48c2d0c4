"""The recording plugin with a bug in it: for planted bugs in the hands, caught by replaying what it recorded.

Its objects are position-independent and need the packages' flags, so they have a folder of their own. The tool and the
replayer are the build's: nothing is planted into them."""
import os
import re
import subprocess

import program

FRONT = 'front/nbdkit'
EXTRA = ['src/member/record.c', 'tests/record/recording.c']
ROOMS = ['src/member', 'src/look', 'src/run']


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
		built = {'UMD': os.path.join(root, 'build/umd'), 'UMD_REPLAY': os.path.join(root, 'build/tests/record/umd-replay')}
		self.env = {**built, **os.environ}
		for key in built:
			if not os.path.exists(self.env[key]):
				raise program.BuildError(f'{self.env[key]} ({key}) is not built')
		os.makedirs(os.path.join(self.folder, 'objects'), exist_ok=True)

	def plugin_sources(self):
		rooms = [path for room in ROOMS for path in self.sources(room + '/*.c') if path not in EXTRA]
		return self.pure_sources() + rooms + self.sources(FRONT + '/*.c') + EXTRA

	def build(self, bugs):
		self.compile_stale(self.plugin_sources())

	def link_command(self, objects, name):
		return [*self.cc, '-shared', *wraps(self.root), *objects, *packages('--libs'), '-lpthread', '-o', name]

	def by_record(self, bug, home):
		plugin = self.link(bug, self.plugin_sources(), home)
		names = bug.caught.split()[1:]
		catcher = os.path.join(self.root, 'tests/record/catch.py')

		def catch(limit):
			command = ['/usr/bin/python3', catcher, plugin, *names, '--seconds', str(limit)]
			status, output = program.run(command, None, home, self.env)
			broken = re.search(r'LAW (\S+) BROKEN', output)
			return f'{broken[1]}, record' if status == 1 and broken else None
		return catch
