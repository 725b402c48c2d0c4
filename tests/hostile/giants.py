#!/usr/bin/env python3
"""Goal:   what an image claims costs nothing: petabytes, thousands of millions of chunks and runs are answered as soon as a small image.
Method: sparse files made from golden superblocks, some with really alternating bits, through examine, map and a read-only
        start. Each command: no signal, 2 s, exit status 0 or 1, no byte changed; examine and map in 64 MiB.
Law:    I7, I9.
Source: design: examine and map stream, in bounded memory and time, whatever the image claims.

    giants.py UMD"""
import os
import shutil
import sys
import tempfile

import images
from images import SECTOR
from program import MEMORY_MAX_KIB, Program, is_json_file, is_safe_file, own_memory_kib, picture

import goldenlib
import reader

MIB, GIB, TIB, PIB = 1 << 20, 1 << 30, 1 << 40, 1 << 50
KINDS = ['r1-12-64k-crash', 'new-r1-ll-crash', 'cl-r1-12-64k-both-cut', 'r1-090-64k-crash-differ', 'r1-12-64k-3way-crash']
SUPER_1 = {name: (at, code) for name, at, code in reader.SUPER_1}
BITMAP = {name: (at, code) for name, at, code in reader.BITMAP}


def roomy_folder():
	"""A folder whose file system holds files of petabytes, and how large they may be there."""
	for folder in (tempfile.gettempdir(), '/dev/shm', '/run/shm'):
		for size in (6 * PIB, 12 * TIB):
			if os.path.isdir(folder) and os.access(folder, os.W_OK) and can_hold(folder, size):
				if size > PIB or folder == '/run/shm' or not os.path.isdir('/dev/shm'):
					return folder, size
	return tempfile.gettempdir(), 12 * TIB


def can_hold(folder, size):
	with tempfile.TemporaryFile(dir=folder) as f:
		try:
			f.truncate(size)
			return True
		except OSError:
			return False


def build(path, base, size, sb=None, bitmap=None, fills=()):
	"""A member made from a base: other fields, right checksum, sparse up to its size, some bytes here and there."""
	image = base.image()
	for name, value in (sb or {}).items():
		at, code = SUPER_1[name]
		image.set_number(base.sb_at + at, code, value)
	for name, value in (bitmap or {}).items():
		at, code = BITMAP[name]
		image.set_number(base.bitmaps[0] + at, code, value)
	image.correct()
	image.size = size
	image.write(path)
	with open(path, 'r+b') as f:
		for at, raw, times in fills:
			f.seek(at)
			for _ in range(times):
				f.write(raw)
	return path


