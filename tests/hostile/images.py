"""Hostile images, made from what Linux left behind: the metadata of a golden member, one to eight fields of it changed, and
every checksum put right again, so that nothing but umd's own judgement keeps the lie out.

Words:  a *base* is the metadata of one golden member (its data areas are holes here, so that an image costs kilobytes); a
        *case* is one member or several of one set, each changed on its own; a case is made from seed and number alone.
Left out: lies under wrong checksums: those are refused by the checksum, and the corpus has them."""
import os
import random
import shutil
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, '../golden')
sys.path.insert(0, GOLDEN)

import goldenlib		# noqa: E402  (the corpus lives next door)
import reader			# noqa: E402

SECTOR = 512
BITMAP_ROOM = 64 << 10		# bytes behind a bitmap's place that belong to a base

# Every kind that md knows, and the moments that differ most.
KINDS = [
	'r1-10-4k-crash', 'r1-10-1m-4way-clean', 'r1-11-own-bitmap-64k', 'r1-11-4k-clean', 'r1-12-64k-crash', 'r1-12-64k-3way-crash',
	'r1-12-64k-bad-blocks-crash', 'r1-12-64k-replacing-crash', 'r1-12-64k-spare-rebuilding', 'r1-12-64k-degraded-readd',
	'r1-12-none-crash-differ', 'r1-12-bitmap-version3', 'r1-12-own-bitmap-pages', 'r1-12-file-64k-crash', 'r1-090-64k-crash-differ',
	'r1-090-4k-crash', 'new-r1-ll-crash', 'new-r1-ll-fresh', 'new-r1-ll-recovering-crash', 'new-r10-ll-n2-4-64-crash',
	'new-r5-ll-3-64-lazy-crash', 'r10-f2-4-64-crash-inflight', 'r10-n2-3-64-crash', 'r10-o2-4-64-crash-differ', 'r5-3-64-crash-inflight',
	'r6-4-64-crash', 'cl-r1-12-64k-both-cut', 'cm-c17-three-mirrors', 'cm-c23-raid10-both-dirty', 'ext-raid1-64k-start',
]

NAMES = [
	b'\x1b[2J\x1b[31mred', b'line\nanother\rline', b'\x07\x08\x7f', b'"quote\\', b'\xc3\x28\xff\xfe', b'\xc0\xaf\xe0\x80\xaf', 'good\u202elive'.encode(),
	'\u200f\u2066'.encode(), b'\xc2\x9b31m', b'\xed\xa0\x80', b'x' * 32, b'..', b'/etc', b'a/../b', b'-rf', b'', '\u00e4\U0001f600'.encode(), b'%s%n%x',
]


class Base:
	"""The metadata of one member: [(place, bytes)], and where superblock and bitmaps lie."""

	def __init__(self, member, path):
		self.size, sb = os.path.getsize(path), member['superblock']
		self.sb_at = sb['super_pos'] if sb else None
		self.is_old = bool(sb) and sb['version'].startswith('0')
		self.bitmaps = [b['pos'] for b in member['bitmaps']] + ([0] if path.endswith('bitmapfile') else [])
		self.log_at = sb['super_pos'] + sb['bblog_offset'] * SECTOR if sb and sb.get('bblog_offset') else None
		self.pieces = []
		with open(path, 'rb') as f:
			wanted = [(self.sb_at, 4096), (self.log_at, 4096)] + [(at, BITMAP_ROOM) for at in self.bitmaps[:1]]
			for at, length in wanted + ([(4096, 4096)] if sb is None and not self.bitmaps else []):
				if at is not None:
					self.pieces.append((at, reader.read_at(f, at, length)))

	def image(self):
		"""A sparse picture of the member that can be changed."""
		return Image(self)


