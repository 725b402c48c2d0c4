"""Linux's own md plays scenarios: the guest's side. Started by linux.py in a guest as `linux_guest.py job.json`.

A job names lives (the parts of a scenario between its cuts); each is a thread with its own /dev/mdN, and all that end with a
cut meet at a barrier, before the part that no wait separates from it, and die with the guest. What a life has to say it leaves in
said-LIFE.json, and images as NN-a.img.

What the words are here: writes go through O_DIRECT, fua is O_DSYNC, flush is fsync of the array, zero is the BLKZEROOUT
call (`blkdiscard -z`), members are managed by mdadm. Arrays start as *auto-read-only*, so that a resync begins only when
the counters of the members have been read: what a resync or recovery copies is what the members read for it.

Time: the delay of safe mode is set to hours until `idle`, so that an array is active from its first write on; a sync that
is to be met in its middle is slowed down until `idle`. A member that Linux leaves out at a start is re-added as its user
would (docs/differences.md, stale-member).
"""
import ctypes
import fcntl
import json
import mmap
import os
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
from worlds import HERE, SECTOR, Scenario, TooSlow, World, Wrong, until  # noqa: E402

BLKZEROOUT = 0x127f
METADATA = 64 << 10
DIFFERENCES = os.path.join(HERE, '..', '..', 'docs', 'differences.md')
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_BIND = 0x20000, 4096


def text_of(path):
	with open(path, encoding='ascii') as f:
		return f.read().strip()


def say(path, text):
	with open(path, 'w', encoding='ascii') as f:
		f.write(text)


def direct_read(device, at=0, length=None):
	"""Bytes of a block device, past the page cache."""
	fd = os.open(device, os.O_RDONLY | os.O_DIRECT)
	try:
		length = length or os.lseek(fd, 0, os.SEEK_END) - at
		buffer = mmap.mmap(-1, length)
		if os.preadv(fd, [buffer], at) != length:
			raise Wrong(f'{device}: a short read')
		return buffer[:]
	finally:
		os.close(fd)


