#!/usr/bin/env python3
"""Goal:   looking at images costs little memory and little time, whatever the images claim.
Method: sparse members whose superblocks are right and whose sizes are not of this world (2^62 bytes, 2^33 chunks, 256
        slots, lockless, bitmap file, without superblock), with pages scattered over their bitmaps, and a thousand members;
        `umd examine`, also with --json and --all. Each run may use 64 MiB (the child's ru_maxrss) and two seconds.
Law:    I7 (looking changes no byte), I9 (an answer for everything).
Source: issue 3: no hang over 2 s, no more than 64 MiB in examine, sparse images that claim petabytes and 2^33 runs."""
import json
import os
import struct
import subprocess
import tempfile
import time

from scene import Scene, MIB

CEILING_KIB, LIMIT_S = 64 << 10, 2.0
SECTOR, SUPER_AT, BITMAP_AT = 512, 4096, 8192
CHUNKS = 1 << 33
ALTERNATING = b'\x55' * MIB
NEVER_IN_SYNC = 0


class Image:
	"""One member of metadata 1.2, sparse, made from the superblock of a small array."""
	def __init__(self, path, super_raw, component, data_at):
		self.path, self.raw = path, bytearray(super_raw)
		self.put(80, '<Q', component // SECTOR)
		self.put(128, '<Q', data_at // SECTOR)
		self.put(136, '<Q', component // SECTOR)
		self.file = open(path, 'wb+')
		self.file.truncate(data_at + component)

	def put(self, at, form, value):
		struct.pack_into(form, self.raw, at, value)

	def uuid(self):
		return bytes(self.raw[16:32])

	def write(self, at, data):
		self.file.seek(at)
		self.file.write(data)

	def bitmap(self, at, version, sync, chunk, nodes=0, events=None, magic=b'bitm'):
		events = struct.unpack_from('<Q', self.raw, 200)[0] if events is None else events
		self.write(at, struct.pack('<4sI16sQQQIIIIII', magic, version, self.uuid(), events, events,
			sync // SECTOR, 0, chunk, 5, 0, 0, nodes).ljust(256, b'\0'))

	def close(self):
		"""The superblock comes last: its checksum is right."""
		self.put(216, '<I', 0)
		length = 256 + 2 * struct.unpack_from('<I', self.raw, 220)[0]
		total = sum(struct.unpack_from(f'<{length // 4}I', self.raw))
		self.put(216, '<I', ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
		self.write(SUPER_AT, self.raw[:length])
		self.file.close()
		return self.path


# A process is charged what its parent held before exec, so a small one stands between the tool and this one.
LAUNCHER = """
import os, sys, time
began = time.monotonic()
child = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, time.monotonic() - began, file=sys.stderr)
"""


def costs(s, *args):
	"""Run the tool; its output, status, resident memory in KiB and seconds. Freed memory that the address sanitizer keeps
	back, in its builds, is not the tool's."""
	env = {**s.env, 'ASAN_OPTIONS': s.env.get('ASAN_OPTIONS', '') + ':quarantine_size_mb=1:thread_local_quarantine_size_kb=64'}
	with tempfile.TemporaryFile(dir=s.dir) as out:
		run = subprocess.run(['/usr/bin/python3', '-S', '-c', LAUNCHER, s.tool, *args], stdout=out, text=True,
			stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=env, cwd=s.dir)
		status, kib, took = run.stderr.splitlines()[-1].split()
		out.seek(0)
		return out.read(), int(status), int(kib), float(took), run.stderr


def cheap(s, what, *args):
	out, status, kib, took, said = costs(s, *args)
	s.ok(status in (0, 1), f'{what}: an answer', f'exit status {status}', said[-600:])
	s.ok(kib < CEILING_KIB, f'{what}: {kib >> 10} MiB of memory', f'{kib} KiB, allowed are {CEILING_KIB}')
	s.ok(took < LIMIT_S, f'{what}: {took:.2f} s', f'allowed are {LIMIT_S} s')
	return out


def looked_at(s, what, *paths, options=()):
	cheap(s, f'{what}, in words', 'examine', *options, *paths)
	d = json.loads(cheap(s, f'{what}, as JSON', 'examine', '--json', *options, *paths))
	everything = json.loads(cheap(s, f'{what}, with all runs', 'examine', '--json', '--all', *options, *paths))
	return d, everything


def template(s):
	"""A superblock with a bitmap eight sectors behind it, active, as after a crash."""
	s.must('create', '--assume-clean', s.image('small.img', 64 * MIB), s.image('other.img', 64 * MIB))
	with open(s.path('small.img'), 'rb') as f:
		f.seek(SUPER_AT)
		raw = bytearray(f.read(4096))
	struct.pack_into('<i', raw, 96, (BITMAP_AT - SUPER_AT) // SECTOR)
	struct.pack_into('<Q', raw, 208, NEVER_IN_SYNC)
	struct.pack_into('<H', raw, 186, 0)
	struct.pack_into('<i', raw, 188, 0)
	raw[8] = 1
	return bytes(raw)


def scattered(image, at, end, pages, data=b'\x55' * 4096):
	for i in range(pages):
		image.write(at + (end - at - len(data)) // pages * i // 4096 * 4096 + 256, data)


def bits(s, raw):
	chunk = 1 << 17
	i = Image(s.path('bits.img'), raw, CHUNKS * chunk, 4 << 30)
	i.bitmap(BITMAP_AT, 4, CHUNKS * chunk, chunk)
	scattered(i, BITMAP_AT, BITMAP_AT + CHUNKS // 8, 30)
	d, everything = looked_at(s, 'a petabyte in 2^33 chunks', i.close())
	b, all_of_it = d['members'][0]['bitmaps'][0], everything['members'][0]['bitmaps'][0]
	s.same((b['chunks'], b['set_chunks'], len(b['set']), b['set_truncated']), (CHUNKS, 30 * 16384, 10000, True),
		'its chunks are counted, 10,000 runs shown')
	s.same((len(all_of_it['set']), all_of_it['set_truncated'], all_of_it['set'][:10000]), (30 * 16384, False, b['set']),
		'all of them with --all')
	s.same(d['arrays'][0]['next_start']['set_chunks'], 30 * 16384, 'and the array has as many')
	return i


def dense(s, raw):
	chunk = 1 << 17
	i = Image(s.path('dense.img'), raw, CHUNKS * chunk, 4 << 30)
	i.bitmap(BITMAP_AT, 4, CHUNKS * chunk, chunk)
	for n in range(128):
		i.write(BITMAP_AT + (n + 1) * MIB, ALTERNATING)
	out = cheap(s, '2^29 runs in 128 MiB of alternating bits', 'examine', '--json', i.close())
	s.same(json.loads(out)['members'][0]['bitmaps'][0]['set_chunks'], 128 * MIB * 4, 'every one is counted')
	os.truncate(i.path, 0)


def slots(s, raw):
	chunk, slot_bytes = 1 << 17, (256 + CHUNKS // 8 + 4095) // 4096 * 4096
	i = Image(s.path('slots.img'), raw, CHUNKS * chunk, 512 << 30)
	i.put(8, '<I', 1 | 256)
	for slot in range(256):
		at = BITMAP_AT + slot * slot_bytes
		if slot % 7 != 3:		# a node's number that was never used: zeroes where its superblock would be
			i.bitmap(at, 5, CHUNKS * chunk, chunk, nodes=256)
		scattered(i, at, at + CHUNKS // 8, 3, b'\x55' * 256)
	d, everything = looked_at(s, '256 slots of 2^33 chunks', i.close())
	b = d['members'][0]['bitmaps']
	s.same(len(b), 256, 'every slot is shown')
	s.same([x['set_chunks'] for x in b], [0 if x['slot'] % 7 == 3 else 3 * 1024 for x in b], 'and counted, if used')
	s.same(sum(len(x['set']) for x in b), 10000, '10,000 runs are shown of the member')
	s.same(d['arrays'][0]['next_start']['set_chunks'], 3 * 1024, 'set in any slot: the union, which is that of each')


def lockless(s, raw):
	chunk = 1 << 17
	i = Image(s.path('lockless.img'), raw, CHUNKS * chunk, 16 << 30)
	i.bitmap(BITMAP_AT, 6, CHUNKS * chunk, chunk // SECTOR)
	scattered(i, BITMAP_AT + 4096, BITMAP_AT + CHUNKS, 100, b'\x02\x01' * 2048)
	d, everything = looked_at(s, '2^33 states', i.close())
	b, all_of_it = d['members'][0]['bitmaps'][0], everything['members'][0]['bitmaps'][0]
	s.same((b['states']['dirty'], sum(b['states'].values())), (100 * 2048, CHUNKS), 'each is counted')
	s.same((len(b['state_runs']), b['state_runs_truncated']), (10000, True), '10,000 runs of states are shown')
	s.ok(len(all_of_it['state_runs']) >= 400000 and not all_of_it['state_runs_truncated'], 'all with --all')


def bitmap_file(s):
	i = Image(s.path('bitmap.file'), bytes(4096), 0, 1 << 61)
	i.bitmap(0, 4, (1 << 63) // SECTOR * SECTOR, 512)
	scattered(i, 4096, 1 << 50, 100)
	i.file.close()
	d, _ = looked_at(s, 'a bitmap file of 2^54 chunks', i.path)
	s.same([b['chunks'] for b in d['members'][0]['bitmaps']], [1 << 54], 'is believed')


def external(s, bits_path):
	options = ('--external', '--location=8704', f'--chunk={1 << 17}', f'--size={(CHUNKS - 2048) << 17}')
	d, _ = looked_at(s, 'the same without superblock', bits_path, options=options)
	s.same(d['members'][0]['bitmaps'][0]['set_chunks'], 30 * 16384 - 1024, 'has the same chunks set, but for the first')


def huge(s, raw):
	i = Image(s.path('huge.img'), raw, 1 << 62, 1 << 40)
	i.bitmap(BITMAP_AT, 4, 1 << 62, 1 << 22)
	scattered(i, BITMAP_AT, BITMAP_AT + (1 << 37), 20)
	d, _ = looked_at(s, '2^62 bytes', i.close())
	s.same(d['members'][0]['bitmaps'][0]['chunks'], 1 << 40, 'have 2^40 chunks')


def many(s):
	names = []
	for n in range(1000):
		names.append(s.path(f'link{n}'))
		os.symlink(s.path(('small.img', 'other.img')[n % 2]), names[-1])
	d, _ = looked_at(s, 'a thousand members', *names)
	s.same((len(d['members']), d['arrays'][0]['members_present']), (1000, 1000), 'all are shown')


def place():
	"""Files of 2^62 bytes need a file system that has them: tmpfs."""
	for folder in (os.environ.get('TMPDIR', '/tmp'), '/dev/shm'):
		try:
			with tempfile.TemporaryFile(dir=folder) as f:
				f.truncate((1 << 62) + (1 << 41))
				return folder
		except OSError:
			continue
	return None


folder = place()
if not folder:
	print('1..0 # SKIP no file system here holds a sparse file of 2^62 bytes')
	raise SystemExit(0)
tempfile.tempdir = folder
with Scene() as s:
	raw = template(s)
	petabyte = bits(s, raw)
	external(s, petabyte.path)
	dense(s, raw)
	slots(s, raw)
	lockless(s, raw)
	bitmap_file(s)
	huge(s, raw)
	many(s)