class Image:
	def __init__(self, base):
		self.base, self.size = base, base.size
		self.blocks = {}
		self.said = []			# what was changed, for whoever looks at a failure
		for at, raw in base.pieces:
			self.put(at, raw)

	def put(self, at, raw):
		"""Bytes at a place; kept in 4 KiB blocks."""
		if at < 0:
			return
		for n in range(at // 4096, -(-(at + len(raw)) // 4096)):
			block = self.blocks.setdefault(n, bytearray(4096))
			start, end = max(at, n * 4096), min(at + len(raw), n * 4096 + 4096)
			block[start - n * 4096:end - n * 4096] = raw[start - at:end - at]

	def get(self, at, length):
		found = b''.join(bytes(self.blocks.get(n, bytes(4096))) for n in range(at // 4096, -(-(at + length) // 4096)))
		return found[at % 4096:at % 4096 + length]

	def number(self, at, code):
		return struct.unpack('<' + code, self.get(at, struct.calcsize(code)))[0]

	def set_number(self, at, code, value):
		width = struct.calcsize(code)
		self.put(at, (value % (1 << 8 * width)).to_bytes(width, 'little'))

	def correct(self):
		"""Checksums as md computes them, over whatever stands there now."""
		at = self.base.sb_at
		if at is None:
			return
		raw = self.get(at, 4096)
		if self.base.is_old:
			words = struct.unpack('<1024I', raw)
			self.set_number(at + 152, 'I', reader.folded(sum(words) - words[38]))
		elif struct.unpack_from('<I', raw, 220)[0] <= 1920:
			self.set_number(at + 216, 'I', reader.checksum_1(raw, struct.unpack_from('<I', raw, 220)[0]))

	def write(self, path):
		with open(path, 'wb') as f:
			for n in sorted(self.blocks):
				if n * 4096 < self.size and any(self.blocks[n]):
					f.seek(n * 4096)
					f.write(self.blocks[n][:self.size - n * 4096])
			f.truncate(self.size)


# ---- values a liar would choose ----

def boundary(rng, bits, size):
	"""A number at which something turns over: widths, signs, the file's own size in bytes and sectors."""
	sectors = size // SECTOR
	near = rng.choice([0, sectors, size, size // 4096, 1 << rng.randrange(bits), (1 << bits) - 1, 1 << bits - 1, 1 << 54, 1 << 55, 1 << 63,
			   rng.getrandbits(bits)])
	return (near + rng.choice([0, 0, 1, -1, 7, 8, -8, 16, -128])) % (1 << bits)


CHOICES = {	# field of a 1.x superblock: values beside the boundaries
	'feature_map': lambda rng: rng.choice([1, 0x101, 3, 0x83, 9, 0x11, 5, 0x25, 0x45, 0x200, 0x400, 0x401, 0x800, 0x1001, 0x2001, rng.getrandbits(13)]),
	'level': lambda rng: rng.choice([0, 1, 4, 5, 6, 10, -1, -4, 2**31 - 1, -2**31]),
	'layout': lambda rng: rng.choice([0, 0x102, 0x201, 0x10201, 0x20201, 0x1ff, 0xff01, 0x100, 0xffff, 0x30403, 2, 16, 20]),
	'chunk_sectors': lambda rng: rng.choice([0, 1, 7, 8, 127, 128, 1 << 20, 1 << 31, 2**32 - 1]),
	'raid_disks': lambda rng: rng.choice([0, 1, 2, 3, 4, 27, 384, 1920, 1921, 65535, 2**31, 2**32 - 1]),
	'max_dev': lambda rng: rng.choice([0, 1, 2, 127, 128, 129, 1919, 1920, 1921, 65535, 2**32 - 1]),
	'dev_number': lambda rng: rng.choice([0, 1, 2, 127, 128, 1919, 1920, 65535, 2**32 - 1]),
	'bitmap_offset': lambda rng: rng.choice([0, 1, 2, 7, 8, 9, -1, -8, -16, -24, 128, 2040, 2047, 2048, 2**31 - 1, -2**31, rng.randrange(-99, 4099)]),
	'bblog_offset': lambda rng: rng.choice([0, 1, 8, 16, -1, -8, 2040, 2**31 - 1, -2**31, rng.randrange(-99, 4099)]),
	'bblog_size': lambda rng: rng.choice([0, 1, 7, 8, 9, 16, 65535]),
	'bblog_shift': lambda rng: rng.choice([0, 1, 9, 31, 54, 63, 64, 255]),
	'events': lambda rng: rng.choice([0, 1, 2**64 - 1, 2**64 - 2, 2**63, rng.randrange(100)]),
	'resync_offset': lambda rng: rng.choice([0, 1, 2**64 - 1, 2**64 - 2, rng.randrange(40000)]),
	'recovery_offset': lambda rng: rng.choice([0, 1, 2**64 - 1, 2**64 - 2, rng.randrange(40000)]),
	'logical_block_size': lambda rng: rng.choice([0, 1, 512, 4096, 2**31, 2**32 - 1]),
}
BITMAP_CHOICES = {
	'version': lambda rng: rng.choice([0, 2, 3, 4, 5, 6, 7, 2**32 - 1]),
	'sync_size': lambda rng: rng.choice([0, 1, 127, 128, 129, 2**64 - 1, 2**63, 2**55, 1 << 45]),
	'state': lambda rng: rng.choice([0, 2, 4, 6, 8, 0x18, 0x20, 0x8000, 2**32 - 1]),
	'chunksize': lambda rng: rng.choice([0, 1, 256, 768] + [1 << n for n in range(32)]),
	'daemon_sleep': lambda rng: rng.choice([0, 1, 5, 2**31, 2**32 - 1]),
	'write_behind': lambda rng: rng.choice([0, 1, 16383, 16384, 2**32 - 1]),
	'sectors_reserved': lambda rng: rng.choice([0, 1, 8, 256, 2**31, 2**32 - 1]),
	'nodes': lambda rng: rng.choice([0, 1, 2, 4, 63, 64, 255, 256, 4096, 2**31, 2**32 - 1]),
	'events': CHOICES['events'],
	'events_cleared': CHOICES['events'],
}


# ---- one change each ----

def change_field(rng, image, at, table, choices, what):
	name, offset, code = rng.choice(table)
	bits = 8 * struct.calcsize(code)
	if name in choices and rng.random() < 0.75:
		value = choices[name](rng)
	else:
		value = boundary(rng, bits, image.size)
	image.set_number(at + offset, code, value)
	image.said.append(f'{what}.{name} = {value}')


def change_superblock(rng, image):
	if image.base.is_old:
		word = rng.choice(list(reader.SUPER_0.values()) + [1, 2, 5, 7, 8, 13, 14, 15, 39, 40, rng.randrange(128, 1024)])
		value = rng.choice([boundary(rng, 32, image.size), rng.randrange(30), 27, 28])
		image.set_number(image.base.sb_at + 4 * word, 'I', value)
		image.said.append(f'word {word} = {value}')
	else:
		change_field(rng, image, image.base.sb_at, reader.SUPER_1, CHOICES, 'superblock')


def change_roles(rng, image):
	if image.base.is_old:
		return change_superblock(rng, image)
	kind, count = rng.randrange(5), rng.choice([2, 4, 128, 1920])
	roles = [rng.choice([0xffff, 0xfffe, 0xfffd, 0xff00, 0xfeff, 0, 1, 2, rng.getrandbits(16)]) for _ in range(count)] if kind == 0 else \
		[kind - 1 if kind < 4 else n for n in range(count)]
	image.put(image.base.sb_at + 256, struct.pack(f'<{count}H', *roles))
	image.said.append(f'roles = {roles[:4]}... of {count}')


def change_name(rng, image):
	name = rng.choice(NAMES)
	at = image.base.sb_at + 32
	if image.base.bitmaps and rng.random() < 0.3:
		at = image.base.bitmaps[0] + 72
		name = rng.choice([name, (name + b'!') * 32])[:64]
	image.put(at, name.ljust(32, b'\0')[:64])
	image.said.append(f'name = {name!r}')


def change_bitmap(rng, image):
	if not image.base.bitmaps:
		return change_superblock(rng, image)
	change_field(rng, image, rng.choice(image.base.bitmaps), reader.BITMAP, BITMAP_CHOICES, 'bitmap')


def change_bits(rng, image):
	"""Bits, or the state bytes of a lockless bitmap."""
	if not image.base.bitmaps:
		return change_superblock(rng, image)
	at, length = rng.choice(image.base.bitmaps) + rng.choice([256, 1024]), rng.choice([1, 30, 512, 4096, 32768])
	fill = rng.choice([bytes([rng.getrandbits(8)]), b'\x55', b'\xff', b'\x03', rng.randbytes(64), bytes(rng.randrange(9) for _ in range(97))])
	image.put(at, (fill * (length // len(fill) + 1))[:length])
	image.said.append(f'{length} bytes at {at} = {fill[:8].hex()}...')


def change_log(rng, image):
	"""The bad-block log, and the feature bit that makes it count."""
	if image.base.log_at is None or image.base.log_at < 0:
		return change_bits(rng, image)
	sectors = rng.choice([0, image.size // SECTOR, 1 << 53, (1 << 54) - 1])
	entries = [(sectors - rng.randrange(9)) % (1 << 54) << 10 | rng.choice([0, 1, 8, 512, 513, 1023]) for _ in range(rng.choice([1, 3, 511, 512]))]
	image.put(image.base.log_at, struct.pack(f'<{len(entries)}Q', *entries))
	at = image.base.sb_at + 8
	image.set_number(at, 'I', image.number(at, 'I') | 8)
	image.said.append(f'{len(entries)} bad blocks near sector {sectors}')


def change_size(rng, image):
	"""The file itself: cut, or longer than the superblock knows. What was beyond the end is gone."""
	whole = image.base.size
	image.size = rng.choice([0, 1, 511, 512, 4095, 4096, 4608, 8191, 8192, 8448, 12288, rng.randrange(whole), whole - 1, whole - 4096,
				 whole + 1, whole + 65536, 1 << 33])
	image.said.append(f'size = {image.size}')


def add_superblock(rng, image):
	"""A second superblock at another version's place."""
	base = image.base
	at = rng.choice([0, 4096, (image.size // SECTOR - 16 & ~7) * SECTOR, (image.size // SECTOR & ~127) * SECTOR - 65536])
	if base.sb_at is None or at == base.sb_at or at < 0:
		return
	raw = bytearray(image.get(base.sb_at, 4096))
	if not base.is_old:
		struct.pack_into('<Q', raw, 144, at // SECTOR)
		count = struct.unpack_from('<I', raw, 220)[0]
		struct.pack_into('<I', raw, 216, reader.checksum_1(bytes(raw), min(count, 1920)))
	image.put(at, bytes(raw))
	image.said.append(f'a second superblock at {at}')


CHANGES = [(change_superblock, 10), (change_bitmap, 6), (change_bits, 3), (change_roles, 2), (change_name, 2), (change_log, 1), (change_size, 1),
	   (add_superblock, 1)]


def change(rng, image):
	if image.base.sb_at is None:
		work = rng.choice([change_bitmap, change_bits]) if image.base.bitmaps else change_size
	else:
		work = rng.choices([c for c, _ in CHANGES], [weight for _, weight in CHANGES])[0]
	work(rng, image)


# ---- cases ----

def load_bases(kinds):
	"""{set: [Base of each member]}; each image is unpacked once, alone, and dropped again."""
	found = {}
	for one in map(goldenlib.Set, kinds):
		folder = tempfile.mkdtemp(prefix='umd-hostile.')
		try:
			paths = one.unpack(folder)
			found[one.name] = [Base(m, p) for m, p in zip(one.members, paths)]
			file_path = one.unpack_bitmap_file(folder)
			if file_path:
				found[one.name].append(Base({'superblock': None, 'bitmaps': []}, file_path))
		finally:
			shutil.rmtree(folder, ignore_errors=True)
	return found


def make(bases, seed, number):
	"""The images of one case: one member, or several of one set; at least one field of one of them lies."""
	rng = random.Random(f'{seed}/{number}')
	name = KINDS[number % len(KINDS)]
	members = bases[name]
	several = rng.random() < 0.35 and len(members) > 1
	images = [b.image() for b in (members if several else [rng.choice(members)])]
	for n, image in enumerate(images):
		for _ in range(rng.randint(1, 8) if n == 0 or rng.random() < 0.5 else 0):
			change(rng, image)
		image.correct()
	return name, images
