"""Goal:   a member that is added as a new device keeps no superblock of an earlier life, wherever it lies; a member whose
	adding is refused keeps every byte.
Method: former members with the array's uuid and another version of metadata are added to a mirror of version 1.2 and to
	one of 1.0; after it the bytes of all four places are looked at, and the next start. Then members that are refused.
Law:    I2 (a start after a cut must not believe an old superblock), I7 (a refusal changes nothing).
Source: the simulator, scenario an_added_member_keeps_nothing_old.
"""
from scene import MIB, Scene

CHUNK = 64 * 1024
SIZE = 32 * MIB
MAGIC = bytes.fromhex('fc4e2ba9')
PLACES = {'1.1': 0, '1.2': 4096, '1.0': SIZE - 8192, '0.90': SIZE - 65536}
UUID = '00112233:44556677:8899aabb:ccddeeff'


def superblocks(path):
	"""The versions whose place has a superblock's magic."""
	with open(path, 'rb') as f:
		raw = f.read()
	return [name for name, at in PLACES.items() if raw[at:at + 4] == MAGIC]


def create(s, version, *members, size=None):
	s.must('create', '--force', '--assume-clean', '--name=home', '--uuid=' + UUID, '--metadata=' + version,
		f'--bitmap-chunk={CHUNK}', *([f'--size={size}'] if size else []), *members)


def serve_without_partner(s, version):
	"""A mirror that lived long enough to forget what former members lack, and has an empty slot."""
	a, c = s.image('a'), s.image('c')
	create(s, version, a, c, size=16 * MIB)
	disk = s.connect(s.serve('home', a, c))
	disk.pwrite(b'first' * 1024 * 8, 0)
	disk.flush()
	disk.shutdown()
	s.stop('home')
	s.serve('home', a, c)
	s.must('manage', 'home', '--fail', c, '--remove', c)
	return a, c


def former_member(s, version, size=None):
	b, gone = s.image('b', size or SIZE), s.image('gone', size or SIZE)
	create(s, version, b, gone)
	return b


def brand(path, *versions):
	"""A magic and nothing behind it."""
	with open(path, 'r+b') as f:
		for version in versions:
			f.seek(PLACES[version])
			f.write(MAGIC)


def replaces_all(s, version, other):
	a, _ = serve_without_partner(s, version)
	b = former_member(s, other)
	brand(b, '1.1', '0.90')
	s.refused(s.umd('manage', 'home', '--re-add', b), 1, ['b'], f'{other} in an array of {version}: not by the bitmap')
	s.same(sorted(superblocks(b)), sorted({'1.1', '0.90', other}), 'that changed none of its superblocks')
	run = s.umd('manage', 'home', '--add', b)
	s.ok(run.returncode == 0, 'it is added', run.stderr)
	s.must('wait', 'home')
	s.same(superblocks(b), [version], 'the array\'s superblock is the only one on it')
	s.stop('home')
	look = s.json('examine', '--json', a, b)
	s.ok(look['arrays'][0]['can_start'] and look['arrays'][0]['next_start']['action'] == 'none' and
		not look['members'][1]['notes'], 'the next start has both, and nothing to copy', look)


def keeps_every_byte(s, path, words, text):
	before = s.sums(path)
	s.refused(s.umd('manage', 'home', '--add', path), 1, words, text)
	s.same(s.sums(path), before, 'and keeps every byte')


with Scene() as s:
	replaces_all(s, '1.2', '1.0')
	replaces_all(s, '1.0', '1.2')

	a, c = serve_without_partner(s, '1.2')
	stranger, other = s.image('stranger'), s.image('other')
	s.must('create', '--assume-clean', '--metadata=1.0', stranger, other)
	keeps_every_byte(s, stranger, ['stranger', 'another array'], 'a member of another array is refused')
	keeps_every_byte(s, former_member(s, '1.0', 8 * MIB), ['too small'], 'a former member that is too small is refused')
	s.stop('home')

	s.serve('home', '--readonly', '--run', a)
	keeps_every_byte(s, former_member(s, '1.0'), ['read-only'], 'a read-only array refuses who would be added')
	s.stop('home')