class Guest(World):
	"""One life in a guest."""

	def __init__(self, scenario, folder, number, disks):
		super().__init__(scenario, folder)
		self.device, self.md = f'/dev/md{number}', f'/sys/block/md{number}/md'
		self.disks = disks	# name -> /dev/ubdX
		self.fds, self.copied, self.reads_before, self.own_reads = {}, None, 0, 0
		self.notes = f'/run/mdadm-{number}'

	def own_notes(self):
		"""mdadm notes in /run/mdadm which arrays run, by uuid, and takes no second one. All scenarios' arrays have one uuid,
		so each thread, and the programs it starts, sees a folder of its own there."""
		for path in '/run/mdadm', self.notes:
			os.makedirs(path, exist_ok=True)
		say(self.notes + '/map', '')
		if LIBC.unshare(CLONE_NEWNS) or LIBC.mount(self.notes.encode(), b'/run/mdadm', None, MS_BIND, None):
			raise OSError(ctypes.get_errno(), 'no folder of its own for mdadm')

	def mdadm(self, *args):
		return subprocess.run(['mdadm', *args], capture_output=True, text=True)

	def must(self, event, *args):
		run = self.mdadm(*args)
		if run.returncode:
			raise Wrong(f'line {event.line}: mdadm {" ".join(args)}: {run.stderr}')

	def attribute(self, name):
		return text_of(f'{self.md}/{name}')

	def set_attribute(self, name, text):
		say(f'{self.md}/{name}', text)

	def dev(self, name):
		return os.path.basename(self.disks[name])

	# ---- lives ----

	def assemble(self, event):
		run = ['--run'] if 'run' in event.flags else []
		return self.mdadm('--assemble', *run, self.device, *[self.disks[n] for n in event.members])

	def is_running(self):
		return os.path.exists(f'{self.md}/array_state') and self.attribute('array_state') not in ('inactive', 'clear')

	def do_start(self, event):
		said = self.assemble(event)
		if not self.is_running():
			raise Wrong(f'line {event.line}: {said.stderr}')
		self.set_attribute('safe_mode_delay', '10000')
		for way, flags in ('plain', os.O_DIRECT), ('fua', os.O_DIRECT | os.O_DSYNC):
			self.fds[way] = os.open(self.device, os.O_RDWR | flags)
		self.before_sync(event)
		self.set_attribute('array_state', 'active')
		until(lambda: self.sync_action() != 'idle' or not self.owes_sync(), 'the sync')
		for name in event.members:
			if self.member_state(name) == 'none':
				self.bring_back(event, name)

	def owes_sync(self):
		recovering = any(self.member_state(n) == 'recovering' for n in self.disks)
		return recovering or not self.degraded() and self.attribute('resync_start') != 'none'

	def bring_back(self, event, name):
		self.set_attribute('sync_action', 'frozen')
		if self.mdadm('--re-add', self.device, self.disks[name]).returncode:
			self.must(event, '--add', self.device, self.disks[name])
		self.begin_recovery(event, name)

	def try_start(self, event):
		said = self.assemble(event)
		started = self.is_running()
		self.mdadm('--stop', self.device)
		return started, said.stderr

	def fact(self, event, holds, shown=''):
		"""Where Linux differs the statement must be wrong, and the difference must be told."""
		if event.differs:
			with open(DIFFERENCES, encoding='utf-8') as f:
				told = f'\n**{event.differs}: ' in f.read()
			holds, shown = not holds and told, f'{shown}; {event.differs} is {"" if told else "not "}in docs/differences.md'
		super().fact(event, holds, shown)

	def close(self):
		for fd in self.fds.values():
			os.close(fd)
		self.fds = {}

	def do_stop(self, event):
		self.close()
		self.must(event, '--stop', self.device)
		self.busy_since = None

	# ---- requests ----

	def write(self, event, is_fua):
		buffer = mmap.mmap(-1, event.length)
		buffer.write(event.data())
		if os.pwritev(self.fds['fua' if is_fua else 'plain'], [buffer], event.at) != event.length:
			raise Wrong(f'line {event.line}: a short write')

	def zero(self, event, is_fua, may_punch):
		fcntl.ioctl(self.fds['plain'], BLKZEROOUT, struct.pack('QQ', event.at, event.length))
		if is_fua:
			self.flush()

	def flush(self):
		os.fsync(self.fds['plain'])

	def read(self, event):
		buffer = mmap.mmap(-1, event.length)
		if os.preadv(self.fds['plain'], [buffer], event.at) != event.length:
			raise Wrong(f'line {event.line}: a short read')
		self.own_reads += event.numbers[1]
		return buffer[:]

	# ---- members ----

	def look(self, name):
		"""A member's metadata, which lies at one of its ends."""
		size = int(text_of(f'/sys/block/{self.dev(name)}/size')) * SECTOR
		base = size - METADATA if self.scenario.setup['metadata'] == '1.0' else 0
		self.own_reads += METADATA // SECTOR
		return compare.Member(name, (direct_read(self.disks[name], base, METADATA), base, size))

	def role_on_medium(self, name):
		"""What the superblocks of the members in sync say of this one; None while they disagree."""
		own = self.look(name)
		said = {m.role_of(own.number('super.dev_number')) for m in self.members_in_sync()}
		return said.pop() if len(said) == 1 else None

	def do_fail(self, event):
		name = event.members[0]
		self.must(event, '--fail', self.device, self.disks[name])
		until(lambda: self.role_on_medium(name) in (0xfffe, 0xffff), f'the record of {name}')

	def do_remove(self, event):
		name = event.members[0]
		until(lambda: self.mdadm('--remove', self.device, self.disks[name]).returncode == 0, f'{name} removed')

	def do_re_add(self, event):
		self.take_in(event, '--re-add')

	def do_add(self, event):
		self.take_in(event, '--add')

	def take_in(self, event, how):
		self.set_attribute('sync_action', 'frozen')
		self.must(event, how, self.device, self.disks[event.members[0]])
		self.begin_recovery(event, event.members[0])

	def do_grow(self, event):
		"""none, or internal with chunks; mdadm knows no others for a bitmap that is there."""
		chunk = [f'--bitmap-chunk={int(event.words[1]) >> 10}K'] if event.words[1:] else []
		self.must(event, '--grow', self.device, f'--bitmap={event.words[0]}', *chunk)

	def begin_recovery(self, event, name):
		"""The sync was frozen until here. A spare for which there is no slot stays one."""
		self.before_sync(event)
		self.set_attribute('sync_action', 'idle')
		until(lambda: not self.degraded() or self.sync_action() != 'idle', f'the recovery of {name}')

	# ---- syncs ----

	def sectors_read(self):
		return sum(int(text_of(f'/sys/block/{self.dev(n)}/stat').split()[2]) for n in self.disks)

	def before_sync(self, event):
		self.reads_before, self.own_reads = self.sectors_read(), 0
		self.set_attribute('sync_speed_max', '64' if self.scenario.is_on_its_own_between(event) else '10000000')

	def members_in_sync(self):
		names = sorted((n for n in self.disks if self.member_state(n) == 'in_sync'),
			key=lambda n: self.attribute(f'dev-{self.dev(n)}/slot'))
		return [self.look(n) for n in names]

	def is_idle(self):
		if self.attribute('sync_action') != 'idle' or self.attribute('array_state') != 'clean':
			return False
		degraded = self.degraded()
		states = {self.member_state(n) for n in self.disks}
		if 'recovering' in states or degraded and 'spare' in states:
			return False
		return all(m.is_clean() and (degraded or not m.chunks or not m.set_bits()) for m in self.members_in_sync())

	def do_idle(self, event):
		self.set_attribute('sync_speed_max', '10000000')
		self.set_attribute('safe_mode_delay', '0.05')
		until(self.is_idle, 'idle')
		copied = (self.sectors_read() - self.reads_before - self.own_reads) * SECTOR
		action = self.attribute('last_sync_action')
		self.copied = ['recover' if action.startswith('recover') else 'resync', str(copied)] if copied else ['nothing']
		self.set_attribute('safe_mode_delay', '10000')
		self.busy_since = None

	# ---- what is there ----

	def snapshot(self):
		for name in self.disks:
			with open(self.snapshot_path(name), 'wb') as f:
				raw = direct_read(self.disks[name])
				self.own_reads += len(raw) // SECTOR
				f.write(raw)

	def set_bits(self):
		return self.members_in_sync()[0].set_bits()

	def degraded(self):
		return int(self.attribute('degraded'))

	def sync_action(self):
		return self.attribute('sync_action')

	def member_state(self, name):
		try:
			state, slot = (self.attribute(f'dev-{self.dev(name)}/{a}') for a in ('state', 'slot'))
		except OSError:
			return 'none'
		words = state.split(',')
		if 'faulty' in words:
			return 'faulty'
		return 'in_sync' if 'in_sync' in words else 'spare' if slot == 'none' else 'recovering'

	def found_copied(self, words):
		return self.copied


