"""Goal:   umd map --watch shows a running array as it changes, and ends with it.
Method: a served mirror is watched on a pseudo terminal and through a pipe while a client writes; then it is stopped, and
	once the watcher gets SIGINT instead.
Law:    a terminal is left as it was found; an end of the array is no failure.
Source: design, "map NAME".
"""
import os
import pty
import re
import select
import signal
import subprocess
import time

from pictures import mirror
from scene import MIB, Scene

CHUNK = 64 * 1024
LONGEST_S = 30


class Watcher:
	"""umd map --watch, on a terminal or a pipe."""

	def __init__(self, s, on_terminal, *args):
		self.seen = ''
		if on_terminal:
			self.end, out = pty.openpty()
		else:
			self.end, out = os.pipe()
		self.process = subprocess.Popen([s.tool, 'map', '--watch', *args], env=s.env, stdin=subprocess.DEVNULL, stdout=out,
			stderr=subprocess.PIPE, start_new_session=True)
		os.close(out)

	def read(self):
		try:
			piece = os.read(self.end, 65536)
		except OSError:
			piece = b''		# a terminal whose last user has gone
		self.seen += piece.decode(errors='replace')
		return piece

	def wait_for(self, pattern):
		"""Read until @pattern is there; False when it does not come."""
		last = time.monotonic() + LONGEST_S
		while not re.search(pattern, self.seen, re.S):
			if time.monotonic() > last or not select.select([self.end], [], [], LONGEST_S)[0] or not self.read():
				return bool(re.search(pattern, self.seen, re.S))
		return True

	def finish(self):
		while self.read():
			pass
		os.close(self.end)
		stderr = self.process.communicate()[1].decode()
		return self.process.returncode, stderr


with Scene() as s:
	a, b = mirror(s, 32 * MIB, CHUNK, 'a', 'b')
	disk = s.connect(s.serve('home', a, b))
	screen, log = Watcher(s, True, 'home'), Watcher(s, False, 'home')
	s.ok(screen.wait_for('home, running.*: 0 set.*clean'), 'a terminal gets the picture', repr(screen.seen))
	s.ok(log.wait_for('  0 set, 0 to be copied\n'), 'a pipe gets a line', repr(log.seen))
	disk.pwrite(b'x' * 512, 7 * CHUNK)
	s.ok(screen.wait_for(': 1 set'), 'a write is seen', repr(screen.seen))
	s.ok(re.search('\033\\[\\d+A\r', screen.seen) and screen.seen.count('\033[2J') == 0, 'in the same place', repr(screen.seen))
	s.ok(log.wait_for('  1 set, 0 to be copied\n'), 'in the log as well', repr(log.seen))
	s.same([bool(re.fullmatch(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  .*', line)) for line in log.seen.splitlines()], [True] * 2,
		'a line per change, with its time')
	s.ok('\033' not in log.seen, 'without escape sequences', repr(log.seen))

	stopped = Watcher(s, True, '--interval=5', 'home')
	s.ok(stopped.wait_for('█ set'), 'another watcher looks on')
	os.kill(stopped.process.pid, signal.SIGINT)
	s.same(stopped.finish(), (-signal.SIGINT, ''), 'and is interrupted')
	s.ok('\033[?' not in stopped.seen and stopped.seen.endswith('█ set\033[K\r\n\033[J'), 'which leaves the terminal as it was',
		repr(stopped.seen))

	disk.shutdown()
	s.stop('home')
	s.same((screen.finish(), log.finish()), ((0, ''), (0, '')), 'the end of the array is the end of watching')
	s.ok(screen.seen.endswith('home has ended\r\n') and log.seen.endswith('home has ended\n'), 'with a sentence', repr(log.seen))
	s.refused(s.umd('map', '--watch', 'home'), 1, ['home'], 'what does not run is not watched')
