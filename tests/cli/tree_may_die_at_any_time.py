"""Goal:   whatever happens to the tree, the array goes on; whatever happens to the server, nothing stays mounted.
Method: the tree is killed, unmounted by hand, told to end with files open and pollers waiting, told to end while the
	server is held up by SIGSTOP; the server is stopped and killed. Each time an NBD client writes before and after.
	Then places where nothing can be mounted.
Law:    a dead or hung mount never touches the array; the tree ends within a second of being told.
Source: design, the attribute tree is a process of its own.
"""
import os
import select
import signal
import subprocess
import threading
import time

from treescene import Poller, TreeScene, await_that, error_of, read

LIMIT_S = 1.0


def goes_on(s, uri, text):
	h = s.connect(uri)
	h.pwrite(os.urandom(4096), 1 << 20)
	h.flush()
	h.shutdown()
	s.same(s.json('detail', '--json', 'home')['degraded'], 0, f'{text}: the array goes on')


def killed(s, uri):
	process, md = s.mount('home')
	s.end_tree(process, signal.SIGKILL)
	s.same(error_of(os.stat, md), 'ENOTCONN', 'a killed tree leaves a dead mount')
	goes_on(s, uri, 'killed')
	process, again = s.mount('home')
	s.same((again, read(os.path.join(md, 'level'))), (md, 'raid1\n'), 'the next tree clears it away')
	s.end_tree(process, signal.SIGKILL)
	process, md = s.mount('home')
	s.ok(s.end_tree(process) == '' and not s.is_mounted(md), 'and ends with nothing mounted')
	goes_on(s, uri, 'killed twice')


def unmounted(s, uri, leaf):
	process, md = s.mount('home')
	tool = ['umount'] if os.geteuid() == 0 else ['fusermount3', '-u']
	subprocess.run([*tool, os.path.join(os.path.dirname(md), leaf)], check=True)
	s.same((process.communicate(timeout=30)[1], process.returncode), ('', 0), f'umount {leaf} ends the tree')
	s.same([os.path.exists(os.path.join(os.path.dirname(md), name)) for name in ('md', 'disk')], [False, False],
		'and both places are gone')
	goes_on(s, uri, f'unmounted {leaf}')


def told_while_in_use(s, uri):
	process, md = s.mount('home')
	p, disk = Poller(os.path.join(md, 'array_state')), os.open(os.path.join(os.path.dirname(md), 'disk'), os.O_RDONLY)
	p.read()
	os.pread(disk, 4096, 0)
	woken = []
	thread = threading.Thread(target=lambda: woken.append(p.woken(30)))
	thread.start()
	began = time.monotonic()
	s.end_tree(process)
	took = time.monotonic() - began
	thread.join()
	s.ok(took < LIMIT_S and process.returncode == 0, 'files are open, somebody polls: the tree still ends', f'{took:.2f} s')
	s.ok(woken[0] & select.POLLERR, 'the poller wakes', woken)
	s.ok(error_of(p.read) in ('ENOTCONN', 'ECONNABORTED') and error_of(os.pread, disk, 1, 0) in ('ENOTCONN', 'ECONNABORTED'),
		'open files answer that the connection is gone')
	s.ok(not s.is_mounted(md), 'nothing is mounted')
	os.close(disk)
	p.close()
	goes_on(s, uri, 'told while in use')


def stop_all_threads(pid):
	"""SIGSTOP returns before every thread has stopped: one may still answer."""
	os.kill(pid, signal.SIGSTOP)
	folder = f'/proc/{pid}/task'
	while any(open(f'{folder}/{thread}/stat').read().rpartition(')')[2].split()[0] != 'T' for thread in os.listdir(folder)):
		pass


def held_up(s, uri):
	"""The server does not answer: a reader waits, SIGTERM to the tree ends it all the same."""
	process, md = s.mount('home')
	pid, results = s.json('detail', '--json', 'home')['pid'], []
	stop_all_threads(pid)
	reader = threading.Thread(target=lambda: results.append(error_of(read, os.path.join(md, 'level'))))
	reader.start()
	reader.join(0.2)
	s.ok(reader.is_alive(), 'a reader waits for a server that is held up')
	began = time.monotonic()
	s.end_tree(process)
	took = time.monotonic() - began
	os.kill(pid, signal.SIGCONT)
	reader.join(30)
	s.ok(took < LIMIT_S, 'the tree ends meanwhile', f'{took:.2f} s')
	s.ok(results[0] in ('ENOTCONN', 'ECONNABORTED', 'EINTR'), 'and the reader gets an error', results)
	s.ok(not s.is_mounted(md), 'nothing is mounted')
	goes_on(s, uri, 'held up')


def alone(s):
	process, md = s.mount('home')
	run = s.run_tree('home')
	s.ok(run.returncode == 1 and len(run.stderr.splitlines()) == 1 and 'mounted already' in run.stderr, 'a second tree is refused',
		run.stderr)
	s.same(read(os.path.join(md, 'level')), 'raid1\n', 'the first goes on')
	place = s.path('elsewhere')
	os.mkdir(place)
	other = subprocess.Popen([s.tree, 'home', place], env=s.env, cwd=s.dir, text=True, stdout=subprocess.PIPE)
	s.trees.append(other)
	s.same(other.stdout.readline(), f'ready {place}\n', 'at a place of its own it is welcome')
	s.same(read(os.path.join(place, 'level')), 'raid1\n', 'and shows the same')
	s.end_tree(other)
	s.ok(os.path.isdir(place), 'a place that was given stays')
	s.end_tree(process)


