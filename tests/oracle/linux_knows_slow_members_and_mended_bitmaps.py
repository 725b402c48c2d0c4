"""Goal:   a mirror that umd made with a write-mostly member and write-behind is that to Linux, and what Linux changes of it is so
	to umd; a bitmap with which Linux refused to start is one it takes when umd has served the array.
Method: a guest assembles, writes, checks and sets another backlog, umd serves and compares; two of the golden sets, with the
	write-error flag and with a daemon_sleep of 0, are served by umd first.
Law:    on-disk compatibility; I2.
Source: spec array 4.4; bitmap P3, P4, V21; facts.json of the two sets (Linux: exit status 1).
"""
import hashlib
import os
import sys

from lab import HERE, Lab
from scene import MIB

sys.path.insert(0, os.path.join(HERE, '..', 'golden'))
import goldenlib  # noqa: E402

MENDED = ['r1-12-bitmap-flag-write-error', 'r1-12-bitmap-daemon-zero']

USE = '''
mdadm -X "$(disk 1)" > bitmap.text 2>&1
assemble /dev/md0 "$(disk 0)" "$(disk 1)"
idle md0
cat /sys/block/md0/md/bitmap/backlog > backlog
cat /sys/block/md0/md/dev-$(basename "$(disk 0)")/state /sys/block/md0/md/dev-$(basename "$(disk 1)")/state > states
dd if=/dev/urandom of=/dev/md0 bs=4k count=500 seek=20 oflag=direct status=none
sync
cat /sys/block/md0/md/bitmap/max_backlog_used > used
check md0 > mismatches
echo 5 > /sys/block/md0/md/bitmap/backlog
head -c 16M /dev/md0 | sha256sum | cut -d' ' -f1 > content
mdadm --stop /dev/md0 > /dev/null 2>&1
for n in 1 2; do
	assemble /dev/md$n "$(disk $((2 * n)))" "$(disk $((2 * n + 1)))"
	idle md$n
	cat /sys/block/md$n/md/degraded > degraded.$n
	check md$n > mismatches.$n
	mdadm --stop /dev/md$n > /dev/null 2>&1
done
'''


def make_slow(s, a, b):
	"""The one in slot 0: Linux 6.1 writes behind no other (docs/differences.md, behind-any-slot)."""
	s.must('create', '--write-behind', '--bitmap-chunk=64K', '--name=slow', '--write-mostly', a, b)
	s.serve('slow', a, b)
	s.must('wait', 'slow')
	s.must('set', 'slow', 'dev-b/state', '-writemostly')
	s.stop('slow')


def serve_mended(s, name):
	"""Once, so that umd writes the bitmap's superblock."""
	one = goldenlib.Set(name)
	folder = s.path(name)
	os.makedirs(folder)
	paths = one.unpack(folder)
	s.ok(one.facts['linux_start']['steps'][0]['rc'] != 0, f'{name}: Linux refused it')
	disk = s.connect(s.serve('mended', *paths))
	disk.pwrite(disk.pread(4096, 0), 0)
	disk.shutdown()
	s.must('wait', 'mended')
	s.stop('mended')
	return paths


with Lab() as s:
	a, b = s.image('a', 32 * MIB), s.image('b', 32 * MIB)
	make_slow(s, a, b)
	mended = [path for name in MENDED for path in serve_mended(s, name)]
	run = s.guest(USE, a, b, *mended)
	s.ok(run.returncode == 0, 'Linux assembles, writes, checks and stops them', run.stdout, run.stderr)
	s.ok('Allow write behind, max 256' in s.said('bitmap.text'), 'mdadm -X tells of the backlog', s.said('bitmap.text'))
	s.same(s.said('backlog'), '256', 'the kernel has it')
	s.same(s.said('states').split(), ['in_sync,write_mostly', 'in_sync'], 'and the write-mostly member')
	s.ok(int(s.said('used') or 0) > 0, 'its writes went behind', s.said('used'))
	s.same(s.said('mismatches'), '0', 'the check finds nothing')
	bitmap = s.json('examine', '--json', b)['members'][0]['bitmaps'][0]
	s.same(bitmap['write_behind'], 5, 'umd sees the backlog that was set under Linux')
	disk = s.connect(s.serve('slow', a, b))
	content = hashlib.sha256()
	for at in range(0, 16 * MIB, MIB):
		content.update(disk.pread(MIB, at))
	s.same(content.hexdigest(), s.said('content'), 'and reads what Linux wrote')
	s.same(s.json('detail', '--json', 'slow')['bitmap']['write_behind'], 5, 'the running array has that backlog')
	disk.shutdown()
	s.stop('slow')
	for number, name in enumerate(MENDED, 1):
		s.same((s.said(f'degraded.{number}'), s.said(f'mismatches.{number}')), ('0', '0'), f'{name}: Linux starts it now, whole and equal')
