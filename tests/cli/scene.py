"""A stage for tests of the command line: a private directory for members and run-time files, the tool, TAP.

Used as `with Scene() as s:`. Servers that a test started are stopped at the end, also when it breaks off.
"""
import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile

MIB = 1 << 20


class Statements:
	"""TAP: each statement is a line, with what was seen instead when it is not so."""
	count = failed = 0

	def skip(self, text, reason):
		self.count += 1
		print(f'ok {self.count} - {text} # SKIP {reason}', flush=True)

	def ok(self, condition, text, *shown):
		self.count += 1
		self.failed += not condition
		print(f'{"ok" if condition else "not ok"} {self.count} - {text}', flush=True)
		if not condition:
			for thing in shown:
				for line in str(thing).splitlines() or ['(empty)']:
					print('#', line, flush=True)
		return bool(condition)

	def same(self, got, wanted, text):
		return self.ok(got == wanted, text, f'got    {got!r}', f'wanted {wanted!r}')

	def refused(self, run, status, words, text):
		"""Exit status, and one sentence on stderr that has all of @words."""
		lines = run.stderr.splitlines()
		good = run.returncode == status and len(lines) == 1 and lines[0].startswith('umd: ')
		return self.ok(good and all(w in lines[0] for w in words), text,
			f'exit status {run.returncode}, wanted {status}, with {words}', run.stderr, run.stdout)

	def plan(self):
		"""At the end; the exit status."""
		print(f'1..{self.count}', flush=True)
		return 1 if self.failed else 0


class Scene(Statements):
	def __init__(self):
		self.tool = os.path.abspath(os.environ['UMD'])

	def __enter__(self):
		self.folder = tempfile.TemporaryDirectory(prefix='umd-cli.')
		self.dir = self.folder.name
		self.env = {**os.environ, 'LC_ALL': 'C.UTF-8', 'UMD_RUNTIME_DIR': os.path.join(self.dir, 'run'),
			'UMD_STATE_DIR': os.path.join(self.dir, 'state')}
		self.servers, self.keepers = [], []
		return self

	def __exit__(self, kind, value, trace):
		for name in self.servers:
			self.umd('stop', name)
		for keeper in self.keepers:
			if keeper.poll() is None:
				keeper.kill()	# nbdkit goes with it
				keeper.communicate()
		self.folder.cleanup()
		if kind is None:
			sys.exit(self.plan())

	# ---- things ----

	def path(self, name):
		return os.path.join(self.dir, name)

	def image(self, name, size=32 * MIB):
		with open(self.path(name), 'wb') as f:
			f.truncate(size)
		return self.path(name)

	def sums(self, *paths):
		return [hashlib.sha256(open(p, 'rb').read()).hexdigest() for p in paths]

	def umd(self, *args, timeout=60, text=True):
		return subprocess.run([self.tool, *args], env=self.env, cwd=self.dir, capture_output=True, text=text,
			errors='surrogateescape' if text else None, timeout=timeout, stdin=subprocess.DEVNULL)

	def must(self, *args):
		"""A step that prepares the stage; if it fails, nothing after it means anything."""
		run = self.umd(*args)
		if run.returncode:
			print(f'Bail out! umd {" ".join(args)}: {run.stderr}', flush=True)
			raise SystemExit(1)
		return run

	def json(self, *args):
		return json.loads(self.must(*args).stdout)

	def serve(self, name, *args):
		"""A server in the background; returns its URI."""
		run = self.must('serve', '--background', '--name', name, *args)
		self.servers.append(name)
		return run.stdout.split()[-1]

	def serve_in_foreground(self, *args, **more):
		"""A server as a child of the test; returns the process and the URI."""
		keeper = subprocess.Popen([self.tool, 'serve', *args], env=self.env, cwd=self.dir, text=True,
			stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **more)
		self.keepers.append(keeper)
		line = keeper.stdout.readline()
		if not line.startswith('ready '):
			print(f'Bail out! umd serve {" ".join(args)}: {keeper.communicate()[1]}', flush=True)
			raise SystemExit(1)
		return keeper, line.split()[1]

	def stop(self, name):
		self.must('stop', name)
		self.servers.remove(name)

	def end_process(self, pid, number):
		"""Send a signal to a process and wait until it is gone."""
		descriptor = os.pidfd_open(pid)
		signal.pidfd_send_signal(descriptor, number)
		select.select([descriptor], [], [], 30)
		os.close(descriptor)

	def kill(self, name):
		self.end_process(self.json('detail', '--json', name)['pid'], signal.SIGKILL)
		self.servers.remove(name)

	def connect(self, uri):
		import nbd
		handle = nbd.NBD()
		handle.connect_uri(uri)
		return handle
