"""Goal:   why of a running array says who set a chunk's bit, how long ago, and everything that keeps it set; with true
	figures, by name and by byte, as text and JSON.
Method: one array is written, failed, re-added, frozen, given bits by hand and another bitmap; each step is asked about and
	compared with what was done here and with what detail says. An owner's array and a slow member have their own.
Law:    I4: a bit is kept while any of these holds.
Source: heads of src/array/why.c and src/run/why_words.c.
"""
import os
import time

from scene import MIB, Scene

CHUNK, BLOCK = 64 << 10, 4096


def ask(s, *words):
	return s.json('why', '--json', 'home', *words)


def reasons(answer):
	return {r['reason']: r for r in answer['kept_by']}


def told(s, answer, chunk):
	"""The text has every sentence of the JSON but for times that pass."""
	text = s.must('why', 'home', str(chunk)).stdout
	lines = text.splitlines()
	s.ok(lines[0] == answer['sentence'] and text.count('  - ') == len(answer['kept_by']), 'the text begins with the answer, a line per reason', text)


def life(s):
	a, b = s.image('a'), s.image('b')
	s.must('create', '--assume-clean', '--name=home', '--bitmap-chunk=64K', a, b)
	disk = s.connect(s.serve('home', a, b))
	answer = ask(s, '5')
	s.ok(answer['set'] is False and answer['set_by'] is None and answer['kept_by'] == [], 'a clear bit is kept by nothing', answer)
	s.ok('clear' in s.must('why', 'home', '5').stdout, 'the text says so')

	begun = time.monotonic()
	disk.pwrite(b'a' * BLOCK, 5 * CHUNK + 512)
	answer = ask(s, '5')
	passed_ms = (time.monotonic() - begun) * 1000
	s.same([answer['set'], answer['durable'], answer['covers']],
		[True, True, {'first_byte': 5 * CHUNK, 'length_bytes': CHUNK, 'of': 'array'}], 'a written chunk is set, also on disk')
	by = answer['set_by']
	s.same([by['what'], by['offset_bytes'], by['length_bytes']], ['write', 5 * CHUNK + 512, BLOCK], 'the write is named')
	s.ok(by['request'] >= 1 and by['milliseconds_ago'] <= passed_ms + 1, 'and when it was', (by, passed_ms))
	period = reasons(answer).get('period', {})
	s.ok(list(reasons(answer)) == ['period'] and 9000 - passed_ms <= period['milliseconds_left'] <= 10000 and
		period['daemon_sleep_ms'] == 5000, 'nothing but two sweeps keeps it', answer)
	told(s, answer, 5)
	s.same([ask(s, f'--at={at}')['chunk'] for at in (5 * CHUNK, 6 * CHUNK - 1, '320K')], [5, 5, 5], 'a byte names its chunk')

	event = s.json('detail', '--json', 'home')['events']
	s.must('manage', 'home', '--fail', b)
	degraded = reasons(ask(s, '5')).get('degraded', {})
	s.ok(degraded.get('since_event') == event and not degraded['since_start'] and b in degraded['sentence'] and
		f'event {event}' in degraded['sentence'], 'degraded since an event, and by whom', (event, degraded))
	disk.pwrite(b'b' * BLOCK, 7 * CHUNK)
	s.must('manage', 'home', '--remove', b)
	s.ok('slot 1 has no member' in reasons(ask(s, '7'))['degraded']['sentence'], 'a slot without a member is told')
	s.must('set', 'home', 'sync_action', 'frozen')
	s.must('manage', 'home', '--re-add', b)
	kept = reasons(ask(s, '7'))
	s.ok({'degraded', 'sync', 'frozen'} <= set(kept) and kept['sync']['action'] == 'recover' and not kept['sync']['runs'],
		'a recovery that is frozen', kept)
	s.must('set', 'home', 'sync_action', 'idle')
	s.must('wait', 'home')
	s.ok(not {'degraded', 'sync', 'frozen'} & set(reasons(ask(s, '7'))), 'none of that holds when it has ended')

	s.must('set', 'home', 'bitmap/can_clear', 'false')
	kept = reasons(ask(s, '7'))
	s.ok(kept['can_clear']['by'] == 'order' and kept['can_clear']['milliseconds'] < 60000, 'can_clear is false', kept)
	s.must('set', 'home', 'bitmap/can_clear', 'true')

	s.must('manage', 'home', '--fail', b)
	s.must('set', 'home', 'bitmap_set_bits', '9')
	answer = ask(s, '9')
	s.ok(answer['set_by']['what'] == 'hand' and 'hand' in reasons(answer) and answer['set_by']['offset_bytes'] == 9 * CHUNK,
		'a bit set by hand', answer)
	s.must('manage', 'home', '--remove', b, '--re-add', b)
	s.must('wait', 'home')
	s.must('grow', 'home', '--bitmap-chunk=128K')
	answer = ask(s, '4')
	s.ok(answer['set'] and answer['set_by']['what'] == 'former_bitmap' and answer['covers']['length_bytes'] == 2 * CHUNK,
		'a bit that came along from another bitmap', answer)

	last = 31 * MIB // (2 * CHUNK) - 1
	s.same(ask(s, str(last))['chunk'], last, 'the last chunk has an answer')
	s.refused(s.umd('why', 'home', str(last + 1)), 1, [str(last + 1), f'0 to {last}'], 'the one behind it is refused')
	s.refused(s.umd('why', 'home', '18446744073709551615'), 1, ['18446744073709551615'], 'so is the largest number')
	s.refused(s.umd('why', 'home', f'--at={31 * MIB}'), 1, [str(31 * MIB), str(last)], 'and the byte behind the array')
	s.refused(s.umd('why', 'home'), 2, ['"home"'], 'a chunk is needed')
	s.refused(s.umd('why', 'home', '--at=x'), 2, ['"x"'], 'a byte is a number')
	s.refused(s.umd('why', 'nobody', '3'), 1, ['nobody', 'no file'], 'who does not run is refused')
	s.must('grow', 'home', '--bitmap=none')
	s.refused(s.umd('why', 'home', '1'), 1, ['no bitmap'], 'so is an array without a bitmap')
	disk.shutdown()
	s.stop('home')


