"""Goal:   why says where a chunk's bit lies, what it says on every member, and what md will do with the chunk.
Method: bits are set by hand at places computed here; arrays that were stopped, killed and cut in two are asked, by chunk
	number and by byte of the array, as text and JSON; wrong questions are asked.
Law:    bit n lies in byte n / 8 behind the 256 bytes of the bitmap's superblock; a clean array copies nothing whatever is set.
Source: design, why; examine_says_what_is_and_what_will_be.py has the same addresses.
"""
import json

from scene import MIB, Scene

BITMAP_AT, CHUNK = 8192, 4096
DATA_AT = MIB


def poke(path, chunk):
	"""Set the bit of @chunk; the byte's place and value."""
	at = BITMAP_AT + 256 + chunk // 8
	with open(path, 'r+b') as f:
		f.seek(at)
		value = f.read(1)[0] | 1 << chunk % 8
		f.seek(at)
		f.write(bytes([value]))
	return at, value


with Scene() as s:
	a, b = s.image('a'), s.image('b')
	s.must('create', '--assume-clean', '--name=safe', '--bitmap-chunk=4K', a, b)
	before = s.sums(a, b)
	said = s.json('why', '--json', a, b, '65')
	s.ok(said['output_version'] == 1 and said['chunk'] == 65 and not said['next_start']['copied'], 'a clear chunk is not copied', said)
	s.ok(all(m['set'] is False for m in said['members']), 'its bit is clear', said)

	# ---- set, and clean ----

	at, value = poke(a, 65)
	poke(b, 65)
	said = s.json('why', '--json', a, b, '65')
	s.same([(m['path'], m['byte_offset'], m['bit'], m['byte'], m['set']) for m in said['members']],
		[(p, at, 1, value, True) for p in (a, b)], 'byte, bit and value are those of the members')
	s.same([m['data'] for m in said['members']], [{'offset_bytes': DATA_AT + 65 * CHUNK, 'length_bytes': CHUNK}] * 2,
		'the data lies where the superblock says')
	s.same(said['covers'], {'first_byte': 65 * CHUNK, 'length_bytes': CHUNK, 'of': 'array'}, 'the chunk covers its bytes of the array')
	s.ok(not said['next_start']['copied'] and 'clean' in said['next_start']['reason'], 'a clean array does not copy it', said)
	text = s.must('why', a, b, '65').stdout
	s.ok(text.splitlines()[0] == said['sentence'], 'the text begins with the one sentence', text)
	s.ok(f'{at}' in text and f'0x{value:02x}' in text and text.count(' set ') >= 2 and 'does not copy' in text, 'then it has the places', text)
	s.same(text.count(said['next_start']['reason']), 1, 'the reason is said once')
	for offset in (65 * CHUNK, 66 * CHUNK - 1):
		s.same(s.json('why', '--json', f'--at={offset}', a, b), said, f'byte {offset} is in that chunk')
	s.same(s.json('why', '--json', '--at=260K', a, b), said, 'a byte may be named with a suffix')
	s.same(s.json('why', '--json', '--at=0', a, b)['chunk'], 0, 'byte 0 is in chunk 0')
	s.ok(s.sums(a, b) != before, 'the test itself changed the members')
	before = s.sums(a, b)

	# ---- wrong questions ----

	s.refused(s.umd('why', a, b), 2, ['number of a chunk', b], 'a chunk is needed')
	s.refused(s.umd('why', '65'), 2, ['65', 'no member'], 'members are needed')
	s.refused(s.umd('why', '--at=x', a), 2, ['"x"'], 'a byte is a number')
	last = 31 * MIB // CHUNK - 1
	s.same(s.json('why', '--json', a, b, str(last))['chunk'], last, 'the last chunk has an answer')
	s.refused(s.umd('why', a, b, str(last + 1)), 1, [str(last + 1), str(last)], 'the one behind it is refused with both numbers')
	s.refused(s.umd('why', a, b, '18446744073709551615'), 1, ['18446744073709551615'], 'so is the largest number')
	s.refused(s.umd('why', f'--at={31 * MIB}', a, b), 1, [str(last + 1)], 'and the byte behind the array')
	c, d = s.image('c'), s.image('d')
	s.must('create', '--assume-clean', '--name=other', c, d)
	run = s.umd('why', a, c, '0')
	s.refused(run, 1, [], 'members of two arrays are refused')

	# ---- a killed server ----

	s.must('create', '--force', '--assume-clean', '--name=safe', '--bitmap-chunk=4K', a, b)
	disk = s.connect(s.serve('safe', a, b))
	disk.pwrite(b'x' * CHUNK, 100 * CHUNK)
	disk.flush()
	s.kill('safe')
	said = s.json('why', '--json', a, b, '100')
	s.ok(said['next_start']['copied'] and said['next_start']['from'] in (a, b) and len(said['next_start']['to']) == 1,
		'after a crash a written chunk is copied from one to the other', said)
	s.ok('copies this chunk from' in s.must('why', a, b, '100').stdout, 'the text says so')
	s.ok(not s.json('why', '--json', a, b, '101')['next_start']['copied'], 'its neighbour is not')

	# ---- a bitmap without superblock ----

	raw = s.image('raw', MIB)
	with open(raw, 'r+b') as f:
		f.seek(4096)
		f.write(b'\x08\x00\x02')		# chunks 3 and 17
	words = ('--external', '--location=+8', '--chunk=64K', '--size=2M')
	member = s.json('why', '--json', *words, raw, '17')['members'][0]
	s.same((member['byte_offset'], member['bit'], member['byte'], member['set']), (4098, 1, 2, True), 'an external bit is found')
	s.refused(s.umd('why', '--external', raw, '17'), 2, ['--location'], 'an external bitmap is described in full or not at all')
