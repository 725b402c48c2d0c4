"""The attribute tree as a test reaches it: the control socket, members' bytes, and waiting for either to change."""
import ctypes
import errno
import json
import os
import select
import socket
import struct
import time

LOOK_AGAIN_S = 0.1	# for attributes of which md tells nobody that they changed
IN_MODIFY, IN_MOVED_TO = 2, 0x80


class Refused(OSError):
	"""What a write or a read was answered with."""

	def __init__(self, error):
		super().__init__(error['errno'], error['message'])
		self.word = errno.errorcode.get(error['errno'], str(error['errno']))


class Tree:
	"""The attributes of one array, over a connection that stays."""

	def __init__(self, path):
		self.path = path
		self.line = self.connect()
		self.generations = {}
		self.tree = 0

	def connect(self):
		line = socket.socket(socket.AF_UNIX)
		line.settimeout(60)
		line.connect(self.path)
		return line

	def close(self):
		self.line.close()

	def call(self, command, fd=None, **more):
		text = json.dumps({'command': command, **more}).encode() + b'\n'
		if fd is None:
			self.line.sendall(text)
		else:
			socket.send_fds(self.line, [text], [fd])
		return self.answer(self.line)

	def answer(self, line):
		text = b''
		while not text.endswith(b'\n'):
			piece = line.recv(1 << 20)
			if not piece:
				raise OSError(errno.ENODEV, 'the server is gone')
			text += piece
		reply = json.loads(text)
		if 'error' in reply:
			raise Refused(reply['error'])
		return reply

	# ---- attributes ----

	def names(self):
		reply = self.call('attrs')
		self.tree = reply['tree']
		return {a['path']: a for a in reply['attributes']}

	def get(self, path):
		reply = self.call('get', path=path)
		self.generations[path] = reply['generation']
		return reply['value']

	def set(self, path, value, member=None):
		"""Write; a member's path goes with a descriptor, as the tool does it. Returns "ok" or the name of the error."""
		fd = os.open(member, os.O_RDWR | os.O_CLOEXEC) if member else None
		try:
			self.call('set', fd=fd, path=path, value=value)
		except Refused as refused:
			return refused.word
		finally:
			if fd is not None:
				os.close(fd)
		return 'ok'

	def look(self, wanted):
		"""Values of all attributes whose path the function @wanted takes; those that go meanwhile are left out."""
		seen = {}
		self.generations = {}
		for path in filter(wanted, self.names()):
			try:
				seen[path] = self.get(path).rstrip('\n')
			except OSError as gone:
				if gone.errno not in (errno.ENODEV, errno.ENOENT, errno.EACCES):
					raise
		return seen

	# ---- waiting ----

	def ask_to_be_told(self, seconds):
		"""Send a watch for all that was read since the last look; returns the connection on which the answer comes."""
		line = self.connect()
		paths = [{'path': p, 'generation': g} for p, g in self.generations.items()]
		request = {'command': 'watch', 'tree': self.tree, 'paths': paths, 'timeout_ms': int(seconds * 1000)}
		line.sendall(json.dumps(request).encode() + b'\n')
		return line

	def until(self, is_so, seconds, more=()):
		"""Wait until is_so() is true: woken by attributes that were read in it and by the descriptors @more."""
		end = time.monotonic() + seconds
		while not is_so():
			left = end - time.monotonic()
			if left <= 0:
				return False
			line = self.ask_to_be_told(min(left, 30))
			ready = select.select([line, *more], [], [], min(left, LOOK_AGAIN_S))[0]
			line.close()
			for other in more:
				if other in ready:
					os.read(other, 1 << 16)
		return True


class Writes:
	"""Tells when somebody writes to one of some files, or moves a file into a folder: a descriptor that becomes readable."""

	def __init__(self, paths, mask=IN_MODIFY):
		libc = ctypes.CDLL(None, use_errno=True)
		self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
		for path in paths:
			if libc.inotify_add_watch(self.fd, os.fsencode(path), mask) < 0:
				raise OSError(ctypes.get_errno(), path)

	def close(self):
		os.close(self.fd)

	def forget(self):
		try:
			os.read(self.fd, 1 << 16)
		except BlockingIOError:
			pass

	def wait(self, seconds):
		"""True when somebody writes within that time."""
		return bool(select.select([self.fd], [], [], seconds)[0])


class Member:
	"""A member's bytes, behind the server's back."""

	def __init__(self, path, facts, is_new=True):
		self.path, self.facts = path, facts
		self.data_at = facts['data_offset_sectors'] * 512
		self.data_bytes = facts['component_kib'] * 1024
		self.bitmap_at = facts['bitmap_location_sectors'] * 512
		self.bitmap_bytes = -(-facts['bits'] // 32768) * 4096
		if is_new:
			with open(path, 'wb') as f:
				f.truncate(self.data_at + self.data_bytes)

	def read(self, at, size):
		fd = os.open(self.path, os.O_RDONLY)
		try:
			return os.pread(fd, size, at)
		finally:
			os.close(fd)

	def write(self, at, data):
		fd = os.open(self.path, os.O_WRONLY)
		try:
			os.pwrite(fd, data, at)
		finally:
			os.close(fd)

	def bits(self):
		raw = self.read(self.bitmap_at, self.bitmap_bytes)
		return [n for n in range(len(raw) * 8) if raw[n >> 3] >> (n & 7) & 1]

	def put_bits(self, numbers):
		raw = bytearray(self.bitmap_bytes)
		for n in numbers:
			raw[n >> 3] |= 1 << (n & 7)
		self.write(self.bitmap_at, bytes(raw))

	def spoil(self):
		self.write(self.data_at, b'\xa5' * self.data_bytes)

	def blocks_unspoilt(self):
		data, spoilt = self.read(self.data_at, self.data_bytes), b'\xa5' * 4096
		return [n for n in range(self.data_bytes // 4096) if data[n * 4096:(n + 1) * 4096] != spoilt]


def block(seed, number):
	"""Content that names its place: 4 KiB."""
	return struct.pack('<4sIQ', b'UMDF', seed, number) * 256
