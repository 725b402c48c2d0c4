"""Goal:   with a write-mostly member that is slow, writes are answered at the speed of the fast one as long as the backlog has
	room, and at the slow one's beyond; a flush, FUA and a stop wait for it; the words and attributes say what is so.
Method: every write to one member takes a tenth of a second longer (tests/scenarios/slow.c), a chunk is dirtied once, then
	writes are timed one by one; what the members hold is compared at the end.
Law:    I1, I2.
Source: spec array 4.4; head of src/array/behind.c.
"""
import os
import time

from scene import MIB, Scene

BACKLOG, BLOCK, DATA_AT = 6, 4096, MIB
SLOW_S = 0.1		# of slow.c


def timed(call, *args):
	begun = time.monotonic()
	call(*args)
	return time.monotonic() - begun


def create(s, *options):
	a, b = s.image('a'), s.image('b')
	run = s.must('create', '--assume-clean', '--force', '--name=home', '--bitmap-chunk=1M', *options, a, '--write-mostly', b)
	return a, b, run.stdout


def block(number):
	return bytes([number]) * BLOCK


def words(s):
	a, b, said = create(s, '--write-behind')
	s.ok('write-behind of 256 writes' in said and 'data at 1 MiB, write-mostly' in said, 'create says what it made', said)
	first, second = s.json('examine', '--json', a, b)['members']
	s.same([first['superblock']['flags'], second['superblock']['flags']], [[], ['writemostly']],
		'--write-mostly is for the members behind it')
	s.same([m['bitmaps'][0]['write_behind'] for m in (first, second)], [256, 256], '--write-behind alone is 256, as with mdadm')
	before = s.sums(a, b)
	s.refused(s.umd('create', '--force', '--write-behind=16384', a, b), 1, ['16384', '16383'], 'more than a bitmap can say is refused')
	s.refused(s.umd('create', '--force', '--bitmap=none', '--write-behind=5', a, b), 1, ['bitmap', '5'],
		'so is write-behind without a bitmap')
	s.refused(s.umd('create', '--force', '--write-behind=x', a, b), 2, ['write-behind', '"x"'], 'and what is no number')
	s.same(s.sums(a, b), before, 'no byte changed')


def serve_slow(s, a, b):
	plain = s.env
	s.env = {**plain, 'LD_PRELOAD': ' '.join([plain.get('LD_PRELOAD', ''), os.environ['SLOW_DISK']]).strip(), 'SLOW_MEMBER': b}
	uri = s.serve('home', a, b)
	s.env = plain
	return s.connect(uri)


def bitmap(s):
	return s.json('detail', '--json', 'home')['bitmap']


def speeds(s):
	a, b, _ = create(s, f'--write-behind={BACKLOG}')
	disk = serve_slow(s, a, b)
	disk.pwrite(block(1), 0)
	disk.flush()
	within = [timed(disk.pwrite, block(n), n * BLOCK) for n in range(1, BACKLOG + 1)]
	beyond = timed(disk.pwrite, block(BACKLOG + 1), (BACKLOG + 1) * BLOCK)
	s.ok(disk.pread(BLOCK, BLOCK) == block(1), 'what was answered is read')
	s.ok(max(within) < SLOW_S / 2, f'{BACKLOG} writes are answered at the speed of the fast member', within)
	s.ok(beyond >= SLOW_S, 'the next one at that of the slow one', beyond)
	print(f'# beyond the backlog a write takes {beyond / (sum(within) / len(within)):.0f} times as long as within it', flush=True)
	s.same(bitmap(s)['behind_max_used'], BACKLOG, 'so many were behind at once')
	s.same(s.must('get', 'home', 'bitmap/max_backlog_used').stdout.strip(), str(BACKLOG), 'the attribute says it, too')
	disk.flush()
	disk.pwrite(block(9), 0)
	s.ok(timed(disk.flush) >= SLOW_S / 2, 'a flush waits for what is behind')
	with open(b, 'rb') as f:
		f.seek(DATA_AT)
		s.same(f.read(BLOCK), block(9), 'and the slow member has it then')
	s.ok(timed(disk.pwrite, block(8), 0, 1) >= SLOW_S, 'a write with FUA waits for it')
	for n in range(BACKLOG):
		disk.pwrite(block(n), n * BLOCK)
	disk.shutdown()
	s.stop('home')
	with open(a, 'rb') as one, open(b, 'rb') as other:
		s.ok(one.read()[DATA_AT:] == other.read()[DATA_AT:], 'a stop waits for all of it: the members are equal')
	plan = s.json('examine', '--json', a, b)['arrays'][0]['next_start']
	s.same(plan['action'], 'none', 'and clean')


def flags(s, path):
	return s.json('examine', '--json', path)['members'][0]['superblock']['flags']


def attributes(s):
	a, b, _ = create(s, '--write-behind=3')
	s.serve('home', a, b)
	s.same([m['write_mostly'] for m in s.json('detail', '--json', 'home')['members']], [False, True], 'detail knows who is')
	s.ok('write-mostly' in s.must('detail', 'home').stdout and 'of 3 writes' in s.must('detail', 'home').stdout, 'and says so')
	s.must('set', 'home', 'bitmap/backlog', '5')
	s.same(bitmap(s)['write_behind'], 5, 'the backlog can be changed')
	s.same(s.json('examine', '--json', a)['members'][0]['bitmaps'][0]['write_behind'], 5, 'the superblock says it at once')
	s.refused(s.umd('set', 'home', 'bitmap/backlog', '16384'), 1, ['16383'], 'up to what a bitmap can say')
	s.must('set', 'home', 'dev-b/state', '-writemostly')
	s.same(flags(s, b), [], 'a member ceases to be write-mostly')
	s.refused(s.umd('set', 'home', 'bitmap/backlog', '6'), 1, ['writemostly'], 'then there is no backlog to be set')
	s.must('manage', 'home', '--fail', b, '--remove', b)
	s.must('manage', 'home', '--write-mostly', '--add', b)
	s.must('wait', 'home')
	s.same(flags(s, b), ['writemostly'], 'a member that joins can be made so')
	s.must('manage', 'home', '--fail', b, '--remove', b, '--re-add', b)
	s.same(flags(s, b), ['writemostly'], 'and stays so when it comes back')
	s.stop('home')


with Scene() as scene:
	words(scene)
	attributes(scene)
	if os.environ.get('SLOW_DISK'):
		speeds(scene)
	else:
		scene.skip('writes are timed', 'no slow disk was built')