def start(s):
	a, b = s.image('c'), s.image('d')
	s.must('create', '--assume-clean', '--name=home', '--bitmap-chunk=64K', a, b)
	disk = s.connect(s.serve('home', a, b))
	disk.pwrite(b'a' * BLOCK, 3 * CHUNK)
	s.kill('home')
	s.serve('home', '--readonly', a)
	answer = ask(s, '3')
	kept = reasons(answer)
	s.ok(answer['set_by']['what'] == 'before_start' and 'not known' in answer['set_by']['sentence'], 'a bit of an earlier run', answer)
	s.ok(kept['degraded']['since_start'] and kept['mode']['state'] == 'readonly', 'degraded since the start, and read-only', kept)
	s.stop('home')


def slow(s):
	a, b = s.image('e'), s.image('f')
	s.must('create', '--assume-clean', '--name=home', '--bitmap-chunk=64K', '--write-behind=8', a, '--write-mostly', b)
	plain = s.env
	s.env = {**plain, 'LD_PRELOAD': ' '.join([plain.get('LD_PRELOAD', ''), os.environ['SLOW_DISK']]).strip(), 'SLOW_MEMBER': b}
	disk = s.connect(s.serve('home', a, b))
	s.env = plain
	disk.pwrite(b'1' * BLOCK, 2 * CHUNK)
	for n in range(8):
		disk.pwrite(b'2' * BLOCK, 2 * CHUNK + n * BLOCK)
	kept = reasons(ask(s, '2'))
	s.ok('behind' in kept and 1 <= kept['behind']['count'] <= 8 and b in kept['behind']['sentence'] and
		kept['behind']['writes'][0]['length_bytes'] == BLOCK, 'writes are owed to the slow member', kept)
	disk.shutdown()
	s.stop('home')


with Scene() as scene:
	life(scene)
	start(scene)
	if os.environ.get('SLOW_DISK'):
		slow(scene)
	else:
		scene.skip('writes are behind', 'no slow disk was built')
