"""Two worlds' images of one array, compared byte by byte and told by area.

An *area* is a named piece of a member: super.FIELD and super.role[N], bitmap.FIELD (names and places from src/format/*.def),
bits (one per chunk), bits.padding (behind the last one), log (bad blocks), data, elsewhere. What differs is a list of
areas; tests/scenarios/mask.txt says which may differ, in which world, what is compared instead, and why:

	ignored		nothing
	recomputed	it must be right in each world: the checksum of a superblock
	order		events count differently, but what is older and newer is the same: the ranks of all event numbers of all
			members together are equal
	below		in each world it is no later than the superblock's events
	unique		in each world no two members have the same

An entry masks nothing else: data and bits have none. A file may name more (`compare but AREA`), beside its reason.
"""
import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
FORMAT = os.path.join(HERE, '..', '..', 'src', 'format')
SUPER_MAGIC, BITMAP_MAGIC, BLOCK, SECTOR = 0xa92b4efc, 0x6d746962, 4096, 512
HOWS = 'ignored', 'recomputed', 'order', 'below', 'unique'


def fields_of(table):
	"""[(name, offset, bytes)] of a .def file."""
	with open(os.path.join(FORMAT, table), encoding='utf-8') as f:
		return [(m[1], int(m[2]), int(m[3])) for m in re.finditer(r'^F\(\w, (\w+), (\d+), (\d+),', f.read(), re.M)]


SUPER, BITMAP = fields_of('sb1.def'), fields_of('bitmap_sb.def')


