"""Goal:   examine and map show the truth: of a stopped array, a running one, and one that died.
Method: writes into known chunks of a served mirror; the maps before, while and after SIGKILL are compared with them.
Law:    I3 seen from outside: the bit of a written chunk is on disk; I8: an idle clean array has none.
Source: design, "map" and "examine".
"""
import contextlib
import threading

from scene import Scene

CHUNK = 64 * 1024
WRITTEN = [0, 3, 4, 100]


@contextlib.contextmanager
def busy(disk, at):
	"""Writes without end: an array that rests for a moment becomes clean, and then a cut needs no resync."""
	begun = threading.Event()

	def write():
		import nbd
		with contextlib.suppress(nbd.Error):
			while True:
				disk.pwrite(b'y' * 512, at)
				begun.set()

	writer = threading.Thread(target=write)
	writer.start()
	begun.wait()
	yield
	writer.join()


with Scene() as s:
	a, b = s.image('a'), s.image('b')
	s.must('create', '--assume-clean', '--name=home', f'--bitmap-chunk={CHUNK}', a, b)

	bitmap = s.json('examine', '--json', a)['members'][0]['bitmaps'][0]
	s.same((bitmap['chunk_bytes'], bitmap['set_chunks'], bitmap['set']), (CHUNK, 0, []), 'a clean new bitmap has no bit set')
	s.same(s.json('map', '--json', a, b)['maps'][1]['set'], [], 'map --json of an image says the same')
	picture = s.must('map', a, b).stdout
	s.ok('0 set' in picture and picture.count('a, ') == 1, 'equal maps are drawn once', picture)
	s.ok('to be copied' not in picture, 'what a start would copy is not guessed from bits alone', picture)
	alone = s.must('examine', a).stdout
	s.ok('cannot start: 1 of 2' in alone and 'next start' not in alone, 'examine says why it cannot start', alone)

	uri = s.serve('home', a, b)
	disk = s.connect(uri)
	for chunk in WRITTEN:
		disk.pwrite(b'x' * 512, chunk * CHUNK)
	live = s.json('map', '--json', 'home')
	s.same(live['set'], [[0, 0], [3, 4], [100, 100]], 'the map of the running array has the written chunks')
	s.same((live['chunk_bytes'], live['chunks']), (CHUNK, bitmap['chunks']), 'its scale is that of the image')
	picture = s.must('map', '--width=32', 'home').stdout
	row = next(line for line in picture.splitlines() if line.split()[:2] == ['0', 'B'])
	s.ok('4 set' in picture and row.split()[2].startswith('█··██·'), 'the picture shows them where they are', picture)
	s.ok('\033' not in picture, 'no colours away from a terminal', picture)

	with busy(disk, WRITTEN[-1] * CHUNK):
		s.kill('home')
	seen = s.json('examine', '--json', a, b)
	for m in seen['members']:
		s.same(m['bitmaps'][0]['set'], [[0, 0], [3, 4], [100, 100]], 'after SIGKILL the bits are on the disk of ' + m['path'][-1])
		s.same(m['superblock']['state'], 'active', 'and it is not clean')
	start = seen['arrays'][0]
	s.same((start['can_start'], start['next_start']['action'], start['next_start']['bytes']), (True, 'resync', len(WRITTEN) * CHUNK),
		'the next start copies exactly these chunks')
	text = s.must('examine', a, b).stdout
	s.ok('can start' in text and '256.0 KiB' in text and text.count('chunks set') == 1, 'examine says so in words', text)

	s.serve('home', a, b)
	s.must('wait', 'home')
	last = s.json('detail', '--json', 'home')['last_sync']
	s.same((last['bytes_copied'], last['complete']), (len(WRITTEN) * CHUNK, True), 'the resync copied exactly these chunks')
	words = s.must('detail', 'home').stdout
	s.ok('whole: 2 members in sync' in words and 'copied 256.0 KiB' in words, 'detail says so in words', words)
	s.ok(s.must('list').stdout.split()[:2] == ['home', 'RAID1'], 'list has it')
	s.stop('home')
	seen = s.json('examine', '--json', a, b)
	s.same([m['superblock']['state'] for m in seen['members']], ['clean', 'clean'], 'stopped members are clean')
	s.same(seen['arrays'][0]['next_start']['action'], 'none', 'and the next start copies nothing')
	s.same(s.must('list').stdout, 'no array runs\n', 'list is empty')
	s.same(s.json('list', '--json'), [], 'in JSON as well')
