"""A stage with a mounted tree: Scene, and umd-tree beside the tool.

Without /dev/fuse, or where mounting is forbidden, every statement of the file is skipped with the reason.
"""
import errno
import os
import select
import signal
import subprocess
import sys
import time

from scene import Scene

URGENT = select.POLLPRI | select.POLLERR


class TreeScene(Scene):
	def __enter__(self):
		super().__enter__()
		self.tree = os.environ.get('UMD_TREE') or os.path.join(os.path.dirname(self.tool), 'umd-tree')
		self.trees = []
		return self

	def __exit__(self, kind, value, trace):
		for process in self.trees:
			if process.poll() is None:
				process.send_signal(signal.SIGCONT)
				process.terminate()
				process.communicate()
		for place in self.mounts_left():
			subprocess.run(['fusermount3', '-u', '-z', place], stderr=subprocess.DEVNULL)
		super().__exit__(kind, value, trace)

	# ---- mounting ----

	def run_tree(self, *args, **more):
		"""umd-tree as a command that ends."""
		return subprocess.run([self.tree, *args], env=self.env, cwd=self.dir, capture_output=True, text=True, timeout=60,
			stdin=subprocess.DEVNULL, **more)

	def mount(self, name, *args):
		"""A tree in the foreground, as a child of the test; returns its process and its folder once it is ready."""
		process = subprocess.Popen([self.tree, *args, name], env=self.env, cwd=self.dir, text=True, stdin=subprocess.DEVNULL,
			stdout=subprocess.PIPE, stderr=subprocess.PIPE)
		self.trees.append(process)
		line = process.stdout.readline()
		if not line.startswith('ready '):
			self.give_up(process.communicate()[1].strip())
		return process, line[len('ready '):].rstrip('\n')

	def give_up(self, reason):
		"""Skip the file where nothing can be mounted; anything else is a failure."""
		if '/dev/fuse' in reason or 'Operation not permitted' in reason:
			if not self.count:
				print(f'1..0 # SKIP {reason}', flush=True)
				for name in self.servers:
					self.umd('stop', name)
				os._exit(0)
		print(f'Bail out! umd-tree: {reason}', flush=True)
		raise SystemExit(1)

	def end_tree(self, process, number=signal.SIGTERM):
		process.send_signal(number)
		return process.communicate(timeout=30)[1]

	def mounts_left(self):
		"""What is mounted below the test's own folder, youngest first; a test that breaks off may leave some."""
		with open('/proc/self/mounts') as f:
			places = [line.split()[1] for line in f]
		return [place for place in reversed(places) if place.startswith(self.dir + '/')]

	def is_mounted(self, path):
		return path in self.mounts_left()

	# ---- arrays ----

	def mirror(self, name, *options):
		"""A mirror of two clean members that runs; returns their paths."""
		members = [self.image(f'{name}-{i}.img') for i in range(2)]
		self.must('create', '--assume-clean', '--bitmap-chunk=64K', f'--name={name}', *options, *members)
		self.serve(name, *members)
		return members

	# ---- what a shell does ----

	def bash(self, script, folder):
		return subprocess.run(['bash', '-c', script], cwd=folder, env=self.env, capture_output=True, text=True, timeout=60,
			stdin=subprocess.DEVNULL)


def await_that(condition):
	"""For what processes that are nobody's children do last."""
	deadline = time.monotonic() + 10
	while not (is_so := condition()) and time.monotonic() < deadline:
		select.select([], [], [], 0.01)
	return is_so


def error_of(action, *args):
	"""The name of the errno that an action ends with; None: it works."""
	try:
		result = action(*args)
		if isinstance(result, int) and not isinstance(result, bool) and action is os.open:
			os.close(result)
	except OSError as e:
		return errno.errorcode[e.errno]
	return None


def read(path):
	with open(path) as f:
		return f.read()


def store(path, value):
	"""One write of the whole value."""
	fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
	try:
		os.write(fd, value if isinstance(value, bytes) else value.encode())
	finally:
		os.close(fd)


class Poller:
	"""An attribute that is watched as sysfs wants it: open, read, poll, read again."""
	def __init__(self, path):
		self.fd = os.open(path, os.O_RDONLY)
		self.poll = select.poll()
		self.poll.register(self.fd, URGENT)

	def read(self):
		return os.pread(self.fd, 4096, 0).decode()

	def woken(self, seconds):
		"""The events, or 0 after the time."""
		events = self.poll.poll(seconds * 1000)
		return events[0][1] if events else 0

	def close(self):
		os.close(self.fd)
