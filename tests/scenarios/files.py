"""A scenario on real files: `umd serve`, NBD requests, `umd manage`, SIGKILL.

A cut is SIGKILL of the server: the page cache keeps every byte that was handed to a member, so this world knows `cut keep`
alone (what a lost cache does is the simulator's).
"""
import os
import shutil
import signal
import subprocess
import time

import nbd

import compare
from worlds import TooSlow, World, Wrong, begin_images, until

ACTIVE_S = 0.19		# less than the 0.2 s after which an idle array is marked clean
TRIES = 10


class Files(World):
	def __init__(self, scenario, folder, scene):
		super().__init__(scenario, folder)
		self.scene, self.name, self.disk, self.pid = scene, scenario.name, None, None
		self.env = scene.env
		if scenario.is_met_in_a_sync():
			preload = [scene.env.get('LD_PRELOAD', ''), os.environ['SLOW_DISK']]
			self.env = {**scene.env, 'LD_PRELOAD': ' '.join(preload).strip()}

	def umd(self, *args):
		return self.scene.umd(*args)

	def must(self, event, *args):
		run = self.umd(*args)
		if run.returncode:
			raise Wrong(f'line {event.line}: umd {" ".join(args)}: {run.stderr}')
		return run

	def detail(self):
		return self.scene.json('detail', '--json', self.name)

	# ---- lives ----

	def serve(self, event):
		options = [*(['--run'] if 'run' in event.flags else []), *(['--readonly'] if 'readonly' in event.flags else []),
			*([f'--prefer={self.path(event.prefer)}'] if event.prefer else [])]
		return subprocess.run([self.scene.tool, 'serve', '--background', '--name', self.name, *options,
			*map(self.path, event.members)], env=self.env, cwd=self.scene.dir, capture_output=True, text=True,
			stdin=subprocess.DEVNULL, timeout=60)

	def do_start(self, event):
		run = self.serve(event)
		if run.returncode:
			raise Wrong(f'line {event.line}: {run.stderr}')
		self.scene.servers.append(self.name)
		self.disk = nbd.NBD()
		self.disk.connect_uri(run.stdout.split()[-1])
		with open(os.path.join(self.scene.env['UMD_RUNTIME_DIR'], self.name, 'pid'), encoding='ascii') as f:
			self.pid = int(f.read())

	def try_start(self, event):
		run = self.serve(event)
		if run.returncode == 0:
			self.scene.servers.append(self.name)
			self.do_stop(event)
		return run.returncode != 1 or len(run.stderr.splitlines()) != 1, run.stderr

	def end(self):
		self.disk = self.pid = self.busy_since = self.busy_until = None

	def do_stop(self, event):
		self.must(event, 'stop', self.name)
		self.scene.servers.remove(self.name)
		self.end()

	def do_cut(self, event):
		if 'keep' not in event.flags:
			raise Wrong(f'line {event.line}: a killed server leaves the page cache: only "cut keep" is the same in all worlds')
		self.scene.end_process(self.pid, signal.SIGKILL)
		self.scene.servers.remove(self.name)
		self.still_in_time()
		if self.busy_until and time.monotonic() - self.busy_until > ACTIVE_S:
			raise TooSlow(f'{time.monotonic() - self.busy_until:.2f} s from the last write to the cut')
		self.end()

	# ---- requests ----

	def write(self, event, is_fua):
		self.disk.pwrite(event.data(), event.at, nbd.CMD_FLAG_FUA if is_fua else 0)

	def zero(self, event, is_fua, may_punch):
		self.disk.zero(event.length, event.at, (nbd.CMD_FLAG_FUA if is_fua else 0) | (0 if may_punch else nbd.CMD_FLAG_NO_HOLE))

	def flush(self):
		self.disk.flush()

	def read(self, event):
		return self.disk.pread(event.length, event.at)

	# ---- members ----

	def do_fail(self, event):
		self.must(event, 'manage', self.name, '--fail', self.path(event.members[0]))

	def do_remove(self, event):
		self.must(event, 'manage', self.name, '--remove', self.path(event.members[0]))

	def do_re_add(self, event):
		self.must(event, 'manage', self.name, '--re-add', self.path(event.members[0]))

	def do_add(self, event):
		self.must(event, 'manage', self.name, '--add', self.path(event.members[0]))

	def do_grow(self, event):
		chunk = [f'--bitmap-chunk={event.words[1]}'] if event.words[1:] else []
		self.must(event, 'grow', self.name, *([] if event.words[0] == 'chunk' else [f'--bitmap={event.words[0]}']), *chunk)

	# ---- what is there ----

	def in_sync(self):
		"""Images of the members in sync, lowest slot first."""
		members = [m for m in self.detail()['members'] if m['state'] == 'in_sync']
		return [m['path'] for m in sorted(members, key=lambda m: m['slot'])]

	def is_idle(self):
		detail = self.detail()
		if detail['sync_action'] != 'idle' or detail['array_state'] != 'clean':
			return False
		members = [compare.Member(path) for path in self.in_sync()]
		return all(m.is_clean() and (detail['degraded'] or not m.chunks or not m.set_bits()) for m in members)

	def do_idle(self, event):
		self.must(event, 'wait', self.name)
		until(self.is_idle, 'idle')
		self.busy_since = self.busy_until = None

	def snapshot(self):
		for name in self.scenario.members():
			shutil.copyfile(self.path(name), self.snapshot_path(name))

	def set_bits(self):
		return compare.Member(self.in_sync()[0]).set_bits()

	def degraded(self):
		return self.detail()['degraded']

	def sync_action(self):
		return self.detail()['sync_action']

	def found_syncing(self, words):
		"""A sync that was to be met in its middle and has ended is the machine's doing; it is met in the next turn."""
		found = super().found_syncing(words)
		if found != words:
			raise TooSlow(f'wanted to meet {words[0]}, met {found[0]}')
		return found

	def member_state(self, name):
		return next((m['state'] for m in self.detail()['members'] if m['path'] == self.path(name)), 'none')

	def found_copied(self, words):
		last = self.detail()['last_sync']
		if not last or last['bytes_copied'] == 0:
			return ['nothing']
		return [last['action'], str(last['bytes_copied'])]


def run_on_files(scenario, start, folder, scene):
	"""The world after its last event; run again when the machine was too slow for what was to be shown."""
	for turn in range(TRIES):
		world = Files(scenario, os.path.join(folder, str(turn)), scene)
		begin_images(scenario, start, world)
		try:
			for event in scenario.events:
				world.do(event)
			return world
		except TooSlow as slow:
			last = slow
			if world.name in scene.servers:
				scene.stop(world.name)
		finally:
			if world.name in scene.servers:
				scene.umd('stop', world.name)
				scene.servers.remove(world.name)
	raise Wrong(f'{TRIES} times too slow: {last}')
