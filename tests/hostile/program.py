"""One umd command under watch: time, memory, signals, and what it says. No shell, and no pipe that a server left behind
could keep open."""
import os
import resource
import select
import signal
import subprocess
import sys
import time

IS_SANITIZED = os.environ.get('UMD_TEST_BUILD') in ('asan', 'tsan')
SECONDS_MAX = 20 if IS_SANITIZED else 2
MEMORY_MAX_KIB = 64 << 10
HANG_SECONDS = 60
SAID_BYTES = 4 << 20
PIECE_BYTES = 1 << 20
ADDRESSES_MAX = 8 << 30	# a start that wants more ends here, and not the machine
DECEPTIVE = {*range(0x00, 0x20), *range(0x7f, 0xa0), 0x061c, 0x200e, 0x200f, *range(0x2028, 0x202f), *range(0x2066, 0x206a), *range(0xd800, 0xe000)}
DECEPTIVE -= {ord('\n')}


def is_safe_text(text):
	"""Nothing in it that a terminal obeys or that turns reading around. Bytes that are no UTF-8 count as unsafe."""
	return not DECEPTIVE & set(map(ord, set(text)))


def picture(path):
	"""Size and every byte that is not in a hole: equal pictures are equal files."""
	found, size = [os.path.getsize(path)], os.path.getsize(path)
	descriptor, at = os.open(path, os.O_RDONLY), 0
	try:
		while at < size:
			try:
				at = os.lseek(descriptor, at, os.SEEK_DATA)
			except OSError:
				break
			end = min(os.lseek(descriptor, at, os.SEEK_HOLE), at + PIECE_BYTES)
			found.append((at, hash(os.pread(descriptor, end - at, at))))
			at = end
	finally:
		os.close(descriptor)
	return found


class Done:
	def __init__(self, status, seconds, memory_kib, out, err):
		self.status, self.seconds, self.memory_kib, self.out, self.err = status, seconds, memory_kib, out, err

	def wrong(self, what, has_memory_limit=False):
		found = []
		if self.status not in (0, 1):
			found.append(f'{what}: {"signal" if self.status < 0 else "exit status"} {abs(self.status)}: {self.err[-1500:]}')
		if self.seconds > SECONDS_MAX:
			found.append(f'{what}: {self.seconds:.1f} s, {SECONDS_MAX} s are allowed')
		if has_memory_limit and not IS_SANITIZED and self.memory_kib > MEMORY_MAX_KIB:
			found.append(f'{what}: {self.memory_kib} KiB of memory, {MEMORY_MAX_KIB} KiB are allowed')
		return found


class Program:
	"""umd with a run-time directory of its own."""

	def __init__(self, umd, folder):
		self.umd, self.folder = umd, folder
		self.out, self.err = os.path.join(folder, 'out'), os.path.join(folder, 'err')
		self.env = dict(os.environ, UMD_RUNTIME_DIR=os.path.join(folder, 'run'))

	def run(self, *words):
		"""Once; where it was slow, twice more, for the machine may have been busy: the fastest run counts."""
		done = self.once(*words)
		for _ in range(2):
			if done.seconds <= SECONDS_MAX or words[0] in ('serve', 'stop') and done.status == 0:
				break
			again = self.once(*words)
			done = again if again.seconds < done.seconds else done
		return done

	def once(self, *words):
		started = time.monotonic()
		with open(self.out, 'wb') as o, open(self.err, 'wb') as e:
			child = subprocess.Popen([self.umd, *words], env=self.env, stdin=subprocess.DEVNULL, stdout=o, stderr=e)
			if not IS_SANITIZED:
				resource.prlimit(child.pid, resource.RLIMIT_AS, (ADDRESSES_MAX, ADDRESSES_MAX))
			status, memory_kib = end_of(child)
		seconds = time.monotonic() - started
		return Done(status, seconds, memory_kib, text_of(self.out), text_of(self.err))


def end_of(child):
	"""(exit status or -signal, greatest memory in KiB) of a child, which is killed when it hangs."""
	descriptor = os.pidfd_open(child.pid)
	try:
		if not select.select([descriptor], [], [], HANG_SECONDS)[0]:
			signal.pidfd_send_signal(descriptor, signal.SIGKILL)
		_, state, usage = os.wait4(child.pid, 0)
	finally:
		os.close(descriptor)
	child.returncode = os.waitstatus_to_exitcode(state)
	return child.returncode, usage.ru_maxrss


def text_of(path):
	"""What was said, at most SAID_BYTES of it: a child is born with its parent's memory, so the parent stays small."""
	with open(path, encoding='utf-8', errors='surrogateescape') as f:
		return f.read(SAID_BYTES)


def is_safe_file(path):
	with open(path, encoding='utf-8', errors='surrogateescape') as f:
		return all(is_safe_text(piece) for piece in iter(lambda: f.read(PIECE_BYTES), ''))


def is_json_file(path):
	"""Judged by another process, for the same reason."""
	with open(path, 'rb') as f:
		code = 'import json, sys; json.load(sys.stdin)'
		return subprocess.run([sys.executable, '-c', code], stdin=f, stderr=subprocess.DEVNULL, check=False).returncode == 0


def own_memory_kib():
	"""What this process held at most: a child is born with it, so its own figure cannot be seen below this. (What getrusage tells of
	this process has what its parent held before it.)"""
	with open('/proc/self/status', encoding='utf-8') as f:
		return next(int(line.split()[1]) for line in f if line.startswith('VmHWM:'))