def mirror_fields(size, data_at, room):
	"""A 1.2 member that uses all behind data_at; the bad-block log is gone."""
	sectors = (size - data_at) // SECTOR & ~127
	sb = {'data_offset': data_at // SECTOR, 'data_size': sectors, 'size_sectors': sectors, 'bblog_offset': 0, 'feature_map': 1, **room}
	return sb, sectors


def scattered(first, last, count, raw):
	step = (last - first) // count // 4096 * 4096
	return [(first + n * step, raw, 1) for n in range(count)]


class Giants:
	def __init__(self, folder, largest):
		self.folder, self.largest, self.bases = folder, largest, images.load_bases(KINDS)

	def path(self, name):
		return os.path.join(self.folder, name + '.img')

	def petabytes(self):
		"""2^36 chunks and a bitmap of 8 GiB on a member of petabytes, a page of bits here and there."""
		sb, sectors = mirror_fields(self.largest, 16 * GIB, {})
		chunk = 65536 if self.largest > PIB else 512
		last = 8192 + 256 + sectors * SECTOR // chunk // 8 - 4096
		fills = scattered(16384, min(last, 15 * GIB), 64, b'\x55' * 4096)
		return [build(self.path('petabytes'), self.bases['r1-12-64k-crash'][0], self.largest, sb,
			      {'chunksize': chunk, 'sync_size': sectors}, fills)]

	def more_than_fits(self):
		"""A bitmap of 2^43 chunks does not fit before the data: refused with a sentence, not counted."""
		sb, sectors = mirror_fields(self.largest, 16 * GIB, {})
		return [build(self.path('unfit'), self.bases['r1-12-64k-crash'][0], self.largest, sb, {'chunksize': 512, 'sync_size': sectors})]

	def alternating(self):
		"""64 MiB of alternating bits that are really there: 2^28 runs."""
		sb, sectors = mirror_fields(4 * TIB, GIB, {})
		return [build(self.path('alternating'), self.bases['r1-12-64k-crash'][0], 4 * TIB, sb, {'chunksize': 8192, 'sync_size': sectors},
			      [(8192 + 256, b'\x55' * 4096, 64 * MIB // 4096)])]

	def lockless(self):
		"""A lockless bitmap of 2^33 chunks and more; 64 MiB of them change state at every chunk."""
		size = min(self.largest, 1 * PIB)
		sb, sectors = mirror_fields(size, 32 * GIB, {'resync_offset': 0})
		return [build(self.path('lockless'), self.bases['new-r1-ll-crash'][0], size, sb,
			      {'chunksize': 128 if size == PIB else 4, 'sync_size': sectors, 'sectors_reserved': 60 * MIB},
			      [(8192 + 1024, b'\x02\x01' * 2048, 64 * MIB // 4096)])]

	def cluster(self):
		"""256 nodes with a slot of 16 MiB each; every slot is used and has bits."""
		sb, sectors = mirror_fields(8 * TIB, 16 * GIB, {'feature_map': 0x101})
		base, chunk = self.bases['cl-r1-12-64k-both-cut'][0], 65536
		slot = -(-(256 + -(-sectors * SECTOR // chunk // 8)) // 4096) * 4096
		image = base.image()
		for name, value in {'chunksize': chunk, 'sync_size': sectors, 'nodes': 256}.items():
			image.set_number(base.bitmaps[0] + BITMAP[name][0], BITMAP[name][1], value)
		head = image.get(base.bitmaps[0], 256)
		fills = [(8192 + n * slot, head + b'\x11' * 4096, 1) for n in range(256)]
		return [build(self.path('cluster'), base, 8 * TIB, sb, {'chunksize': chunk, 'sync_size': sectors, 'nodes': 256}, fills)]

	def old(self):
		"""0.90 at 2 TiB, the end of its numbers."""
		base = self.bases['r1-090-64k-crash-differ'][0]
		size = 2 * TIB + 65536
		image = base.image()
		moved = base.image()
		moved.blocks = {}
		at = (size // SECTOR & ~127) * SECTOR - 65536
		moved.put(at, image.get(base.sb_at, 4096))
		moved.put(at + 4096, image.get(base.sb_at + 4096, 60 << 10))
		moved.set_number(at + 32, 'I', (at // 1024) & 0xffffffff)
		moved.set_number(at + 4096 + 52, 'I', 1 << 23)
		moved.set_number(at + 4096 + 40, 'Q', at // SECTOR)
		moved.base, moved.size = Moved(base, at), size
		moved.correct()
		moved.write(self.path('old'))
		return [self.path('old')]

	def many(self):
		"""Three hundred members at once, all the same one."""
		sb, sectors = mirror_fields(TIB, GIB, {})
		first = build(self.path('many0'), self.bases['r1-12-64k-3way-crash'][0], TIB, sb, {'chunksize': 65536, 'sync_size': sectors},
			      [(8448, b'\xa5' * 4096, 1)])
		paths = [first]
		for n in range(1, 300):
			paths.append(self.path(f'many{n}'))
			with open(paths[-1], 'wb') as f, open(first, 'rb') as g:
				f.write(g.read(16384))
				f.truncate(TIB)
		return paths


class Moved:
	"""A base whose superblock lies elsewhere."""

	def __init__(self, base, sb_at):
		self.sb_at, self.is_old = sb_at, base.is_old


def judge(report, program, name, words, paths):
	"""One command on one giant."""
	before = [picture(p) for p in paths]
	done = program.run(*words, *paths)
	what = ' '.join(words)
	wrong = done.wrong(what, has_memory_limit=words[0] != 'serve')
	wrong += [] if is_safe_file(program.out) and is_safe_file(program.err) else ['bytes a terminal obeys']
	if '--json' in words and not is_json_file(program.out):
		wrong.append('the JSON does not parse')
	wrong += [] if done.status == 0 or done.out.strip() or goldenlib.is_sentence(done.err) else ['no sentence']
	if words[0] == 'serve' and done.status == 0:
		wrong += program.run('stop', 'giant').wrong('stop')
		wrong += [f'{name} must not start: its bitmap fills the memory'] if name in TOO_LARGE else []
	wrong += [] if before == [picture(p) for p in paths] else ['a byte changed']
	report.check(not wrong, f'{name}: {what}', *wrong, done.err[:300])
	print(f'# {done.seconds:.2f} s, {done.memory_kib} KiB, exit status {done.status}, {os.path.getsize(program.out)} bytes')


COMMANDS = [['examine'], ['examine', '--json'], ['map'], ['map', '--json'],
	    ['serve', '--readonly', '--run', '--background', '--name', 'giant']]
TOO_LARGE = ('petabytes', 'alternating', 'lockless', 'cluster')
ALL_TOO = ('petabytes', 'cluster', 'old')		# elsewhere all runs would be gigabytes of text


def external(report, program, giants):
	"""A bitmap without superblock, as large as its owner says."""
	path = giants.path('petabytes')
	place = ['--external', '--location=8192', '--chunk=64K', f'--size={giants.largest - 16 * GIB}']
	for words in (['examine', *place], ['examine', '--json', *place]):
		judge(report, program, 'external', words, [path])
	judge(report, program, 'external, more than the file holds',
	      ['examine', '--external', '--location=8192', '--chunk=512', f'--size={2**63 - 1}'], [path])


def main():
	umd, report = os.path.abspath(sys.argv[1]), goldenlib.Report()
	where, largest = roomy_folder()
	folder = tempfile.mkdtemp(prefix='umd-giants.', dir=where)
	try:
		program, giants = Program(umd, folder), Giants(folder, largest)
		print(f'# files of up to {largest // TIB} TiB in {where}; this process holds {own_memory_kib()} KiB')
		report.check(own_memory_kib() < MEMORY_MAX_KIB * 3 // 4, 'the watcher is small enough to see what it watches')
		for name in ('petabytes', 'more_than_fits', 'alternating', 'lockless', 'cluster', 'old', 'many'):
			paths = getattr(giants, name)()
			for words in COMMANDS + ([['examine', '--json', '--all']] if name in ALL_TOO else []):
				judge(report, program, name, words, paths)
			if name == 'petabytes':
				external(report, program, giants)
			for path in paths:
				os.unlink(path)
		return report.end()
	finally:
		shutil.rmtree(folder, ignore_errors=True)


sys.exit(main())
