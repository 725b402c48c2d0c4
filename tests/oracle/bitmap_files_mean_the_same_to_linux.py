"""Goal:   an array whose bitmap is in a file goes back and forth between umd and Linux: each believes the file the other left,
	and copies just its set chunks.
Method: umd creates it; a server dies under writes; Linux, given the file on a file system of its own (it wants to know the
	file's blocks), resyncs, checks, writes and is cut off; umd starts with the file that the cut left. Poison shows what
	was copied.
Law:    on-disk compatibility; I3, I8.
Source: mdadm --assemble --bitmap=FILE of mdadm 4.2 under Linux 6.1.
"""
import os

from lab import CUT, POISON, Lab
from scene import MIB

CHUNK = 64 * 1024
DATA_AT = 1 << 20
WRITTEN, BY_LINUX = [0, 5, 77, 300], [9, 130]

MOUNT = '''
mkdir -p /run/fs
mount -t ext4 /dev/ubdc /run/fs
'''
TAKE_OVER = '''
mkfs.ext4 -q /dev/ubdc
''' + MOUNT + '''
cp map.bm /run/fs/map
mdadm -X /run/fs/map > said 2>&1 || true
assemble /dev/md0 --bitmap=/run/fs/map /dev/ubda /dev/ubdb
idle md0
cat /sys/block/md0/md/bitmap/location > location
check md0 > mismatches
mdadm --wait-clean /dev/md0 || true
mdadm --stop /dev/md0 > /dev/null 2>&1
cp /run/fs/map back.bm
assemble /dev/md0 --bitmap=/run/fs/map /dev/ubda /dev/ubdb
echo 30 > /sys/block/md0/md/safe_mode_delay
for n in %s; do dd if=/dev/urandom of=/dev/md0 bs=64k count=1 seek=$n oflag=direct status=none; done
crash-now
'''
FETCH = MOUNT + '''
cp /run/fs/map cut.bm
umount /run/fs
'''


def data(s, name):
	with open(s.path(name), 'rb') as f:
		f.seek(DATA_AT)
		return f.read()


def poison(s, name):
	with open(s.path(name), 'r+b') as f:
		f.seek(DATA_AT)
		f.write(POISON * (os.path.getsize(s.path(name)) - DATA_AT))


def copied(s, name):
	got = data(s, name)
	return [n for n in range(len(got) // CHUNK) if got[n * CHUNK:(n + 1) * CHUNK] != POISON * CHUNK]


def set_in(path):
	raw = open(path, 'rb').read()
	return [i for i in range((len(raw) - 256) * 8) if raw[256 + i // 8] >> i % 8 & 1]


with Lab() as s:
	a, b = s.image('a', 32 * MIB), s.image('b', 32 * MIB)
	s.must('create', '--assume-clean', f'--bitmap-chunk={CHUNK}', '--bitmap=map.bm', '--name=home', a, b)
	disk = s.connect(s.serve('home', '--bitmap=map.bm', a, b))
	for n in WRITTEN:
		disk.pwrite(bytes([n & 255]) * CHUNK, n * CHUNK)
	disk.flush()
	s.kill('home')
	s.same(set_in(s.path('map.bm')), WRITTEN, 'umd\'s file has the chunks that were written')
	poison(s, 'b')
	fs = s.image('fs', 16 * MIB)
	run = s.guest(TAKE_OVER % ' '.join(map(str, BY_LINUX)), a, b, fs)
	s.ok(run.returncode == CUT, 'Linux assembles with umd\'s file, resyncs, writes and is cut off', run.stdout, run.stderr)
	s.ok('Magic : 6d746962' in s.said('said'), 'mdadm -X believes the file', s.said('said'))
	s.same(s.said('location'), 'file', 'the bitmap is in the file for Linux, too')
	s.same(sorted(set(copied(s, 'b')) - set(BY_LINUX)), WRITTEN, 'Linux copied exactly the set chunks')
	s.ok(int(s.said('mismatches') or 0) > 0, 'and left the poison elsewhere, which its check sees', s.said('mismatches'))
	s.guest(FETCH, a, b, fs)
	left = set_in(s.path('cut.bm'))
	s.ok(set(BY_LINUX) <= set(left), 'the file that the cut left has what Linux wrote', left)
	poison(s, 'b')
	s.serve('home', '--bitmap=cut.bm', a, b)
	s.must('wait', 'home')
	last = s.json('detail', '--json', 'home')['last_sync']
	s.stop('home')
	s.same((last['bytes_copied'], copied(s, 'b')), (len(left) * CHUNK, left), 'umd copies exactly the chunks of Linux\'s file')
