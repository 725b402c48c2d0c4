"""Goal:   members leave and come back as mdadm's users know it, and only what they missed is copied.
Method: a served mirror: fail, remove, writes, re-add, add of a new member, and the refusals in between; after the stop the
	data areas are compared.
Law:    I2 (equal members), I8 (exactly the missed chunks are copied), I11.
Source: design, "manage" and "detail"; issue "A mirror that runs", 5.
"""
import json

from scene import MIB, Scene

CHUNK = 64 * 1024


def states(s, name):
	return {m['path'].rsplit('/', 1)[1]: m['state'] for m in s.json('detail', '--json', name)['members']}


def data_area(s, path):
	sb = s.json('examine', '--json', path)['members'][0]['superblock']
	with open(path, 'rb') as f:
		f.seek(sb['data_offset_bytes'])
		return f.read(sb['component_bytes'])


with Scene() as s:
	a, b, c = s.image('a'), s.image('b'), s.image('c')
	s.must('create', '--assume-clean', '--name=home', f'--bitmap-chunk={CHUNK}', a, b)
	uri = s.serve('home', a, b)
	s.same(s.umd('detail', '--test', 'home').returncode, 0, 'detail --test: a whole array is 0')
	disk = s.connect(uri)
	disk.pwrite(b'first' * 1024 * 8, 0)
	disk.flush()

	s.refused(s.umd('manage', 'home', '--remove', b), 1, ['b'], 'a member in sync cannot be removed')
	before = s.json('detail', '--json', 'home')['members']
	run = s.must('manage', 'home', '--dry-run', '--fail', b, '--remove', b)
	s.ok(run.stdout.count('would') == 2 and s.json('detail', '--json', 'home')['members'] == before,
		'a dry run says two things and does none', run.stdout)
	for words, why in ((['--remove', b], 'in_sync'), (['--fail', a, '--fail', b], 'last'), (['--add', a], 'already')):
		run = s.umd('manage', 'home', '--dry-run', *words)
		s.refused(run, 1, [why], 'a dry run refuses what would be refused: ' + words[0])
	s.must('manage', 'home', '--dry-run', '--fail', b, '--remove', b, '--re-add', b)

	run = s.umd('manage', 'home', '--fail', b)
	s.ok(run.returncode == 0 and 'b' in run.stdout, 'a member is failed, with a sentence', run.stdout, run.stderr)
	s.same(states(s, 'home').get('b'), 'faulty', 'it is faulty')
	s.same(s.umd('detail', '--test', 'home').returncode, 1, 'detail --test: a degraded array is 1')
	s.refused(s.umd('manage', 'home', '--fail', a), 1, ['a'], 'the last member cannot be failed')
	s.must('manage', 'home', '--remove', b)
	s.ok('b' not in states(s, 'home'), 'it is removed', states(s, 'home'))

	disk.pwrite(b'W' * 4096, 5 * CHUNK)
	disk.pwrite(b'X' * 4096, 9 * CHUNK + 8192)
	disk.flush()
	marked = s.json('map', '--json', 'home')
	s.ok(all(any(x <= n <= y for x, y in marked['set']) for n in (5, 9)), 'what it missed is marked', marked)

	run = s.umd('manage', 'home', '--re-add', b)
	s.ok(run.returncode == 0, 'it is taken back', run.stderr)
	s.must('wait', 'home')
	detail = s.json('detail', '--json', 'home')
	s.same([m['state'] for m in detail['members']], ['in_sync', 'in_sync'], 'both members are in sync again')
	s.ok(detail['last_sync']['complete'] and 0 < detail['last_sync']['bytes_copied'] <= 3 * CHUNK,
		'only the chunks written meanwhile were copied', detail['last_sync'])
	s.same(s.umd('wait', 'home').returncode, 0, 'wait returns at once when nothing runs')

	s.refused(s.umd('manage', 'home', '--re-add', c), 1, ['c'], 'a new member cannot be re-added')
	s.must('manage', 'home', '--fail', a, '--remove', a)
	run = s.umd('manage', 'home', '--json', '--add', c)
	s.ok(run.returncode == 0 and json.loads(run.stdout)[0]['action'] == 'add', 'a new member is added, in JSON', run.stdout, run.stderr)
	s.must('wait', 'home')
	detail = s.json('detail', '--json', 'home')
	s.same(detail['last_sync']['bytes_copied'], detail['size_bytes'], 'a new member is copied in full')
	s.same(bytes(disk.pread(4096, 5 * CHUNK)), b'W' * 4096, 'the content is what was written')
	disk.shutdown()
	s.stop('home')
	s.ok(data_area(s, b) == data_area(s, c), 'the members are equal in the data area')
