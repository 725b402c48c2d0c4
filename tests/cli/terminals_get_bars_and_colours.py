"""Goal:   long work shows how far it is: a bar for a person at a terminal, few plain lines for a log.
Method: a scripted server stands on the control socket and tells of a resync that goes on step by step; `umd wait` follows
	it on a pseudo terminal and on a pipe. The map of a real array is drawn on both.
Law:    one line per 10 %, in order; escape sequences go to terminals only; an end before the end is exit status 1.
Source: design, the command line: "progress bar on a terminal, one line per 10 % elsewhere".
"""
import json
import os
import pty
import re
import socket
import subprocess
import threading

from scene import MIB, Scene

TOTAL = 64 * MIB
LEFT = [64, 60, 59, 58, 40, 39, 20, 1]		# MiB, answer by answer; then the end


class ScriptedServer(threading.Thread):
	"""Answers `detail` by the script; behind the script the resync is over."""

	def __init__(self, s, name, is_complete):
		super().__init__(daemon=True)
		folder = os.path.join(s.env['UMD_RUNTIME_DIR'], name)
		os.makedirs(folder, mode=0o700)
		os.chmod(s.env['UMD_RUNTIME_DIR'], 0o700)
		self.socket = socket.socket(socket.AF_UNIX)
		self.socket.bind(os.path.join(folder, 'control.sock'))
		self.socket.listen()
		self.answers = [self.detail('resync', left * MIB, None) for left in LEFT]
		last = {'action': 'resync', 'bytes_copied': TOTAL, 'bytes_checked': TOTAL, 'milliseconds': 800, 'reason': 'a script',
			'complete': is_complete}
		self.answers.append(self.detail('idle', 0, last))

	@staticmethod
	def detail(action, left, last):
		return {'name': 'scripted', 'sync_action': action, 'sync_bytes_left': left, 'last_sync': last}

	def run(self):
		for answer in self.answers:
			client = self.socket.accept()[0]
			client.makefile().readline()
			client.sendall(json.dumps(answer).encode() + b'\n')
			client.close()


def on_terminal(s, *args):
	"""Exit status and everything the tool writes when it sits at a terminal."""
	master, slave = pty.openpty()
	process = subprocess.Popen([s.tool, *args], env=s.env, stdin=slave, stdout=slave, stderr=slave)
	os.close(slave)
	output = b''
	try:
		while piece := os.read(master, 4096):
			output += piece
	except OSError:
		pass		# a terminal whose last user has gone
	os.close(master)
	return process.wait(), output.decode()


with Scene() as s:
	ScriptedServer(s, 'bar', True).start()
	status, shown = on_terminal(s, 'wait', 'bar')
	s.same(status, 0, 'a wait at a terminal ends well')
	s.ok(re.search(r'\rbar \[█+·+\]  38 %  24\.0 MiB of 64\.0 MiB, ', shown), 'it has a bar with bytes', shown)
	s.ok(re.search(r' [KMG]iB/s, [\d.:]+( s)? left', shown), 'a rate and the time left', shown)
	s.same(re.sub(r'\r.*\r\033\[K', '', shown), 'resync that copied 64.0 MiB of 64.0 MiB in 0.8 s: a script\r\n',
		'and nothing but the result stays')

	ScriptedServer(s, 'log', True).start()
	run = s.umd('wait', 'log')
	s.same([int(n) for n in re.findall(r'^log (\d+) %, ', run.stderr, re.M)], [0, 30, 60, 90], 'a log has each tenth once')
	s.ok('\033' not in run.stderr + run.stdout and '\r' not in run.stderr, 'and no escape sequences', run.stderr)
	s.same((run.returncode, run.stdout), (0, 'resync that copied 64.0 MiB of 64.0 MiB in 0.8 s: a script\n'), 'its result is on stdout')

	ScriptedServer(s, 'short', False).start()
	run = s.umd('wait', 'short')
	s.ok(run.returncode == 1 and 'before it was complete' in run.stderr, 'a sync that ends early is a failure', run.stderr)

	a, b = s.image('a'), s.image('b')
	s.must('create', '--name=home', '--bitmap-chunk=64K', a, b)
	s.serve('home', a, b)
	s.must('wait', 'home')
	status, shown = on_terminal(s, 'map', 'home')
	s.ok(status == 0 and re.search('\033\\[0;33m█+\033\\[0m', shown), 'the map has colours on a terminal', shown)
	s.ok('\033' not in s.must('map', 'home').stdout, 'and none in a file')
	s.stop('home')
