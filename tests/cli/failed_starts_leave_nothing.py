"""Goal:   a server that cannot start changes nothing; one that was killed leaves nothing that is in the way.
Method: starts that fail at each step (place of the socket, name, port); servers and keepers that get SIGKILL.
Law:    I7: no byte changes; I9: what a crash leaves never stops the next start.
Source: issue "A mirror that runs"; design section 2 "Run-time directory".
"""
import os
import signal
import socket
import stat

from scene import Scene


def run_files(s):
	return [os.path.join(d, f) for d, _, files in os.walk(s.path('run')) for f in files]


def refuse(s, args, words, text, members, left=()):
	before, status = s.sums(*members), 2 if text.startswith('usage') else 1
	for background in ([], ['--background']):
		run = s.umd('serve', *background, *args)
		s.refused(run, status, words, f'{text} {" ".join(background)}')
	s.ok(s.sums(*members) == before, f'{text}: no byte changed')
	s.same(run_files(s), list(left), f'{text}: nothing is left in the run-time directory')


def check_places(s, members):
	open(s.path('plain'), 'w').write('precious')
	refuse(s, ['--socket', 'plain', *members], ['plain', 'no socket'], 'a file at the place of the socket', members)
	s.same(open(s.path('plain')).read(), 'precious', 'and the file is as before')
	refuse(s, ['--socket', 'nowhere/x', *members], ['nowhere'], 'a directory that is not there', members)
	refuse(s, ['--socket', 'x' * 120, *members], ['bytes long'], 'a path too long for a socket', members)
	with socket.socket(socket.AF_UNIX) as alive:
		alive.bind(s.path('alive'))
		alive.listen()
		refuse(s, ['--socket', 'alive', *members], ['another server'], 'somebody listens there', members)
	s.ok(os.path.exists(s.path('alive')), 'a socket that was refused stays')
	uri = s.serve('home', '--socket', 'alive', *members)
	s.ok(s.connect(uri).get_size() > 0, 'a socket that nobody listens on is replaced')
	s.same(stat.S_IMODE(os.stat(s.path('alive')).st_mode), 0o600, 'the new one is for its owner alone')
	s.stop('home')
	s.ok(not os.path.exists(s.path('alive')), 'and goes with its server')


def check_control_socket(s, members):
	"""The last thing that can fail; with a member missing the start has something to record."""
	os.makedirs(s.path('run/home/control.sock/x'), mode=0o700)
	os.chmod(s.path('run/home'), 0o700)
	os.chmod(s.path('run'), 0o700)
	refuse(s, ['--run', '--name', 'home', members[0]], ['control.sock'], 'no place for the control socket', members)
	os.removedirs(s.path('run/home/control.sock/x'))


def check_parts(s, members):
	path, s.env['PATH'] = s.env['PATH'], s.path('')
	refuse(s, members, ['nbdkit was not found'], 'a machine without nbdkit', members)
	s.env['PATH'] = path


def check_ports(s, members):
	refuse(s, ['--port', '10809', *members], ['--insecure'], 'usage: TCP without --insecure', members)
	refuse(s, ['--port', '1', '--socket', 'x', *members], ['exclude'], 'usage: port and socket', members)
	with socket.socket(socket.AF_INET6) as taken:
		taken.bind(('::', 0))
		taken.listen()
		port = str(taken.getsockname()[1])
		refuse(s, ['--port', port, '--insecure', *members], [port], 'a port that is taken', members)
	uri = s.serve('home', '--port', '0', '--insecure', *members)
	s.ok(uri.startswith('nbd://127.0.0.1:') and s.connect(uri).get_size() > 0, 'a free port is served')
	s.stop('home')


def check_names(s, members, others):
	uri = s.serve('home', *members)
	before = s.sums(*others)
	s.refused(s.umd('serve', '--name', 'home', *others), 1, ['home', 'runs already'], 'a name has one server')
	s.ok(s.sums(*others) == before, 'and the members of the second are as before')
	s.ok(s.connect(uri).get_size() > 0, 'the first one goes on')
	s.refused(s.umd('serve', *members), 1, ['in use by pid', 'nbdkit'], 'members have one server, and it is named')
	s.stop('home')
	refuse(s, ['--name', '../x', *members], ['run-time name'], 'a hostile name', members)


def check_readers(s, members):
	before = s.sums(*members)
	servers = [s.serve_in_foreground('--readonly', *members) for _ in range(2)]
	s.same(len({uri for _, uri in servers}), 2, 'two read-only servers have two names')
	s.ok(all(s.connect(uri).is_read_only() for _, uri in servers), 'and both serve')
	for server, _ in servers:
		server.terminate()
		s.same((server.wait(timeout=30), server.communicate()[0]), (0, ''), 'a reader stops')
	s.ok(s.sums(*members) == before, 'no byte changed')


def check_killed(s, members):
	server, _ = s.serve_in_foreground('--name', 'home', *members)
	os.kill(s.json('detail', '--json', 'home')['pid'], signal.SIGKILL)
	_, errors = server.communicate(timeout=30)
	s.same(server.returncode, 1, 'a killed nbdkit ends its keeper')
	s.ok('killed by signal 9' in errors.splitlines()[-1], 'which says so', errors)
	s.same(run_files(s), [], 'and cleans up behind it')

	server, _ = s.serve_in_foreground('--name', 'home', *members)
	nbdkit = os.pidfd_open(s.json('detail', '--json', 'home')['pid'])
	server.kill()
	server.communicate()
	s.ok(ends(nbdkit), 'a killed keeper takes nbdkit along')
	s.same(run_files(s), [], 'which cleans up')

	server, _ = s.serve_in_foreground('--name', 'home', '--socket', 'home.sock', *members)
	nbdkit = os.pidfd_open(s.json('detail', '--json', 'home')['pid'])
	server.send_signal(signal.SIGSTOP)
	signal.pidfd_send_signal(nbdkit, signal.SIGKILL)
	server.kill()
	server.communicate()
	s.ok(ends(nbdkit), 'keeper and nbdkit are killed')	# its locks go with its last thread
	s.ok(len(run_files(s)) >= 2 and os.path.exists(s.path('home.sock')), 'they leave their files')
	uri = s.serve('home', '--socket', 'home.sock', *members)
	s.ok(s.connect(uri).get_size() > 0, 'and the next start is not stopped by them')
	s.stop('home')
	s.same(run_files(s), [], 'after which all is clean')


def ends(pidfd):
	import select
	return bool(select.select([pidfd], [], [], 30)[0])


with Scene() as s:
	members, others = [s.image('a'), s.image('b')], [s.image('c'), s.image('d')]
	s.must('create', '--assume-clean', *members)
	s.must('create', '--assume-clean', *others)
	check_places(s, members)
	check_control_socket(s, members)
	check_parts(s, members)
	check_ports(s, members)
	check_names(s, members, others)
	check_readers(s, members)
	check_killed(s, members)
