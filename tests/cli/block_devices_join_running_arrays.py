"""Goal:   block devices come into running arrays by every door that names them: manage, set, the tree, by path and by number.
Method: loop devices: one is added, fails, leaves and comes back by the bitmap; others are bound by attributes. One that somebody has
	to himself is refused at every door, and the array has its devices to itself.
Law:    nobody else writes a member.
Source: design section 2; what a cluster's machines showed: who hands a device over must not claim it, the server does.
"""
import os
import subprocess

from scene import MIB
from treescene import TreeScene, error_of, store


class Devices(TreeScene):
	"""Images as loop devices, gone at the end."""

	def __enter__(self):
		self.loops = []
		return super().__enter__()

	def __exit__(self, kind, value, trace):
		for name in list(self.servers):
			self.stop(name)
		for device in self.loops:
			subprocess.run(['losetup', '-d', device], check=True)
		super().__exit__(kind, value, trace)

	def device(self, name):
		run = subprocess.run(['losetup', '-f', '--show', self.image(name)], capture_output=True, text=True)
		if run.returncode == 0:
			self.loops.append(run.stdout.strip())
		return run.stdout.strip()

	def data(self, path):
		place = self.json('examine', '--json', path)['members'][0]['superblock']
		with open(path, 'rb') as f:
			f.seek(place['data_offset_bytes'])
			return f.read(place['component_bytes'])

	def until_whole(self, name):
		while self.umd('detail', '--test', name).returncode:
			pass


def claimed(device):
	"""The descriptor of somebody who wants it alone, or the error."""
	try:
		return os.open(device, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)
	except OSError as error:
		return os.strerror(error.errno)


def manage(s):
	a, loop, other = s.image('a.img'), s.device('b.img'), s.device('c.img')
	s.must('create', '--assume-clean', '--bitmap=internal', '--name=m', a, loop)
	client = s.connect(s.serve('m', a, loop))
	client.pwrite(b'\x11' * MIB, 4 * MIB)
	s.must('manage', 'm', '--fail', loop, '--remove', loop)
	holder = claimed(loop)
	s.ok(isinstance(holder, int), 'a device that was removed is free', holder)
	client.pwrite(b'\x22' * MIB, 8 * MIB)
	for verb in ('--add', '--re-add'):
		s.refused(s.umd('manage', 'm', verb, loop), 1, [loop, 'in use'], f'{verb}: a device that somebody has to himself is refused')
	os.close(holder)
	s.must('manage', 'm', '--re-add', loop)
	s.until_whole('m')
	s.same(claimed(loop), 'Device or resource busy', 'a device that came back is the array\'s alone')
	s.must('manage', 'm', '--fail', a, '--remove', a, '--add', other)
	s.until_whole('m')
	s.same(claimed(other), 'Device or resource busy', 'and so is another one that was added')
	client.pwrite(b'\x33' * MIB, 12 * MIB)
	client.shutdown()
	s.stop('m')
	s.ok(s.data(loop) == s.data(other) and s.data(loop)[8 * MIB:9 * MIB] == b'\x22' * MIB, 'both have what was written')


def by_attributes(s):
	by_path, by_number = s.device('d.img'), s.device('e.img')
	numbers = os.stat(by_number).st_rdev
	number = f'{os.major(numbers)}:{os.minor(numbers)}'
	s.must('serve', '--background', '--inactive', '--name', 't')
	s.servers.append('t')
	holder = claimed(by_path)
	run = s.umd('set', 't', 'new_dev', by_path)
	s.ok(run.returncode == 1 and 'in use' in run.stderr, 'set: a device that somebody has to himself is refused', run.stderr)
	os.close(holder)
	s.must('set', 't', 'new_dev', by_path)
	s.same(claimed(by_path), 'Device or resource busy', 'set, by path: it is bound, and the array\'s alone')
	run = s.umd('set', 't', 'new_dev', '7:999999')
	s.ok(run.returncode == 1 and 'there is no block device 7:999999' in run.stderr, 'set: so are numbers that no device has',
		run.stderr)
	s.must('set', 't', 'new_dev', number)
	s.same(claimed(by_number), 'Device or resource busy', 'set, by number: it is bound, and the array\'s alone')


def by_the_tree(s):
	if not os.access('/dev/fuse', os.W_OK):
		s.skip('the tree', 'no /dev/fuse')
		return
	device = s.device('f.img')
	process, place = s.mount('t')
	new_dev, holder = os.path.join(place, 'new_dev'), claimed(device)
	s.same(error_of(store, new_dev, device), 'EBUSY', 'the tree: a device that somebody has to himself is refused')
	os.close(holder)
	store(new_dev, device)
	s.same(claimed(device), 'Device or resource busy', 'the tree: it is bound, and the array\'s alone')
	s.stop('t')
	process.communicate(timeout=30)


with Devices() as s:
	if s.device('probe.img'):
		manage(s)
		by_attributes(s)
		by_the_tree(s)
	else:
		s.skip('block devices join running arrays', 'no loop device can be made here')
