"""Goal:   whoever hands in something that is no member hears one sentence and loses nothing.
Method: a directory, an empty file, one byte, text, zeroes, a FIFO, a socket, a file without rights, a path that is not
	there, a link in a circle: each is given to every verb that looks at images, alone and beside a good member.
Law:    exit status 1, one sentence that names the path, no byte and no time stamp of the input changed (I7), no wait on a FIFO.
Source: design, the command line: "Errors are one sentence on stderr"; I7.
"""
import json
import os
import socket
import subprocess

from scene import MIB, Scene

NOBODY = 65534
VERBS = {'examine': [], 'map': [], 'why': ['0']}	# and what stands behind the members


def stamp(path):
	"""What would change if somebody wrote: size, times of content and inode, mode."""
	try:
		now = os.lstat(path)
	except OSError:
		return None
	return now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_mode


def make_inputs(s):
	"""(what it is, its path, words of the sentence)."""
	made = {name: s.path(name) for name in ('folder', 'empty', 'one', 'text', 'zeroes', 'pipe', 'socket', 'gone', 'circle', '\x1b[2J')}
	os.mkdir(made['folder'])
	for name, content in (('empty', b''), ('one', b'x'), ('text', b'no superblock\n' * 9999), ('\x1b[2J', b'named badly')):
		with open(made[name], 'wb') as f:
			f.write(content)
	s.image('zeroes', 4 * MIB)
	os.mkfifo(made['pipe'])
	socket.socket(socket.AF_UNIX).bind(made['socket'])
	os.symlink('circle', made['circle'])
	what = {'folder': 'a directory', 'empty': 'an empty file', 'one': 'a file of one byte', 'text': 'a text', 'zeroes': 'zeroes',
		'pipe': 'a FIFO', 'socket': 'a socket', 'gone': 'a path that is not there', 'circle': 'a link to itself',
		'\x1b[2J': 'a name with an escape sequence'}
	return [(what[name], path) for name, path in made.items()]


def check(s, what, path, verb, words):
	shown = path.replace('\x1b', '\\x1b')
	before = stamp(path)
	run = s.umd(verb, *words, timeout=20)
	s.refused(run, 1, [shown], f'{verb} of {what}: exit status 1 and one sentence')
	s.ok(stamp(path) == before and '\x1b' not in run.stderr + run.stdout, f'{verb} of {what} changes nothing', run.stderr)


with Scene() as s:
	good = s.image('good')
	s.must('create', '--assume-clean', '--name=safe', good, 'missing')
	for what, path in make_inputs(s):
		for verb, behind in VERBS.items():
			check(s, what, path, verb, [path, *behind])

		run = s.umd('examine', good, path)
		s.ok('Array safe' in run.stdout and run.returncode == 1, f'a good member is shown beside {what}', run.stdout, run.stderr)
		run = s.umd('examine', '--json', good, path)
		seen = json.loads(run.stdout)['members']
		s.ok(seen[0]['error'] is None and seen[1]['error']['message'] and seen[1]['superblock'] is None,
			f'JSON has an error for {what} alone', seen)
		s.ok(run.stderr.count('\n') == 1, f'and stderr the sentence on {what}', run.stderr)

	# ---- a device without rights: only root can lose them on purpose ----

	secret = s.image('secret', 4 * MIB)
	os.chmod(secret, 0)
	os.chmod(s.dir, 0o755)
	user = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if os.getuid() == 0 else {}
	for verb, behind in VERBS.items():
		try:
			run = subprocess.run([s.tool, verb, secret, *behind], env=s.env, cwd='/', capture_output=True, text=True, timeout=20, **user)
		except PermissionError:
			s.skip(f'{verb} of a file without rights is one sentence', f'user {NOBODY} may not run {s.tool}')
			continue
		s.refused(run, 1, [secret, 'ermission denied'], f'{verb} of a file without rights is one sentence')