def refusals(s):
	for args, status, words in (((), 2, 'one name'), (('none',), 1, 'no array of the name'), (('../home',), 1, 'no array'),
				    (('home', s.path('nowhere')), 1, 'nowhere'), (('home', s.tool), 1, 'no folder'),
				    (('home', '--disk=/'), 1, 'no file')):
		run = s.run_tree(*args)
		s.ok(run.returncode == status and words in run.stderr and len(run.stderr.splitlines()) == 1,
			f'umd-tree {" ".join(args)}: one sentence, status {status}', run.returncode, run.stderr)
	for args in (('--nonsense',), ('home', 'a', 'b'), ('--disk',), ('home', '/\x1b[31m')):
		run = s.run_tree(*args)
		s.ok(run.returncode == (1 if args[0] == 'home' and len(args) == 2 else 2) and
			len(run.stderr.splitlines()) == 1 and '\x1b' not in run.stderr, f'umd-tree {args}: one harmless sentence', run.stderr)
	run = subprocess.run(['unshare', '--map-root-user', '--mount', 'sh', '-c', f'mount -t tmpfs none /dev && exec "{s.tree}" home'],
		env=s.env, capture_output=True, text=True)
	if '/dev/fuse' in run.stderr:
		s.ok(run.returncode == 1 and len(run.stderr.splitlines()) == 1, 'without /dev/fuse: one sentence', run.stderr)
	else:
		s.skip('without /dev/fuse: one sentence', run.stderr.strip())
	s.same(sorted(os.listdir(os.path.join(s.env['UMD_RUNTIME_DIR'], 'home'))), ['control.sock', 'nbd.sock', 'pid'],
		'refusals leave nothing behind')


def server_ends(s, how):
	process, md = s.mount('home')
	p = Poller(os.path.join(md, 'array_state'))
	p.read()
	how()
	s.ok(p.woken(30), 'the server ends: pollers wake')
	p.close()
	s.same((process.communicate(timeout=30)[1], process.returncode), ('', 0), 'the tree ends by itself')
	s.ok(not s.is_mounted(md), 'nothing is mounted')
	s.ok(await_that(lambda: not os.listdir(s.env['UMD_RUNTIME_DIR'])), 'nothing is left in the run-time directory')


def another_server(s, members):
	"""The tree sleeps while its server ends and another begins under the same name."""
	process, md = s.mount('home')
	process.send_signal(signal.SIGSTOP)
	s.stop('home')
	s.serve('home', *members)
	process.send_signal(signal.SIGCONT)
	s.same((process.communicate(timeout=30)[1], process.returncode), ('', 0), 'a tree does not go on with another server')
	s.ok(not s.is_mounted(md), 'nothing is mounted')
	process, md = s.mount('home')
	s.same(read(os.path.join(md, 'level')), 'raid1\n', 'whose own tree is welcome')
	s.end_tree(process)


def ordinary_user(s):
	"""Everything again as nobody, where the test is root's and the program can be reached."""
	as_nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
	place = s.path('nobody')
	os.mkdir(place)
	os.chmod(s.dir, 0o755)
	os.chown(place, 65534, 65534)
	programs = os.path.dirname(s.tool)
	if os.geteuid() or subprocess.run([*as_nobody, s.tree, '--version'], capture_output=True).returncode:
		s.skip('an ordinary user mounts, uses, kills and ends a tree', 'not root, or an ordinary user cannot reach the program')
		return
	run = subprocess.run([*as_nobody, 'bash', '-c', f'''set -e
		export UMD_RUNTIME_DIR={place}/run PATH={programs}:$PATH
		umd serve --background --inactive --name mine 2> /dev/null
		trap 'umd stop mine' EXIT
		umd-tree --background mine
		cd {place}/run/mine/md
		echo 4 > raid_disks
		cat raid_disks
		cat new_dev || true
		kill -9 $(pgrep -n -u 65534 -x umd-tree)
		cd /
		while umd-tree --background mine; do break; done
		cat {place}/run/mine/md/raid_disks
		fusermount3 -u {place}/run/mine/md
		'''], capture_output=True, text=True, timeout=60)
	s.same([line for line in run.stdout.split('\n') if line and not line.startswith('ready')], ['4', '4', 'mine is stopped'],
		'an ordinary user mounts, uses, kills and ends a tree')
	s.ok('Permission denied' in run.stderr, 'new_dev cannot be read', run.stderr)


def in_background(s):
	run = s.run_tree('--background', 'home')
	md = run.stdout[len('ready '):].rstrip('\n')
	s.same((run.returncode, read(os.path.join(md, 'level'))), (0, 'raid1\n'), 'umd-tree --background returns when it is mounted')
	s.same(s.run_tree('--background', 'none').returncode, 1, 'and with its exit status when it is not')
	s.stop('home')
	# A dead mount does not exist either; its folder does again, for a moment, when that is gone.
	s.ok(await_that(lambda: not s.is_mounted(md) and not os.path.exists(md)), 'it ends with the server, too')


with TreeScene() as s:
	members = s.mirror('home')
	uri = f'nbd+unix:///home?socket={s.env["UMD_RUNTIME_DIR"]}/home/nbd.sock'
	killed(s, uri)
	unmounted(s, uri, 'md')
	unmounted(s, uri, 'disk')
	told_while_in_use(s, uri)
	held_up(s, uri)
	alone(s)
	refusals(s)
	server_ends(s, lambda: s.stop('home'))
	s.serve('home', *members)
	server_ends(s, lambda: s.kill('home'))
	s.serve('home', *members)
	another_server(s, members)
	in_background(s)
	ordinary_user(s)
