"""Goal:   a disk that holds something is not overwritten, and what it holds is named, also by a server that reads past the cache.
Method: file systems, swap and a blank disk are added to an array that is served with and without --direct; as files, and as block
	devices where loop devices can be made.
Law:    foreign data is never overwritten without a word.
Source: what a cluster's machines showed: the search for signatures failed on descriptors with O_DIRECT.
"""
import subprocess

from scene import MIB, Scene

SIZE = 32 * MIB
MAKERS = {'ext4': ['mkfs.ext4', '-q'], 'swap': ['mkswap']}


def disks(s):
	"""{what it holds: path}"""
	found = {None: s.image('blank.img', SIZE)}
	for kind, maker in MAKERS.items():
		path = s.image(f'{kind}.img', SIZE)
		subprocess.run([*maker, path], check=True, capture_output=True)
		found[kind] = path
	return found


def judged(s, found, how):
	for kind, path in found.items():
		before = s.sums(path)
		run = s.umd('manage', 'm', '--add', path)
		if kind:
			s.refused(run, 1, [path, f'holds something already ({kind})', '--force'], f'{how}: {kind} is found')
			s.ok(s.sums(path) == before, f'{how}: not a byte of it is changed')
		else:
			s.same((run.returncode, run.stderr), (0, ''), f'{how}: a blank disk joins')
			s.must('manage', 'm', '--remove', path)
			s.image('blank.img', SIZE)


def as_devices(s, found, how):
	devices = {}
	try:
		for kind, path in found.items():
			run = subprocess.run(['losetup', '-f', '--show', path], capture_output=True, text=True)
			if run.returncode:
				s.skip(f'{how}, block devices', 'no loop device can be made here')
				return
			devices[kind] = run.stdout.strip()
		judged(s, devices, f'{how}, block devices')
	finally:
		for device in devices.values():
			subprocess.run(['losetup', '-d', device], check=True)


with Scene() as s:
	members = [s.image('a.img', SIZE), s.image('b.img', SIZE)]
	s.must('create', '--assume-clean', '--bitmap=internal', '--name=m', *members)
	for option in ([], ['--direct']):
		how = 'direct' if option else 'plain'
		run = s.umd('serve', '--background', '--name=m', *option, *members)
		if run.returncode and 'O_DIRECT' in run.stderr:
			s.skip(how, run.stderr.strip())
			continue
		s.same(run.returncode, 0, f'{how}: the array is served')
		s.servers.append('m')
		found = disks(s)
		judged(s, found, how)
		as_devices(s, found, how)
		s.stop('m')