class Session(threading.Thread):
	"""One life of one scenario in the guest; leaves said-LIFE.json before anything ends it."""

	def __init__(self, job, number, barrier):
		super().__init__()
		self.job, self.barrier = job, barrier
		self.scenario = Scenario(job['path'])
		self.life = self.scenario.lives()[job['life']]
		self.world = Guest(self.scenario, job['folder'], number, job['disks'])
		self.world.compares, self.error = job['compares'], None
		for event in [e for life in self.scenario.lives()[:job['life']] for e in life]:
			if event.content is not None:
				self.world.note_request(event, None)
		self.world.busy_since = None

	def tail(self):
		"""Where the events begin that no wait separates from the cut."""
		waits = [n for n, e in enumerate(self.life) if e.word in ('idle', 'stop')]
		return waits[-1] + 1 if waits else 0

	def leave(self):
		with open(os.path.join(self.job['folder'], f'said-{self.job["life"]}.json'), 'w', encoding='utf-8') as f:
			json.dump({'facts': self.world.facts, 'compares': self.world.compares, 'error': self.error}, f)

	def carefully(self, step, *args):
		try:
			if not self.error:
				step(*args)
		except (Wrong, TooSlow, OSError) as e:
			self.error = f'{type(e).__name__}: {e}'

	def do(self, events):
		for event in events:
			if event.word != 'cut':
				self.carefully(self.world.do, event)

	def run(self):
		tail = self.tail() if self.job['is_cut'] else len(self.life)
		self.carefully(self.world.own_notes)
		self.do(self.life[:tail])
		if self.job['is_cut']:
			self.barrier.wait()
			self.do(self.life[tail:])
		else:
			self.carefully(self.world.close)


def guest(path):
	with open(path, encoding='utf-8') as f:
		jobs = json.load(f)
	say('/sys/module/md_mod/parameters/start_ro', '1')
	cuts = sum(job['is_cut'] for job in jobs)
	barrier = threading.Barrier(max(cuts, 1))
	sessions = [Session(job, number, barrier) for number, job in enumerate(jobs)]
	for session in sessions:
		session.start()
	for session in sessions:
		session.join()
	for session in sessions:
		if session.job['is_cut']:
			session.carefully(session.world.still_in_time)
		session.leave()
	if cuts:
		subprocess.run(['crash-now'])


if __name__ == '__main__':
	guest(sys.argv[1])
