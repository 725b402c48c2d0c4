"""A stage of several machines: real corosync, dlm_controld and DLM in guests that share disks (tests/lab/cluster-run).

A scenario is a program that calls play(): outside it boots the guests and starts itself again beside them, inside it gets a
Cluster, whose methods are the lab's commands. Everything is seen from the host: guests run the programs of the build.
TAP as in tests/cli/scene.py; without root or the packages of the lab the plan says why it is skipped.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, '..', 'cli'))

from scene import MIB, Statements

# Corosync's patience. Its guests' daemons are real-time processes in an ordinary one: on a machine that does other things
# as well the lab's own 1.5 s part nodes that are well.
TOKEN_MS = os.environ.get('UMD_TEST_TOKEN_MS', '4000')
NEEDED = 'linux.uml', 'corosync', 'dlm_controld', 'mdadm', 'ip', 'modprobe', 'unshare', 'setpriv'


def why_not():
	if os.getuid():
		return 'the lab makes network namespaces and tap devices: only root may'
	path = os.environ['PATH'] + ':/usr/sbin:/sbin'
	missing = [p for p in NEEDED if not shutil.which(p, path=path)]
	if missing:
		return f'{", ".join(missing)} not installed (tools/setup.sh cluster)'
	if not os.path.exists('/dev/net/tun'):
		return 'there is no /dev/net/tun'
	return None


def play(scenario, nodes=2, disks=(64 * MIB, 64 * MIB), limit=280, options=()):
	"""Run @scenario(cluster) beside @nodes guests with fresh @disks of these sizes."""
	if os.environ.get('UMD_CLUSTER_STAGE'):
		Cluster().run(scenario)
	reason = why_not()
	if reason:
		print(f'1..0 # SKIP {reason}')
		sys.exit(0)
	with tempfile.TemporaryDirectory(prefix='umd-cluster.') as folder:
		command = [os.path.join(HERE, 'cluster-run'), '-n', str(nodes), '-t', str(limit), '-T', TOKEN_MS, *options]
		if os.environ.get('KEEP'):
			command += ['-k', os.environ['KEEP']]
		for number, size in enumerate(disks):
			path = os.path.join(folder, f'{"abcdefgh"[number]}.img')
			with open(path, 'wb') as f:
				f.truncate(size)
			command += ['-d', path]
		env = {**os.environ, 'UMD_CLUSTER_STAGE': folder, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin', 'LC_ALL': 'C.UTF-8'}
		command += ['--', sys.executable, os.path.abspath(sys.argv[0])]
		sys.exit(subprocess.run(command, env=env, check=False).returncode)


def now_us():
	"""The guests' clocks are the host's."""
	return time.time_ns() // 1000


class Bail(Exception):
	pass


class Cluster(Statements):
	def __init__(self):
		self.dir = os.environ['UMD_CLUSTER_STAGE']
		self.nodes = [int(n) for n in os.environ['NODES'].split()]
		self.tool = os.path.abspath(os.environ['UMD'])
		self.probe = os.path.join(os.path.dirname(self.tool), 'tests', 'lab', 'engine-probe')

	def run(self, scenario):
		try:
			scenario(self)
		except Bail as reason:
			self.ok(False, f'the scenario goes on: {reason}')
			for node in self.nodes:
				said = self.on(node, 'corosync-quorumtool -s | grep -A9 Votequorum; dlm_tool status; dlm_tool ls; dmesg | tail -12')
				for line in (said.stdout + said.stderr).splitlines():
					self.note(f'node {node}: {line}')
		sys.exit(self.plan())

	def note(self, text):
		print('#', text, flush=True)

	# ---- the lab's commands ----

	def command(self, *words, timeout=120, stdin=None):
		return subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False, cwd=self.dir, input=stdin)

	def on(self, node, line, timeout=120, stdin=None):
		"""A shell command in a guest: what it said, and its status."""
		more = ['-i'] if stdin is not None else []
		return self.command('on', *more, str(node), line, timeout=timeout, stdin=stdin)

	def must(self, node, line, timeout=120, stdin=None):
		done = self.on(node, line, timeout, stdin)
		if done.returncode:
			raise Bail(f'node {node}: {line}: status {done.returncode}: {done.stderr.strip()} {done.stdout.strip()}')
		return done.stdout

	def start(self, node, line):
		"""In the background: a job for finish()."""
		return node, self.command('on', '-b', str(node), line).stdout.strip()

	def finish(self, job, timeout=200):
		return self.command('job-wait', str(job[0]), job[1], timeout=timeout)

	def lab(self, command, node):
		done = self.command(command, str(node))
		if done.returncode:
			raise Bail(f'{command} {node}: {done.stderr.strip()}')

	def kill(self, node):
		self.lab('kill-node', node)

	def boot(self, node):
		self.lab('boot-node', node)

	def cut(self, node):
		self.lab('cut-net', node)

	def heal(self, node):
		self.lab('heal-net', node)

	def pause(self, node):
		self.lab('pause-node', node)

	def resume(self, node):
		self.lab('resume-node', node)

	def wait(self, what, seconds, test):
		"""Until @test() is true, which is returned; the scenario ends when it never is."""
		end = time.monotonic() + seconds
		while True:
			found = test()
			if found:
				return found
			if time.monotonic() > end:
				raise Bail(f'{what}: not after {seconds} s')
			time.sleep(0.1)

	def image(self, letter):
		return os.path.join(self.dir, f'{letter}.img')


class Probe:
	"""An engine by hand on one node (tests/lab/engine_probe.c), which writes the time into a sector of its own while it may."""

	UUID = '00112233:44556677:8899aabb:ccddeeff'

	def __init__(self, cluster, node, name='lab', uuid=UUID, stays=True):
		self.cluster, self.node = cluster, node
		self.at = 4096 * node
		words = [cluster.probe, 'dlm', uuid, name, '/run/probe.in', '/run/probe.log', '/dev/ubda', str(self.at)]
		line = f'rm -f /run/probe.*; mkfifo /run/probe.in; {shlex.join(words)} < /dev/null 2> /run/probe.err'
		if not stays:
			self.said = cluster.on(node, f'{line}; cat /run/probe.err').stdout
			return
		cluster.must(node, f'({line}) > /dev/null 2>&1 &')
		self.wait('open|refused', 40)

	def tell(self, line):
		"""A command; returns the time before it, for wait(after=)."""
		before = now_us()
		self.cluster.must(self.node, f'echo {shlex.quote(line)} > /run/probe.in')
		return before

	def must_tell(self, *lines):
		self.cluster.must(self.node, f'printf "%s\\n" {shlex.join(lines)} > /run/probe.in')

	def log(self):
		"""[(microseconds, what)]"""
		lines = self.cluster.must(self.node, 'cat /run/probe.log 2> /dev/null || true').splitlines()
		return [(int(l.split(' ', 1)[0]), l.split(' ', 1)[1].strip()) for l in lines if ' ' in l]

	def said_events(self):
		return [what for _, what in self.log() if not what.startswith('asked')]

	def wait(self, pattern, seconds=20, after=0):
		"""(when, what) of the first such event after a time, once it is there."""
		def look():
			found = [e for e in self.log() if e[0] >= after and re.match(pattern, e[1])]
			return found and found[0]
		try:
			return self.cluster.wait(f'node {self.node}: {pattern}', seconds, look)
		except Bail as reason:
			raise Bail(f'{reason}; it said {self.log()[-8:]}') from None

	def last_written(self):
		"""When it last wrote, in microseconds, as the disk tells."""
		with open(self.cluster.image('a'), 'rb') as f:
			f.seek(self.at)
			text = f.read(512).split(b'\n')[0].strip(b'\0')
		return int(text) if text else 0
