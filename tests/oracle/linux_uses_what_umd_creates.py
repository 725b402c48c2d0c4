"""Goal:   an array made by `umd create` is an array to Linux, in every shape umd makes.
Method: metadata 1.0, 1.1, 1.2 x chunks 4K, 64K, 64M x 2 and 3 members; mdadm reads the images, the kernel assembles,
	syncs, writes, checks and stops them; then umd reads back what Linux wrote.
Law:    on-disk compatibility; I2.
Source: issue "A mirror that runs": oracle, both directions.
"""
import hashlib
import subprocess

from lab import Lab
from scene import MIB

SHAPES = [(members, chunk) for chunk in ('4K', '64K', '64M') for members in (2, 3)]

# Arguments: for each array its number and the numbers of its disks, joined by commas.
USE = '''
for array in %s; do
	IFS=, read -r n disks <<< "$array"
	md=md$n devices=()
	for d in ${disks//,/ }; do devices+=("$(disk "$d")"); done
	mdadm -X "${devices[-1]}" > bitmap.$n 2>&1
	assemble /dev/$md "${devices[@]}"
	idle $md
	dd if=/dev/urandom of=/dev/$md bs=64k count=40 seek=20 oflag=direct status=none
	sync
	check $md > mismatches.$n
	cat /sys/block/$md/md/bitmap/chunksize > chunk.$n
	cat /sys/block/$md/md/degraded > degraded.$n
	head -c 16M /dev/$md | sha256sum | cut -d' ' -f1 > content.$n
	mdadm --stop /dev/$md > /dev/null 2>&1
done
'''


def in_bytes(size):
	return int(size[:-1]) << {'K': 10, 'M': 20}[size[-1]]


def in_mdadms_words(size):
	return f'{size[:-1]} {size[-1]}B'


def make(s, metadata, number, members, chunk, assume_clean):
	size = 130 * MIB if chunk == '64M' else 24 * MIB
	images = [s.image(f'{metadata}-{number}-{i}', size) for i in range(members)]
	s.must('create', f'--metadata={metadata}', f'--bitmap-chunk={chunk}', f'--name=a{number}', *assume_clean, *images)
	shape = f'{metadata}, {chunk}, {members} members'
	text = subprocess.run(['/sbin/mdadm', '-E', images[0]], capture_output=True, text=True).stdout
	s.ok(f'Raid Devices : {members}' in text and '- correct' in text, f'{shape}: mdadm -E believes it', text)
	return shape, images


def read_by_umd(s, name, images):
	disk = s.connect(s.serve(name, *images))
	content = hashlib.sha256()
	for at in range(0, 16 * MIB, MIB):
		content.update(disk.pread(MIB, at))
	disk.shutdown()
	s.stop(name)
	return content.hexdigest()


with Lab() as s:
	for metadata in '1.0', '1.1', '1.2':
		arrays, disks, words = [], [], []
		for number, (members, chunk) in enumerate(SHAPES):
			# Half of them sync first, under Linux; 64 MiB chunks do not, since that is most of a large array.
			clean = ['--assume-clean'] if members == 3 or chunk == '64M' else []
			arrays.append(make(s, metadata, number, members, chunk, clean))
			words.append(','.join(str(n) for n in (number, *range(len(disks), len(disks) + members))))
			disks += arrays[-1][1]
		run = s.guest(USE % ' '.join(words), *disks)
		s.ok(run.returncode == 0, f'{metadata}: Linux assembles, writes, checks and stops them all', run.stdout, run.stderr)
		for number, (shape, images) in enumerate(arrays):
			text = s.said(f'bitmap.{number}')
			s.ok('Magic : 6d746962' in text and f'Chunksize : {in_mdadms_words(SHAPES[number][1])}' in text,
				f'{shape}: mdadm -X believes its bitmap', text)
			s.same((s.said(f'mismatches.{number}'), s.said(f'degraded.{number}')), ('0', '0'), f'{shape}: the check finds 0')
			s.same(s.said(f'chunk.{number}'), str(in_bytes(SHAPES[number][1])), f'{shape}: its chunk is the one asked for')
			s.same(read_by_umd(s, f'a{number}', images), s.said(f'content.{number}'), f'{shape}: umd reads what Linux wrote')