class Member:
	"""One image, cut into areas. Bytes that no superblock explains are elsewhere, all of them where there is none."""

	def __init__(self, path, part=None):
		"""@part: (bytes, where they begin, size of the image) instead of all of it; then there is metadata alone."""
		self.raw, self.base, self.size = part or (open(path, 'rb').read(), 0, os.path.getsize(path))
		self.areas, self.spans = {}, []
		self.super_at = next((at for at in self.places() if self.is_super(at)), None)
		if self.super_at is not None:
			self.cut_super()
			self.cut_bitmap()
			self.cut_log()
			if not part:
				self.cut_roles()
				self.take('data', self.number('super.data_offset_sectors') * SECTOR,
					self.number('super.size_sectors') * SECTOR)

	def places(self):
		return 4096, 0, ((self.size // SECTOR - 16) & ~7) * SECTOR

	def at(self, at, length):
		return self.raw[max(at - self.base, 0):max(at - self.base + length, 0)]

	def is_super(self, at):
		"""There is one here, and it says that it lies here."""
		return (self.at(at, 4) == struct.pack('<I', SUPER_MAGIC)
			and int.from_bytes(self.at(at + 144, 8), 'little') * SECTOR == at)

	def take(self, name, at, length):
		self.areas[name] = self.at(at, length)
		self.spans.append((at, at + length))

	def number(self, area, signed=False):
		return int.from_bytes(self.areas[area], 'little', signed=signed)

	def has(self, area):
		return area in self.areas

	def cut_super(self):
		for name, offset, length in SUPER:
			self.take('super.' + name, self.super_at + offset, length)

	def cut_roles(self):
		for n in range((BLOCK - 256) // 2):
			self.take(f'super.role[{n}]', self.super_at + 256 + 2 * n, 2)

	def cut_bitmap(self):
		self.chunks = self.chunk = None
		if not self.number('super.feature_map') & 1:
			return
		at = self.super_at + self.number('super.bitmap_offset_sectors', signed=True) * SECTOR
		for name, offset, length in BITMAP:
			self.take('bitmap.' + name, at + offset, length)
		self.chunk = self.number('bitmap.chunk_bytes')
		self.chunks = -(-self.number('super.size_sectors') * SECTOR // self.chunk)
		length = -(-self.chunks // 8)
		end = -(-(256 + length) // BLOCK) * BLOCK
		self.take('bits', at + 256, length)
		self.take('bits.padding', at + 256 + length, end - 256 - length)
		unused = 8 * length - self.chunks
		last = self.areas['bits'][-1]
		self.areas['bits'] = self.areas['bits'][:-1] + bytes([last & (255 >> unused)])
		self.areas['bits.padding'] = bytes([last >> (8 - unused)]) + self.areas['bits.padding']

	def cut_log(self):
		offset = self.number('super.bblog_offset_sectors', signed=True)
		if offset:
			self.take('log', self.super_at + offset * SECTOR, self.number('super.bblog_size_sectors') * SECTOR)

	def outside(self, spans):
		left, at = [], 0
		for begin, end in sorted(spans):
			if begin > at:
				left.append(self.raw[at:begin])
			at = max(at, end)
		return b''.join([*left, self.raw[at:]])

	# ---- what the worlds ask ----

	def set_bits(self):
		bits = self.areas['bits']
		return [n for n in range(self.chunks) if bits[n // 8] >> n % 8 & 1]

	def is_clean(self):
		return self.number('super.resync_offset_sectors') == (1 << 64) - 1

	def role_of(self, number):
		"""What this member says of the one with that device number."""
		return int.from_bytes(self.at(self.super_at + 256 + 2 * number, 2), 'little')

	def sum_is_right(self):
		"""The superblock's checksum, from its description: 32-bit words, its own as 0, carries folded in."""
		length = 256 + 2 * self.number('super.max_dev')
		raw = bytearray(self.at(self.super_at, length))
		raw[216:220] = bytes(4)
		total = sum(struct.unpack(f'<{length // 4}I', raw[:length // 4 * 4]))
		if length % 4:
			total += struct.unpack('<H', raw[length // 4 * 4:])[0]
		return (total & 0xffffffff) + (total >> 32) & 0xffffffff == self.number('super.csum')


# ---- the mask ----

class Entry:
	def __init__(self, line, area, worlds, how, reason):
		self.line, self.area, self.worlds, self.how, self.reason, self.uses = line, area, worlds.split(','), how, reason, 0

	def covers(self, area, world):
		return world in self.worlds and (area == self.area or self.area.endswith('[]') and area.startswith(self.area[:-1]))


class Mask:
	"""Lines of: area, worlds joined by commas, how, and the reason as the rest of the line."""

	def __init__(self, path=os.path.join(HERE, 'mask.txt')):
		self.entries = []
		with open(path, encoding='utf-8') as f:
			for number, line in enumerate(f, 1):
				words = line.split(None, 3)
				if not words or words[0].startswith('#'):
					continue
				if len(words) < 4 or len(words[3].split()) < 4 or words[2] not in HOWS:
					raise ValueError(f'mask.txt:{number}: area, worlds, one of {HOWS}, and the reason as a sentence')
				self.entries.append(Entry(number, *words[:3], words[3].strip()))

	def entry(self, area, world):
		return next((e for e in self.entries if e.covers(area, world)), None)

	def ordered(self, world):
		return [e.area for e in self.entries if e.how == 'order' and world in e.worlds]

	def unused(self):
		return [f'mask.txt:{e.line}: {e.area} in {",".join(e.worlds)} never differed' for e in self.entries if not e.uses]


# ---- comparing ----

def ranks(members, areas):
	"""{(member, area): rank} of all event numbers."""
	values = {(name, area): m.number(area) for name, m in members.items() for area in areas if m.has(area)}
	order = sorted(set(values.values()))
	return {key: order.index(value) for key, value in values.items()}


def shown(area, one, two):
	"""Where two contents of an area part, for people."""
	if len(one) != len(two):
		return f'{len(one)} bytes, {len(two)} bytes'
	if len(one) <= 32:
		return f'{one.hex()}, {two.hex()}'
	differing = [n for n in range(0, len(one), SECTOR) if one[n:n + SECTOR] != two[n:n + SECTOR]]
	at = next(n for n in range(differing[0], len(one)) if one[n] != two[n])
	return (f'{len(differing)} sectors, first in sector {differing[0] // SECTOR}, byte {at}: '
		f'{one[at:at + 8].hex()}, {two[at:at + 8].hex()}')


def settle(entry, name, area, members, ordered):
	"""Does the masked difference keep what the mask demands instead? None, or what is wrong."""
	wanted, got = members
	if entry.how == 'recomputed' and not (wanted[name].sum_is_right() and got[name].sum_is_right()):
		return 'the sum is wrong'
	if entry.how == 'order':
		orders = [ranks(m, ordered) for m in members]
		return None if orders[0] == orders[1] else f'order {orders[0]}, {orders[1]}'
	if entry.how == 'below' and not all(m[name].number(area) <= m[name].number('super.events') for m in members):
		return 'it is beyond the events'
	if entry.how == 'unique' and any(len({m.areas[area] for m in world.values()}) < len(world) for world in members):
		return 'two members have the same'
	return None


def differences(wanted, got, world, mask, but=()):
	"""What differs between two worlds' members ({name: Member}) and must not: sentences."""
	said = []
	if sorted(wanted) != sorted(got):
		return [f'members {sorted(wanted)}, {sorted(got)}']
	for name in sorted(wanted):
		areas = [{**m[name].areas, 'elsewhere': m[name].outside(wanted[name].spans + got[name].spans)} for m in (wanted, got)]
		for area in sorted({*areas[0], *areas[1]}):
			one, two = areas[0].get(area, b''), areas[1].get(area, b'')
			if one == two or area in but:
				continue
			entry = mask.entry(area, world)
			wrong = settle(entry, name, area, (wanted, got), mask.ordered(world)) if entry else shown(area, one, two)
			if entry:
				entry.uses += 1
			if wrong:
				said.append(f'{name} {area}: {wrong}')
	return said
