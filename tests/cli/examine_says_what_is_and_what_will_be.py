"""Goal:   examine answers a person in trouble: the state, what the next start does, where members differ, which chunks.
Method: mirrors made here; bits set by hand in their bitmaps, an event count changed with a right checksum. Text is read on a
	pipe and on a pseudo terminal, chunk lists are compared with the bits that were set.
Law:    set bits and what is copied are two facts; rows that differ in every healthy array are not marked.
Source: design, examine; bit n of a bitmap is bit n % 8 of byte n / 8 behind the 256 bytes of its superblock.
"""
import json
import os
import pty
import re
import struct
import subprocess

from pictures import golden
from scene import MIB, Scene

SUPER_AT, EVENTS_AT, CSUM_AT, MAX_DEV_AT, BITMAP_AT = 4096, 200, 216, 220, 8192


def set_chunks(path, chunks):
	"""Set bits in the bitmap of a 1.2 member made by umd."""
	with open(path, 'r+b') as f:
		f.seek(BITMAP_AT + 256)
		raw = bytearray(f.read(3840))
		for n in chunks:
			raw[n // 8] |= 1 << n % 8
		f.seek(BITMAP_AT + 256)
		f.write(raw)


def set_events(path, events):
	with open(path, 'r+b') as f:
		f.seek(SUPER_AT)
		raw = bytearray(f.read(4096))
		struct.pack_into('<Q', raw, EVENTS_AT, events)
		struct.pack_into('<I', raw, CSUM_AT, 0)
		used = 256 + 2 * struct.unpack_from('<I', raw, MAX_DEV_AT)[0]
		total = sum(struct.unpack_from(f'<{used // 4}I', raw)) + (struct.unpack_from('<H', raw, used - 2)[0] if used % 4 else 0)
		struct.pack_into('<I', raw, CSUM_AT, ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
		f.seek(SUPER_AT)
		f.write(raw)


def runs_of(chunks):
	"""[[first, last], ...] of a sorted list."""
	runs = []
	for n in chunks:
		if runs and runs[-1][1] == n - 1:
			runs[-1][1] = n
		else:
			runs.append([n, n])
	return runs


def listed(text, head):
	"""The runs behind the line @head of examine's text."""
	runs = []
	for line in text.split(f'\n{head}\n', 1)[1].splitlines():
		if not line.startswith('    '):
			break
		runs += [(run.split('-') * 2)[:2] for run in line.strip().rstrip(',').split(', ')]
	return [[int(first), int(last)] for first, last in runs]


def marked(text):
	return re.findall(r'≠ ([a-z -]+?)  ', text)


def on_terminal(s, env, *args):
	master, slave = pty.openpty()
	process = subprocess.Popen([s.tool, *args], env={**s.env, **env}, stdin=slave, stdout=slave, stderr=slave)
	os.close(slave)
	output = b''
	try:
		while piece := os.read(master, 65536):
			output += piece
	except OSError:
		pass		# a terminal whose last user has gone
	os.close(master)
	process.wait()
	return output.decode()


with Scene() as s:
	a, b = s.image('a'), s.image('b')
	s.must('create', '--assume-clean', '--name=safe', '--bitmap-chunk=4K', a, b)
	text = s.must('examine', a, b).stdout
	s.ok(text.startswith('Array safe (') and 'RAID1 of 31' in text and '2 of 2 members given' in text, 'an array is introduced', text)
	s.ok('copies nothing' in text, 'a clean array copies nothing', text)
	s.same(marked(text), [], 'a healthy array has no row that is marked')

	# ---- set bits of a clean array: two facts ----

	chunks = sorted([0, 7, 8, 9, 65] + [n for n in range(100, 4000) if n % 7 in (0, 1, 3)])
	set_chunks(a, chunks)
	set_chunks(b, chunks)
	text = s.must('examine', a, b).stdout
	s.ok('copies nothing' in text and f'{len(chunks)} of ' in text, 'set bits of a clean array are shown and not copied', text)

	# ---- chunks by number ----

	text = s.must('examine', '--runs', a, b).stdout
	s.same(listed(text, f'{a}, chunks:'), runs_of(chunks), '--runs lists the set chunks')
	s.same(listed(text, f'{b}, chunks:'), runs_of(chunks), 'of every member')
	lists = text.split(f'{a}, chunks:\n')[1].splitlines()
	s.ok(all(len(line) <= 101 for line in lists), 'in lines of 100 columns', max(lists, key=len))
	s.ok(f'{a}, chunks:' not in s.must('examine', a).stdout, 'and nobody lists them unasked')

	wide = [s.image('w1', 112 * MIB), s.image('w2', 112 * MIB)]
	s.must('create', '--assume-clean', '--bitmap-chunk=4K', *wide)
	many = list(range(1, 25000, 2))
	set_chunks(wide[0], many)
	text = s.must('examine', '--runs', wide[0]).stdout
	s.same(len(listed(text, f'{wide[0]}, chunks:')), 10000, '--runs stops at 10,000')
	s.ok('--all' in text, 'and says so', text[-200:])
	text = s.must('examine', '--all', wide[0]).stdout
	s.same(listed(text, f'{wide[0]}, chunks:'), runs_of(many), '--all lists all of them')
	seen = s.json('examine', '--json', '--all', wide[0])['members'][0]['bitmaps'][0]
	s.same((seen['set'], seen['set_truncated']), (runs_of(many), False), 'in JSON as well')
	seen = s.json('examine', '--json', wide[0])['members'][0]['bitmaps'][0]
	s.same((seen['set'], seen['set_truncated']), (runs_of(many)[:10000], True), 'which has 10,000 of them unasked')

	# ---- what differs ----

	set_events(b, 99)
	text = s.umd('examine', a, b).stdout
	s.ok('events' in marked(text), 'rows in which members differ are marked', text)
	s.ok(not {'device uuid', 'role', 'device number', 'size', 'data'} & set(marked(text)), 'rows that always differ are not', text)
	s.ok('\033' not in text, 'a pipe gets no colours')
	s.ok(re.search('\033\\[[0-9]+m≠ events .*\033\\[0m', on_terminal(s, {}, 'examine', a, b)), 'a terminal does')
	s.ok('\033' not in on_terminal(s, {'NO_COLOR': '1'}, 'examine', a, b), 'unless NO_COLOR is set')

	members = [s.image(f'm{i}') for i in range(7)]
	s.must('create', '--assume-clean', '--name=seven', *members)
	set_events(members[3], 99)
	text = s.umd('examine', *members).stdout
	s.ok(text.count('32.0 MiB') == 1 and 'All 7 agree' in text, 'what seven members agree on is said once', text)
	lines = {line.split()[0]: line for line in text.splitlines() if line.split()[:1] and line.split()[0] in members and 'slot' in line}
	s.ok(sorted(lines) == members and '≠ events' in text and [lines[m].split()[-1] for m in members[2:4]] == ['0', '99'],
		'where they differ each has a line', text)

	# ---- places, and members that are refused ----

	c, d = s.image('c'), s.image('d')
	s.must('create', '--assume-clean', '--metadata=1.0', '--name=end', c, d)
	place = s.json('examine', '--json', c)['members'][0]['superblock']['super_offset_bytes']
	text = s.must('examine', c, d).stdout
	s.ok(place % 1024 == 0 and f'1.0 at {place // 1024} KiB' in text, 'a place is told to the byte', text)
	with open(d, 'r+b') as f:
		f.seek(place + EVENTS_AT)
		f.write(b'\x63')		# under a checksum that is wrong now
	text = s.umd('examine', c, d).stdout
	s.ok('1 of 2 members given, 1 more refused' in text, 'a member that is refused is counted as such', text)
	rows = {line[2:17].strip(): line[17:].split('  ') for line in text.splitlines()}
	s.ok(rows['judged'][-1] == 'refused' and rows['bitmap'][-1] == 'not read', 'and its bitmap is not said to be missing', text)

	s.must('create', '--assume-clean', '--force', '--name=end', c, d)
	s.serve('end', c, d)
	text = s.must('examine', c, d).stdout
	s.ok(f'Now: {c}: it is in use by pid ' in text, 'members of a running array are said to be in use', text)
	s.must('manage', 'end', '--fail', d, '--remove', d)
	s.must('stop', 'end')
	text = s.must('examine', c, d).stdout
	s.ok('Now: ' not in text and s.json('examine', '--json', c)['members'][0]['in_use'] is None, 'afterwards they are not', text)
	s.ok('needs the set chunks' in text, 'a member that was away is judged in words', text)
	s.ok(text.count(f'{d} is at event') == 1, 'the reason for what the start copies is said once', text)

	# ---- text that looks like what is being read ----

	hostile = s.path('"set": [[1,2],{"}]\\')
	os.rename(a, hostile)
	run = s.umd('examine', '--runs', hostile)
	s.same(listed(run.stdout, f'{hostile}, chunks:'), runs_of(chunks), 'a path that looks like JSON is a path')
	s.same(s.json('examine', '--json', hostile)['members'][0]['path'], hostile, 'in JSON, too')

	# ---- a slot of a cluster that cannot be read ----

	sets = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../golden/')
	nodes = [golden(s, sets + 'cm-c02-both-dirty', m + '.img', m + '.node') for m in 'ab']
	for node in nodes:
		with open(node, 'r+b') as f:
			f.seek(BITMAP_AT + 4096)
			f.write(b'XXXX')
	text = s.umd('examine', *nodes).stdout
	s.ok('copies an unknown amount' in text and 'copies 0 B' not in text, 'what cannot be counted is not nothing', text)

	# ---- a bitmap that has no chunks yet ----

	fresh = golden(s, sets + 'new-r1-ll-fresh-assume-clean', 'member0.img', 'fresh')
	text = s.umd('examine', fresh).stdout
	s.ok('has no chunks yet' in text and 'chunk is set' not in text and '  chunks  ' not in text, 'nobody counts its chunks', text)

	# ---- a bitmap without superblock ----

	raw = s.image('raw', MIB)
	with open(raw, 'r+b') as f:
		f.seek(4096)
		f.write(b'\x08\x00\x02')		# chunks 3 and 17
	text = s.umd('examine', '--external', '--location=+8', '--chunk=64K', '--size=2M', raw).stdout
	s.ok('described elsewhere' in text and 'No array' not in text, 'whose array is not missed', text)
	for place in ('+8', '4096', '4K'):
		seen = json.loads(s.umd('examine', '--json', '--external', f'--location={place}', '--chunk=64K', '--size=2M', raw).stdout)
		bitmaps = seen['members'][0]['bitmaps']
		s.ok(bitmaps and bitmaps[0]['set'] == [[3, 3], [17, 17]], f'an external bitmap at {place} is read', seen)
	for wrong, words in (
		(['--external'], ['--location']),
		(['--chunk=4K'], ['--external']),
		(['--external', '--location=+8', '--size=1M'], ['without --chunk']),
		(['--external', '--location=+8', '--chunk=3K', '--size=1M'], ['3072', 'power of two']),
		(['--external', '--location=+8', '--chunk=256', '--size=1M'], ['256', '512']),
		(['--external', '--location=-8', '--chunk=4K', '--size=1M'], ['-8', 'superblock']),
		(['--external', '--location=100', '--chunk=4K', '--size=1M'], ['100', '512']),
		(['--external', '--location=+x', '--chunk=4K', '--size=1M'], ['+x', 'sectors']),
		(['--external', '--location=99999999999999999999', '--chunk=4K', '--size=1M'], ['99999999999999999999']),
		(['--external', '--location=+99999999999999999', '--chunk=4K', '--size=1M'], ['+99999999999999999']),
	):
		s.refused(s.umd('examine', *wrong, raw), 2, words, 'refused: ' + ' '.join(wrong))
