"""Goal:   when Linux dies in the middle of writing, umd copies the set chunks and nothing else.
Method: the kernel writes, flushes and is cut off; the second member's data area is filled with poison; after umd's resync
	the poison is gone exactly where bits were set. The same without poison, to compare the members.
Law:    I8 (the set chunks, the last one cut at the array's end), I2, I1.
Source: issue "A mirror that runs": oracle, both directions.
"""
import shutil

from lab import CUT, Lab
from scene import MIB

# A 64K and a 64M geometry; the last write lies in the last, shorter chunk of the second. Writes go on until the cut, and without a
# delay for safe mode an array stays active however slow the machine is.
WRITE_AND_DIE = '''
assemble /dev/md0 /dev/ubda /dev/ubdb
assemble /dev/md1 /dev/ubdc /dev/ubdd
for md in md0 md1; do echo 0 > /sys/block/$md/md/safe_mode_delay; done
for n in 3 17 18 200 300; do
	yes "linux $n" | dd of=/dev/md0 bs=64k count=1 seek=$n iflag=fullblock oflag=direct conv=fsync status=none
done
yes "linux last" | dd of=/dev/md1 bs=64k count=1 seek=1300 iflag=fullblock oflag=direct conv=fsync status=none
(while :; do
	dd if=/dev/zero of=/dev/md0 bs=4k count=1 seek=1600 oflag=direct status=none
	dd if=/dev/zero of=/dev/md1 bs=4k count=1 seek=20816 oflag=direct status=none
done) &
until grep -qx active /sys/block/md0/md/array_state && grep -qx active /sys/block/md1/md/array_state; do :; done
crash-now
'''


def resync(s, name, images):
	"""Serve, wait, stop: the report of the sync."""
	s.serve(name, *images)
	s.must('wait', name)
	report = s.json('detail', '--json', name)['last_sync']
	s.stop(name)
	return report


def expected(text, length):
	line = (text + '\n').encode()
	return (line * (length // len(line) + 1))[:length]


with Lab() as s:
	small = [s.image('a', 32 * MIB), s.image('b', 32 * MIB)]
	large = [s.image('c', 100 * MIB), s.image('d', 100 * MIB)]
	s.must('create', '--assume-clean', '--bitmap-chunk=64K', '--name=small', *small)
	s.must('create', '--assume-clean', '--bitmap-chunk=64M', '--name=large', *large)
	run = s.guest(WRITE_AND_DIE, *small, *large)
	s.same(run.returncode, CUT, 'Linux wrote and was cut off')

	for name, images, chunks in ('small', small, [3, 17, 18, 100, 200, 300]), ('large', large, [1]):
		seen = s.json('examine', '--json', *images)['arrays'][0]['next_start']
		wanted = s.set_chunks(images[0])
		total = sum(length for _, length in wanted)
		s.ok({n for n in chunks} <= {at // s.geometry(images[0])[2]['chunk_bytes'] for at, _ in wanted},
			f'{name}: Linux has set the bits of what it wrote', wanted)
		s.same((seen['action'], seen['bytes']), ('resync', total), f'{name}: examine foretells a resync of the set chunks')

		copies = [shutil.copyfile(i, i + '.poisoned') for i in images]
		s.poison(copies[1])
		report = resync(s, name, copies)
		s.same((report['bytes_copied'], report['complete']), (total, True), f'{name}: bytes copied are the sum of the set chunks')
		s.same(s.copied_chunks(copies[1]), wanted, f'{name}: exactly the set chunks were copied')
		first, second = s.data(copies[0]), s.data(copies[1])
		s.ok(all(first[at:at + n] == second[at:at + n] for at, n in wanted), f'{name}: there the members are equal')

		resync(s, name, images)
		s.ok(s.data(images[0]) == s.data(images[1]), f'{name}: without poison the members are equal everywhere')

	content = s.data(small[0])
	for n in 3, 17, 18, 200, 300:
		s.ok(content[n << 16:(n + 1) << 16] == expected(f'linux {n}', 65536), f'what Linux had flushed into chunk {n} is there')
	content = s.data(large[1])
	s.ok(content[1300 << 16:1301 << 16] == expected('linux last', 65536), 'and what it had flushed into the last chunk')
