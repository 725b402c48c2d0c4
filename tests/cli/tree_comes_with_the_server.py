"""Goal:   umd serve --tree: attributes and array are files when the server is ready, and gone when it has ended.
Method: the tree is looked at right behind the word "ready", killed, unmounted; the server is stopped and killed; all of them
	are killed at once, and what is left is taken away; a socket elsewhere; a world without /dev/fuse.
Law:    a server never needs its tree; nothing stays mounted behind either.
Source: design section 2; issue "Externally managed metadata", serve --tree.
"""
import os
import shlex
import signal
import subprocess

from treescene import TreeScene, await_that, error_of, read


def begin(s, members, *options):
	keeper, uri = s.serve_in_foreground('--tree', '--name', 'home', *options, *members)
	return keeper, uri, os.path.join(s.env['UMD_RUNTIME_DIR'], 'home')


def tree_of(keeper):
	"""The pid of the keeper's umd-tree."""
	with open(f'/proc/{keeper.pid}/task/{keeper.pid}/children') as f:
		children = f.read().split()
	return next(int(pid) for pid in children if read(f'/proc/{pid}/comm') == 'umd-tree\n')


def stopped(s, members):
	keeper, uri, home = begin(s, members)
	s.same(read(os.path.join(home, 'md/array_state')), 'clean\n', 'ready means that array_state is there')
	s.same(os.stat(os.path.join(home, 'disk')).st_size, s.connect(uri).get_size(), 'and the disk')
	s.must('stop', 'home')
	s.same((s.mounts_left(), os.path.exists(os.path.join(home, 'md'))), ([], False), 'umd stop returns: nothing is mounted')
	s.same((keeper.communicate(timeout=30)[1].count('\n') <= 1, keeper.returncode), (True, 0), 'the keeper ends without a word')
	s.same(os.listdir(os.path.dirname(home)), [], 'and nothing is left')


def without_its_tree(s, members, how, text):
	keeper, uri, home = begin(s, members)
	how(tree_of(keeper), home)
	s.ok(await_that(lambda: sorted(os.listdir(home)) == ['control.sock', 'nbd.sock', 'pid']), f'{text}: its places are taken away',
		os.listdir(home))
	h = s.connect(uri)
	h.pwrite(b'x' * 4096, 0)
	h.flush()
	h.shutdown()
	s.same(s.must('get', 'home', 'degraded').stdout, '0\n', f'{text}: the array goes on')
	process, md = s.mount('home')
	s.same(read(os.path.join(md, 'level')), 'raid1\n', f'{text}: another tree may come')
	s.must('stop', 'home')
	process.communicate(timeout=30)
	keeper.communicate(timeout=30)
	s.same(s.mounts_left(), [], f'{text}: nothing is mounted at the end')


def killed(s, members):
	keeper, uri, home = begin(s, members)
	os.kill(int(read(os.path.join(home, 'pid'))), signal.SIGKILL)
	keeper.communicate(timeout=30)
	s.same((keeper.returncode, s.mounts_left(), os.listdir(os.path.dirname(home))), (1, [], []),
		'the server was killed: nothing is mounted, nothing is left')


def all_killed(s, members):
	keeper, uri, home = begin(s, members, '--socket', s.path('elsewhere.sock'))
	s.same(len(open(os.path.join(home, 'disk'), 'rb').read(4096)), 4096, 'a socket elsewhere: the disk finds it')
	victims = [tree_of(keeper), int(read(os.path.join(home, 'pid'))), keeper.pid]
	for pid in victims[:1] + victims[:0:-1]:
		os.kill(pid, signal.SIGSTOP)	# so that none tidies up behind another
	for pid in victims:
		os.kill(pid, signal.SIGKILL)
	keeper.communicate()
	s.ok(await_that(lambda: error_of(os.stat, os.path.join(home, 'md')) == 'ENOTCONN'), 'all were killed: dead mounts are left')
	run = s.run_tree('--clean', 'home')
	s.same((run.returncode, run.stdout + run.stderr), (0, ''), 'umd-tree --clean')
	s.same((s.mounts_left(), os.listdir(os.path.dirname(home))), ([], []), 'takes all away')
	s.same(s.run_tree('--clean', 'home').returncode, 0, 'and has nothing to do then')
	keeper, uri, home = begin(s, members)
	s.same((s.run_tree('--clean', 'home').returncode, read(os.path.join(home, 'md/level'))), (0, 'raid1\n'), 'what lives it leaves alone')
	s.must('stop', 'home')
	keeper.communicate(timeout=30)


def without_fuse(s, members):
	inside = 'mount -t tmpfs none /dev && mknod /dev/null c 1 3 && mknod /dev/urandom c 1 9 && exec "$@"'
	run = subprocess.run(['unshare', '--mount', 'sh', '-c', inside, 'sh', s.tool, 'serve', '--background', '--tree', '--name', 'home',
			      *members], env=s.env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
	if not run.stdout.startswith('ready'):
		s.skip('without /dev/fuse the server runs all the same', f'no such world here: {shlex.quote(run.stderr.strip())}')
		return
	s.servers.append('home')
	said = [line for line in run.stderr.splitlines() if 'nbdkit' not in line]
	s.ok(len(said) == 1 and '/dev/fuse' in said[0] and 'umd get' in said[0], 'without /dev/fuse the server says so in one line', run.stderr)
	s.same(s.must('get', 'home', 'array_state').stdout, 'clean\n', 'and runs all the same')
	s.stop('home')


def unmount(pid, home):
	subprocess.run(['fusermount3', '-u', os.path.join(home, 'md')], check=True)


with TreeScene() as s:
	members = s.mirror('first')
	s.mount('first')		# where that cannot be, all is skipped
	s.stop('first')
	stopped(s, members)
	without_its_tree(s, members, lambda pid, home: os.kill(pid, signal.SIGKILL), 'killed')
	without_its_tree(s, members, unmount, 'unmounted')
	killed(s, members)
	all_killed(s, members)
	without_fuse(s, members)
