"""Goal:   umd grow gives a running array a bitmap, takes it away and changes its chunks; whoever asks is told what is, and
	whoever is refused why, with both values.
Method: the verb is typed at whole, degraded, read-only and full arrays, dry and for good; detail, attributes and examine are
	asked after each step, and data that a client wrote before is read after all.
Law:    I3, I8, I9
Source: issue 5, item 6; design, section 3
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scene import MIB, Scene  # noqa: E402


def super_of(s, image):
	return s.json('examine', '--json', image)['members'][0]


def kind(s):
	bitmap = s.json('detail', '--json', 'g')['bitmap']
	return bitmap and (bitmap['kind'], bitmap['chunk_bytes'])


def tells(s, wanted, location, policy, when):
	s.same(kind(s), wanted, f'{when}: detail tells it')
	s.same(s.must('get', 'g', 'bitmap/location').stdout, location + '\n', f'{when}: bitmap/location')
	s.same(s.must('get', 'g', 'consistency_policy').stdout, policy + '\n', f'{when}: consistency_policy')


def words(s, *args):
	return json.loads(s.must('grow', 'g', '--json', *args).stdout)


def whole(s, a, b):
	s.must('create', '--bitmap=none', '--assume-clean', a, b)
	disk = s.connect(s.serve('g', a, b))
	disk.pwrite(b'x' * 65536, 3 * MIB)
	before = s.sums(a, b)
	s.ok('would get' in s.must('grow', 'g', '--bitmap=internal', '--dry-run').stdout, 'a dry run tells what it would do')
	disk.flush()
	tells(s, None, 'none', 'resync', 'before')
	s.same(words(s, '--bitmap=internal')['bitmap'], {'chunk_bytes': 64 * MIB, 'chunks': 1, 'offset_sectors': 8},
		'the first bitmap is mdadm\'s')
	tells(s, ('internal', 64 * MIB), '+8', 'bitmap', 'given')
	s.ok(s.sums(a, b) != before, 'and is on the members')
	s.same(words(s, '--bitmap-chunk=64K')['bitmap']['chunks'], 31 * 16, 'smaller chunks are more')
	tells(s, ('internal', 65536), '+8', 'bitmap', 'smaller chunks')
	disk.pwrite(b'y' * 512, 0)
	s.same(s.json('detail', '--json', 'g')['bitmap']['set_chunks'], 1, 'they count')
	s.must('grow', 'g', '--bitmap-chunk=4K')
	s.same(s.json('detail', '--json', 'g')['bitmap']['set_chunks'], 16, 'and pass on what is set')
	s.must('grow', 'g', '--bitmap=none')
	tells(s, None, 'none', 'resync', 'taken away')
	s.must('grow', 'g', '--bitmap=internal', '--bitmap-chunk=1M')
	s.same(disk.pread(65536, 3 * MIB), b'x' * 65536, 'what was written stays')
	s.stop('g')
	for image in a, b:
		member = super_of(s, image)
		s.same((member['bitmaps'][0]['chunk_bytes'], member['bitmaps'][0]['state'], member['error']), (MIB, 0, None),
			f'{os.path.basename(image)}: examine finds the last one, and nothing wrong')


def refusals(s, a, b):
	s.serve('g', a, b)
	for args, status, said in (
		(['--bitmap=internal'], 1, ['already', '1048576']), (['--bitmap-chunk=1M'], 1, ['already', '1048576']),
		(['--bitmap-chunk=3K'], 1, ['3072', 'power of two']), (['--bitmap-chunk=512'], 1, ['512', '4096']),
		(['--bitmap-chunk=4G'], 1, ['4294967296', '2147483648']), (['--bitmap=foo'], 2, ['foo']),
		(['--bitmap=none', '--bitmap-chunk=4K'], 2, ['--bitmap-chunk']), ([], 2, ['--bitmap']),
	):
		s.refused(s.umd('grow', 'g', *args), status, said, f'grow {" ".join(args)} is refused')
	s.refused(s.umd('grow', 'nobody', '--bitmap=none'), 1, ['nobody'], 'an array that does not run')
	s.must('set', 'g', 'sync_action', 'frozen')
	s.refused(s.umd('grow', 'g', '--bitmap=none'), 1, ['frozen'], 'a frozen one')
	s.must('set', 'g', 'sync_action', 'idle')
	s.must('grow', 'g', '--bitmap=none')
	s.refused(s.umd('grow', 'g', '--bitmap=none'), 1, ['no bitmap'], 'none twice')
	s.refused(s.umd('grow', 'g', '--bitmap-chunk=4K'), 1, ['no bitmap', '--bitmap=internal'], 'chunks of none')
	s.stop('g')
	s.serve('g', '--readonly', a, b)
	before = s.sums(a, b)
	s.refused(s.umd('grow', 'g', '--bitmap=internal'), 1, ['read-only'], 'a read-only one')
	s.same(s.sums(a, b), before, 'keeps every byte')
	s.stop('g')


def degraded(s, a, b):
	disk = s.connect(s.serve('g', a, b))
	disk.pwrite(b'z' * 4096, MIB)
	s.must('manage', 'g', '--fail', b, '--remove', b)
	disk.pwrite(b'z' * 4096, 2 * MIB)
	s.must('grow', 'g', '--bitmap=internal', '--bitmap-chunk=64K')
	disk.pwrite(b'z' * 4096, 4 * MIB)
	s.refused(s.umd('manage', 'g', '--re-add', b), 1, ['re-added'], 'who left before the bitmap is not let back by it')
	s.must('manage', 'g', '--add', b)
	s.must('wait', 'g')
	s.same(s.json('detail', '--json', 'g')['last_sync']['bytes_copied'], 31 * MIB, 'but in full')
	s.must('manage', 'g', '--fail', b, '--remove', b)
	disk.pwrite(b'z' * 4096, 6 * MIB)
	s.must('grow', 'g', '--bitmap-chunk=128K')
	disk.pwrite(b'z' * 4096, 9 * MIB)
	s.must('manage', 'g', '--re-add', b)
	s.must('wait', 'g')
	copied = s.json('detail', '--json', 'g')['last_sync']['bytes_copied']
	s.ok(2 * 131072 <= copied <= 5 * 131072, 'who left before the chunks changed gets the set chunks alone', copied)
	s.stop('g')


with Scene() as s:
	a, b = s.image('a', 32 * MIB), s.image('b', 32 * MIB)
	whole(s, a, b)
	refusals(s, a, b)
	degraded(s, a, b)
