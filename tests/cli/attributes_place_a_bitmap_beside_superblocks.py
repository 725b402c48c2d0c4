"""Goal:   bitmap/location of an array with superblocks takes the bitmap away and puts one where it is told, counted from the
	superblock, on every member; what is no place there is refused with the places that are, and nothing changes.
Method: none, +N and -N by attribute, with metadata 1.2 and 1.0, with and without bitmap/chunksize; what superblocks say, what a
	restart loads and where the bits are; wrong places, wrong moments.
Law:    I3, I5.
Source: heads of src/assembly/rebitmap.c and src/attrs/set_bitmap.c; EBUSY and EINVAL as md gives them.
"""
from scene import Scene

BLOCK, SECTOR = 4096, 512


def errno_of(s, value, path='bitmap/location'):
	return s.umd('set', 'home', path, value)


def location(s):
	return s.must('get', 'home', 'bitmap/location').stdout.strip()


def told(s, path):
	"""Distance and chunk by the member's superblocks; None: no bitmap."""
	m = s.json('examine', '--json', path)['members'][0]
	if not m['superblock']['feature_map'] & 1:
		return None
	return m['superblock']['bitmap_offset_bytes'] // SECTOR, m['bitmaps'][0]['chunk_bytes']


def bits(path, at, bytes_):
	with open(path, 'rb') as f:
		f.seek(at + 256)
		data = f.read(bytes_)
	return [i for i in range(bytes_ * 8) if data[i // 8] >> i % 8 & 1]


def a_place(s, minor, place, wrong):
	a, b = s.image(f'a{minor}'), s.image(f'b{minor}')
	s.must('create', '--assume-clean', '--name=home', f'--metadata=1.{minor}', a, b)
	disk = s.connect(s.serve('home', a, b))
	disk.pwrite(b'a' * BLOCK, 0)
	first = location(s)
	s.refused(errno_of(s, place), 1, ['already'], f'1.{minor}: one that is there must go first')
	s.must('set', 'home', 'bitmap/location', 'none')
	s.same([location(s), told(s, a), told(s, b)], ['none', None, None], 'none takes it away on every member')
	for value in wrong:
		s.refused(errno_of(s, value), 1, [value if value[1:].isdigit() else 'number of sectors'], f'{value} is no place')
		s.same([location(s), told(s, a)], ['none', None], 'and nothing changed')
	s.must('set', 'home', 'bitmap/chunksize', '65536')
	s.must('set', 'home', 'bitmap/location', place)
	s.same([location(s), told(s, a), told(s, b)], [place] + [(int(place), 65536)] * 2, f'{place} puts one there, with the chunks that were asked for')
	disk.pwrite(b'b' * BLOCK, 5 * 65536)
	superblock = s.json('examine', '--json', a)['members'][0]['superblock']['super_offset_bytes']
	s.same([bits(p, superblock + int(place) * SECTOR, 60) for p in (a, b)], [[5], [5]], 'a write marks its chunk there')
	s.must('manage', 'home', '--fail', b, '--remove', b)
	disk.pwrite(b'c' * BLOCK, 9 * 65536)
	s.kill('home')
	s.serve('home', a)
	s.same([location(s), s.json('detail', '--json', 'home')['bitmap']['set_chunks']], [place, 2], 'a restart finds it')
	s.must('manage', 'home', '--re-add', b)
	s.must('wait', 'home')
	s.same(s.json('detail', '--json', 'home')['last_sync']['bytes_copied'], 2 * 65536, 'and a re-add goes by it')
	s.must('set', 'home', 'bitmap/location', 'none')
	s.must('set', 'home', 'sync_action', 'frozen')
	s.refused(errno_of(s, first), 1, ['frozen'], 'not while syncs are frozen')
	s.must('set', 'home', 'sync_action', 'idle')
	s.must('set', 'home', 'bitmap/location', first)
	s.same(location(s), first, 'the first place is free again')
	s.stop('home')
	s.same(s.json('examine', '--json', a, b)['arrays'][0]['next_start']['action'], 'none', 'the array is clean')


with Scene() as scene:
	a_place(scene, 2, '+24', ['+4', '+20', '-8', '+2040', '+99999999', '0', 'file:/tmp/x', 'here'])
	a_place(scene, 0, '-24', ['-4', '-20', '+8', '-99999999'])
