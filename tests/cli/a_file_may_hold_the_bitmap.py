"""Goal:   an array whose bitmap is in a file is made, served, killed and served again: only the set chunks are copied, and
	nobody starts it without the file by mistake.
Method: real servers, SIGKILL under writes; umd's memory of the file; the file and the members as they are afterwards.
Law:    I2: copies are equal when the resync has ended; I8: it copies just the set chunks.
Source: the file holds a superblock and 1 bit for each chunk, 256 + ceil(chunks / 8) bytes; superblocks of the array do not
	speak of it.
"""
import json
import os
import stat

from scene import Scene

CHUNK = 65536
DATA_AT = 1 << 20


def data(s, name):
	with open(s.path(name), 'rb') as f:
		f.seek(DATA_AT)
		return f.read()


def check_made(s, a, b):
	run = s.must('create', '--json', '--bitmap=map.bm', '--bitmap-chunk=64K', '--name=home', a, b)
	made = json.loads(run.stdout)
	chunks = made['bitmap_chunks']
	raw = open(s.path('map.bm'), 'rb').read()
	s.same(len(raw), 256 + -(-chunks // 8), 'the file ends with its last bit')
	s.same(set(raw[256:]), {255}, 'all bits of a new array are set')
	s.same(raw[8:24].hex(), made['array_uuid'].replace(':', ''), 'it has the array\'s uuid')
	s.same([m['superblock']['feature_map'] for m in s.json('examine', '--json', a, b)['members']], [0, 0],
		'superblocks do not speak of it')
	s.same(stat.S_IMODE(os.stat(s.path('state')).st_mode), 0o700, 'umd\'s memory is for its owner alone')
	return made


def check_memory(s, made, a, b):
	before = s.sums(a, b, s.path('map.bm'))
	s.refused(s.umd('serve', a, b), 1, [s.path('map.bm'), '--bitmap=none'], 'a start without the file is refused by name')
	s.same(s.sums(a, b, s.path('map.bm')), before, 'and changed nothing')
	memory = json.load(open(s.path('state/bitmap-files')))
	s.same(memory, {made['array_uuid']: s.path('map.bm')}, 'it is remembered by uuid, with its whole path')


def check_killed(s, a, b):
	uri = s.serve('home', '--bitmap=map.bm', a, b)
	s.must('wait', 'home')
	bitmap = s.json('detail', '--json', 'home')['bitmap']
	s.same((bitmap['kind'], bitmap['path']), ('file', s.path('map.bm')), 'detail says where it is')
	s.same(s.umd('get', 'home', 'bitmap/location').stdout, 'file\n', 'and so does md\'s attribute')
	s.stop('home')
	raw = open(s.path('map.bm'), 'rb').read()
	s.same(sum(raw[256:]), 0, 'a clean stop leaves no bit set')
	uri = s.serve('home', '--bitmap=map.bm', a, b)
	client = s.connect(uri)
	for chunk in (3, 77, 400):
		client.pwrite(bytes([chunk % 256]) * 4096, chunk * CHUNK + 8192)
	s.kill('home')
	raw = open(s.path('map.bm'), 'rb').read()
	set_chunks = [i for i in range((len(raw) - 256) * 8) if raw[256 + i // 8] >> i % 8 & 1]
	s.same(set_chunks, [3, 77, 400], 'after a kill the file has just the chunks that were written')
	with open(b, 'r+b') as f:		# the copies differ, as after a power cut
		f.seek(DATA_AT + 77 * CHUNK + 100)
		f.write(b'differs')
	s.serve('home', '--bitmap=map.bm', a, b)
	s.must('wait', 'home')
	last = s.json('detail', '--json', 'home')['last_sync']
	s.same((last['action'], last['bytes_copied']), ('resync', 3 * CHUNK), 'the next start copies these')
	s.stop('home')
	s.ok(data(s, 'a.img') == data(s, 'b.img'), 'and the copies are equal')


def check_looked_at(s, a, b):
	uri = s.serve('home', '--bitmap=map.bm', a, b)
	s.connect(uri).pwrite(b'x' * 4096, 5 * CHUNK)
	s.kill('home')
	next_start = s.json('examine', '--json', a, b, s.path('map.bm'))['arrays'][0]['next_start']
	s.same((next_start['action'], next_start['bytes'], next_start['set_chunks']), ('resync', CHUNK, 1),
		'examine with the file tells the next start by its map')
	next_start = s.json('examine', '--json', a, b)['arrays'][0]['next_start']
	s.ok(next_start['bytes'] > 400 * CHUNK, 'and without it that everything would be copied', next_start)
	why = s.umd('why', a, b, 'map.bm', '5').stdout
	s.ok('copied' in why and 'map.bm' in why, 'why speaks of the file\'s bit', why)


def check_other_map(s, a, b):
	"""One that missed writes is out of date; the array counts on without it."""
	s.serve('home', '--bitmap=map.bm', a, b)
	s.must('wait', 'home')
	s.stop('home')
	old = open(s.path('map.bm'), 'rb').read()
	uri = s.serve('home', '--bitmap=map.bm', a, b)
	s.connect(uri).pwrite(b'y' * 4096, 9 * CHUNK)
	s.kill('home')
	open(s.path('map.bm'), 'wb').write(old)
	s.serve('home', '--bitmap=map.bm', a, b)
	s.must('wait', 'home')
	last = s.json('detail', '--json', 'home')['last_sync']
	s.ok(last['bytes_copied'] > 400 * CHUNK and 'out of date' in last['reason'],
		'a file from a backup is older than the array: everything is copied', last)
	s.stop('home')


def check_without(s, a, b):
	uri = s.serve('home', '--bitmap=none', a, b)
	s.same(s.json('detail', '--json', 'home')['bitmap'], None, '--bitmap=none starts without')
	s.connect(uri).pwrite(b'z' * 4096, 11 * CHUNK)
	s.stop('home')
	s.same(json.load(open(s.path('state/bitmap-files'))), {}, 'and forgets the file')
	s.serve('home', a, b)
	s.stop('home')
	s.serve('home', '--bitmap=map.bm', a, b)
	s.stop('home')
	s.same(list(json.load(open(s.path('state/bitmap-files'))).values()), [s.path('map.bm')],
		'whoever names it again has it remembered again')


with Scene() as s:
	a, b = s.image('a.img'), s.image('b.img')
	made = check_made(s, a, b)
	check_memory(s, made, a, b)
	check_killed(s, a, b)
	check_looked_at(s, a, b)
	check_other_map(s, a, b)
	check_without(s, a, b)
