"""Goal:   when a umd server dies in the middle of writing, Linux copies the set chunks and finds the members equal.
Method: writes through NBD until SIGKILL; the bytes under the set bits of the second member are scribbled over; Linux
	assembles, resyncs and checks. On a second copy its whole data area is poison: it is gone where Linux copied.
Law:    I3 (bits are on disk before data), I8, I1.
Source: issue "A mirror that runs": oracle, both directions.
"""
import contextlib
import shutil
import threading

from lab import Lab
from scene import MIB

CHUNK = 64 * 1024
WRITTEN = [0, 5, 6, 77, 300]

RESYNC = '''
assemble /dev/md0 /dev/ubda /dev/ubdb
idle md0
check md0 > mismatches
mdadm --stop /dev/md0 > /dev/null 2>&1
assemble /dev/md1 /dev/ubdc /dev/ubdd
idle md1
mdadm --stop /dev/md1 > /dev/null 2>&1
'''


def write_without_end(disk, at, begun):
	import nbd
	with contextlib.suppress(nbd.Error):
		while True:
			disk.pwrite(b'z' * 4096, at)
			begun.set()


with Lab() as s:
	a, b = s.image('a', 32 * MIB), s.image('b', 32 * MIB)
	s.must('create', '--assume-clean', f'--bitmap-chunk={CHUNK}', '--name=home', a, b)
	uri = s.serve('home', a, b)
	disk, other = s.connect(uri), s.connect(uri)
	for n in WRITTEN:
		disk.pwrite(bytes([n & 255]) * CHUNK, n * CHUNK)
	disk.flush()
	begun = threading.Event()
	writer = threading.Thread(target=write_without_end, args=(other, WRITTEN[-1] * CHUNK, begun))
	writer.start()
	begun.wait()
	s.kill('home')
	writer.join()

	wanted = s.set_chunks(a)
	s.same(wanted, [(n * CHUNK, CHUNK) for n in WRITTEN], 'the bits of all written chunks are on the disk')
	s.same(s.set_chunks(b), wanted, 'of both members')
	poisoned = [shutil.copyfile(a, s.path('c')), shutil.copyfile(b, s.path('d'))]
	s.poison(poisoned[1])
	at = s.geometry(b)[0]
	with open(b, 'r+b') as f:
		for begin, length in wanted:
			f.seek(at + begin)
			f.write(b'\xee' * length)

	run = s.guest(RESYNC, a, b, *poisoned)
	s.ok(run.returncode == 0, 'Linux assembles what umd left', run.stdout, run.stderr)
	s.same(s.said('mismatches'), '0', 'after its resync the check finds 0')
	s.ok(s.data(a) == s.data(b), 'the members are equal')
	s.same(s.copied_chunks(poisoned[1]), wanted, 'Linux copied exactly the set chunks')
	content = s.data(b)
	s.ok(all(content[n * CHUNK:(n + 1) * CHUNK] == bytes([n & 255]) * CHUNK for n in WRITTEN[:-1]), 'what was flushed is there')
	s.same(s.json('examine', '--json', a, b)['arrays'][0]['next_start']['action'], 'none', 'umd sees a clean array again')
