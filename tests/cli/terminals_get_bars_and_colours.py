"""Goal:   long work shows how far it is: a bar for a person at a terminal, few plain lines for a log.
Method: two `umd wait` follow one first resync, one on a pseudo terminal, one on a pipe; map is drawn on both.
Law:    one line per 10 %, in order; escape sequences go to terminals only; the result of both is the same.
Source: design, the command line: "progress bar on a terminal, one line per 10 % elsewhere".
"""
import os
import pty
import re
import subprocess
import threading

from scene import MIB, Scene


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
	a, b = s.image('a', 1100 * MIB), s.image('b', 1100 * MIB)
	s.must('create', '--name=home', '--bitmap-chunk=1M', a, b)
	s.serve('home', a, b)
	piped = []
	follower = threading.Thread(target=lambda: piped.append(s.umd('wait', 'home')))
	follower.start()
	status, shown = on_terminal(s, 'wait', 'home')
	follower.join()
	run = piped[0]

	s.same((run.returncode, status), (0, 0), 'both waits end well')
	s.ok(re.search(r'\rhome \[█*·*\] +\d+ %  [\d.]+ \S+ of 1\.1 GiB', shown), 'the terminal has a bar with bytes', shown[:400])
	s.ok(re.search(r'/s, [\d.:]+ s? ?left', shown), 'a rate and the time left', shown[:400])
	s.ok(shown.count('\n') == 1 and shown.rstrip().splitlines()[-1].count('resync that copied 1.1 GiB'),
		'and nothing but the result stays', shown[-300:])
	steps = [int(n) for n in re.findall(r'^home (\d+) %, ', run.stderr, re.M)]
	s.ok(steps and steps == sorted(set(steps)) and all(n % 10 == 0 for n in steps), 'the log has each tenth at most once', run.stderr)
	s.ok('\033' not in run.stderr + run.stdout and '\r' not in run.stderr, 'and no escape sequences', run.stderr)
	s.ok('resync that copied 1.1 GiB' in run.stdout, 'its result is on stdout', run.stdout)

	status, shown = on_terminal(s, 'map', 'home')
	s.ok(status == 0 and '\033[33m█\033[0m' in shown, 'the map has colours on a terminal', shown)
	s.ok('\033' not in s.must('map', 'home').stdout, 'and none in a file')
	s.stop('home')
