"""Goal:   umd serve --tree has attributes and array as files when it says that it is ready, and leaves nothing mounted.
Method: served with --tree, stopped, killed; a tree that is killed or unmounted under the server; no /dev/fuse, in a mount
	namespace of its own.
Law:    a dead mount never touches the array.
Source: design, "What runs"; issue 5, point 1: "without /dev/fuse the socket alone, said in one line".
"""
import os
import shutil
import signal
import subprocess

from external import NAME, External
from scene import Scene


def tree_of(keeper):
	"""The process of umd-tree below @keeper."""
	for pid in filter(str.isdigit, os.listdir('/proc')):
		try:
			stat = open(f'/proc/{pid}/stat').read()
		except OSError:
			continue
		if '(umd-tree)' in stat and int(stat.rsplit(')', 1)[1].split()[1]) == keeper.pid:
			return int(pid)
	return None


def mounted(s):
	return [line for line in open('/proc/mounts') if s.dir in line]


with Scene() as s:
	if not os.access('/dev/fuse', os.R_OK | os.W_OK):
		s.skip('a tree is mounted', '/dev/fuse is not there for us')
	else:
		md = os.path.join(s.env['UMD_RUNTIME_DIR'], NAME, 'md')
		x = External(s, serve=['--tree'])
		s.same(open(f'{md}/array_state').read(), 'clear\n', 'the tree is there when the server is ready')
		x.set_up()
		x.start()
		s.same(open(f'{md}/dev-a.img/state').read(), 'in_sync\n', 'it shows what the socket shows')
		with open(f'{md}/sync_action', 'w') as f:
			f.write('frozen\n')
		s.same(x.get('sync_action'), 'frozen', 'and writes what it writes')
		s.same(os.stat(os.path.join(os.path.dirname(md), 'disk')).st_size, 8192 << 10, 'the array is a file')
		s.stop(NAME)
		s.same((mounted(s), os.path.exists(md)), ([], False), 'a server that is stopped leaves nothing mounted')

		keeper, _ = s.serve_in_foreground('--inactive', '--tree', '--name', NAME)
		s.end_process(tree_of(keeper), signal.SIGKILL)
		s.same(s.must('get', NAME, 'array_state').stdout, 'clear\n', 'without its tree the server serves on')
		s.must('stop', NAME)
		s.same(keeper.wait(20), 0, 'and ends well')
		for line in mounted(s):		# the dead mount of a killed process
			subprocess.run(['fusermount3', '-u', '-z', line.split()[1]])

		keeper, _ = s.serve_in_foreground('--inactive', '--tree', '--name', NAME)
		tree = tree_of(keeper)
		s.end_process(keeper.pid, signal.SIGKILL)
		try:
			s.end_process(tree, 0)		# only waits
		except ProcessLookupError:
			pass
		s.same(mounted(s), [], 'a keeper that is killed takes tree and mounts with it')
		keeper.wait()

	if os.geteuid() or not shutil.which('unshare'):
		s.skip('without /dev/fuse one line says so', 'no mount namespace can be made here')
	else:
		script = 'mount --bind /dev/null /dev/fuse && exec "$@"'
		run = subprocess.run(['unshare', '-m', 'sh', '-c', script, 'sh', s.tool, 'serve', '--background', '--inactive', '--tree',
			'--name', NAME], env=s.env, cwd=s.dir, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
		s.servers.append(NAME)
		said = [line for line in run.stderr.splitlines() if 'umd get' in line]
		s.ok(run.returncode == 0 and run.stdout.startswith('ready ') and len(said) == 1, 'without /dev/fuse one line says so',
			run.stdout, run.stderr)
		s.same(s.must('get', NAME, 'array_state').stdout, 'clear\n', 'and the control socket serves alone')
		s.stop(NAME)
