"""What clients of an array know: regions, one per writer, and what each of their sectors must say.

Used by writers on the host (NBD) and by one in a Linux guest (O_DIRECT); nothing here knows how bytes travel. A *disk* has
flush(), pread(count, at), pwrite(data, at, is_durable) and zero(count, at, is_durable), all in bytes.
"""
import struct

SECTOR, RUN_SECTORS = 512, 128


# ---- what a sector says: who wrote it, where, which time ----

def content(writer, sector, version):
	return struct.pack('<IIQ', writer, sector, version) * (SECTOR // 16) if version else bytes(SECTOR)


def piece(writer, first, count, version):
	return b''.join(content(writer, s, version) for s in range(first, first + count))


class Region:
	"""What one writer knows: the acknowledged version of each of its sectors, and the one request in flight."""

	def __init__(self, writer, sectors):
		self.writer, self.versions, self.clock, self.in_flight = writer, [0] * sectors, 0, None
		self.at = writer * sectors * SECTOR

	def begin(self, first, count, is_zero):
		self.clock += 1
		self.in_flight = (first, count, 0 if is_zero else self.clock)

	def end(self):
		first, count, version = self.in_flight
		self.versions[first:first + count] = [version] * count
		self.in_flight = None

	def wanted(self, first, count):
		return b''.join(content(self.writer, s, self.versions[s]) for s in range(first, first + count))

	def settle(self, data):
		"""Sectors of the request in flight may be old or new: @data decides, from now on for good. Returns what is wrong."""
		first, count, version = self.in_flight or (0, 0, 0)
		for s, acknowledged in enumerate(self.versions):
			found = data[s * SECTOR:(s + 1) * SECTOR]
			if found == content(self.writer, s, acknowledged):
				continue
			if not first <= s < first + count or found != content(self.writer, s, version):
				return f'writer {self.writer} sector {s}: acknowledged {acknowledged}, found {found[:16].hex()}'
			self.versions[s] = version
		self.in_flight = None
		return None

	# ---- on its way from one world to the other ----

	def to_dict(self):
		return {'writer': self.writer, 'versions': self.versions, 'clock': self.clock, 'in_flight': self.in_flight}

	@classmethod
	def from_dict(cls, said):
		region = cls(said['writer'], len(said['versions']))
		region.versions, region.clock, region.in_flight = said['versions'], said['clock'], said['in_flight']
		return region


def settle_all(regions, data):
	"""What is wrong, region by region."""
	return [wrong for wrong in (r.settle(d) for r, d in zip(regions, data)) if wrong]


def read_all(disk, regions):
	"""The bytes of each region, a mebibyte at a time."""
	return [read_region(disk, r) for r in regions]


def read_region(disk, region):
	length, step = len(region.versions) * SECTOR, 1 << 20
	return b''.join(disk.pread(min(step, length - at), region.at + at) for at in range(0, length, step))


# ---- what a writer does ----

def choose(rng, sectors):
	count = rng.choice([1, 1, 8, 8, rng.randrange(1, RUN_SECTORS)])
	return rng.randrange(sectors - count), count


def one_step(rng, disk, region):
	"""One request. False: a read returned what was not written last."""
	kind = rng.random()
	first, count = choose(rng, len(region.versions))
	at = region.at + first * SECTOR
	if kind < 0.1:
		disk.flush()
	elif kind < 0.3:
		return disk.pread(count * SECTOR, at) == region.wanted(first, count)
	else:
		is_zero, is_durable = kind < 0.4, rng.random() < 0.2
		region.begin(first, count, is_zero)
		if is_zero:
			disk.zero(count * SECTOR, at, is_durable)
		else:
			disk.pwrite(piece(region.writer, first, count, region.clock), at, is_durable)
		region.end()
	return True
