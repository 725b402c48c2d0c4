#!/usr/bin/env python3
"""A second reader of md's metadata, written from the description of the bytes and sharing nothing with umd: it makes the
part of facts.json that says what is in the images, and decode.py asks it again at every run.

Words:  fields stand in md's own units (sectors where md stores sectors); `set` are inclusive runs of chunks whose bit is
        set; `states` are [first chunk, count, byte] runs of a lockless bitmap; `dev_roles` is cut after its last value that
        is not 0xffff.
Left out: everything that is a judgement (which member counts, what would be copied).

    reader.py SET...        renews the images' part of facts.json of these sets, e.g. after new images were added"""
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

SECTOR = 512
MD_MAGIC = 0xa92b4efc
BITMAP_MAGIC = 0x6d746962
BITMAP_HEAD = 256		# bytes of the bitmap's superblock, before the first bit
LOCKLESS_HEAD = 1024		# bytes before the first chunk's byte
CHUNKS_MAX = 1 << 24		# no image here has more; a claim beyond is not counted

# name, offset, struct code
SUPER_1 = [
	('feature_map', 8, 'I'), ('ctime', 64, 'Q'), ('level', 72, 'i'), ('layout', 76, 'I'), ('size_sectors', 80, 'Q'),
	('chunk_sectors', 88, 'I'), ('raid_disks', 92, 'I'), ('bitmap_offset', 96, 'i'), ('new_level', 100, 'i'),
	('reshape_position', 104, 'Q'), ('delta_disks', 112, 'i'), ('new_layout', 116, 'I'), ('new_chunk', 120, 'I'),
	('new_offset', 124, 'i'), ('data_offset', 128, 'Q'), ('data_size', 136, 'Q'), ('super_offset', 144, 'Q'),
	('recovery_offset', 152, 'Q'), ('dev_number', 160, 'I'), ('corrected_reads', 164, 'I'), ('devflags', 184, 'B'),
	('bblog_shift', 185, 'B'), ('bblog_size', 186, 'H'), ('bblog_offset', 188, 'i'), ('utime', 192, 'Q'), ('events', 200, 'Q'),
	('resync_offset', 208, 'Q'), ('csum', 216, 'I'), ('max_dev', 220, 'I'), ('logical_block_size', 224, 'I'),
]
BITMAP = [
	('magic', 0, 'I'), ('version', 4, 'I'), ('events', 24, 'Q'), ('events_cleared', 32, 'Q'), ('sync_size', 40, 'Q'), ('state', 48, 'I'),
	('chunksize', 52, 'I'), ('daemon_sleep', 56, 'I'), ('write_behind', 60, 'I'), ('sectors_reserved', 64, 'I'), ('nodes', 68, 'I'),
]
SUPER_0 = {	# name: 32-bit word
	'ctime': 6, 'nr_disks': 9, 'raid_disks': 10, 'md_minor': 11, 'utime': 32, 'state': 33, 'active_disks': 34, 'working_disks': 35,
	'failed_disks': 36, 'spare_disks': 37, 'csum': 38, 'recovery_cp': 43, 'layout': 64, 'chunk_bytes': 65,
}
ROLES = {0xffff: 'spare', 0xfffe: 'faulty', 0xfffd: 'journal'}


def uuid(raw):
	return ':'.join(raw[i:i + 4].hex() for i in range(0, 16, 4))


def text(raw):
	return raw.split(b'\0')[0].decode('utf-8', 'replace')


def numbers(raw, table):
	return {name: struct.unpack_from('<' + code, raw, at)[0] for name, at, code in table}


def folded(total):
	return ((total & 0xffffffff) + (total >> 32)) & 0xffffffff


def read_at(f, at, length):
	f.seek(at)
	return f.read(length)


# ---- superblock 1.x ----

def checksum_1(raw, max_dev):
	length = 256 + 2 * max_dev
	body = raw[:216] + bytes(4) + raw[220:length]
	total = sum(struct.unpack_from(f'<{length // 4}I', body))
	return folded(total + (int.from_bytes(body[-2:], 'little') if length % 4 else 0))


def bad_blocks(f, at, sb):
	if not sb['feature_map'] & 8 or not sb['bblog_offset']:
		return []
	raw, found = read_at(f, at + sb['bblog_offset'] * SECTOR, sb['bblog_size'] * SECTOR), []
	for (entry,) in struct.iter_unpack('<Q', raw):
		if entry == 2**64 - 1:
			break
		found.append([entry >> 10 << sb['bblog_shift'], (entry & 1023) << sb['bblog_shift']])
	return found


def read_super_1(f, size, minor):
	at = {0: (size // SECTOR - 16 & ~7) * SECTOR, 1: 0, 2: 4096}[minor]
	if at < 0:
		return None
	raw = read_at(f, at, 4096)
	if len(raw) < 4096 or struct.unpack_from('<II', raw) != (MD_MAGIC, 1) or struct.unpack_from('<Q', raw, 144)[0] != at // SECTOR:
		return None
	sb = {'version': f'1.{minor}', 'super_pos': at, 'array_uuid': uuid(raw[16:32]), 'name': text(raw[32:64])}
	sb.update(numbers(raw, SUPER_1), device_uuid=uuid(raw[168:184]))
	sb['csum_ok'] = sb['csum'] == checksum_1(raw, sb['max_dev'])
	roles = list(struct.unpack_from(f"<{min(sb['max_dev'], 1920)}H", raw, 256))
	own = roles[sb['dev_number']] if sb['dev_number'] < len(roles) else 0xffff
	while roles and roles[-1] == 0xffff:
		roles.pop()
	sb.update(dev_roles=roles, role=ROLES.get(own, own), bad_blocks=bad_blocks(f, at, sb))
	has_bitmap = sb['feature_map'] & 1 and sb['bitmap_offset']
	sb['bitmap_pos'] = at + sb['bitmap_offset'] * SECTOR if has_bitmap else None
	return sb


# ---- superblock 0.90 ----

def disk_0(words):
	return dict(zip(('number', 'major', 'minor', 'raid_disk', 'state'), words))


def read_super_0(f, size):
	at = (size // SECTOR & ~127) * SECTOR - 65536
	if at < 0:
		return None
	w = struct.unpack('<1024I', read_at(f, at, 4096))
	if w[0] != MD_MAGIC or w[1] != 0:
		return None
	sb = {'version': f'0.{w[2]}', 'super_pos': at, 'array_uuid': '%08x:%08x:%08x:%08x' % (w[5], w[13], w[14], w[15])}
	sb.update({name: w[word] for name, word in SUPER_0.items()})
	level = struct.unpack('<i', struct.pack('<I', w[7]))[0]
	disks = [disk_0(w[at:at + 5]) for at in range(128, 128 + 27 * 32, 32) if any(w[at:at + 5])]
	sb.update(level=level, size_sectors=w[8] * 2, events=w[39] | w[40] << 32, chunk_sectors=w[65] // SECTOR, data_offset=0)
	sb.update(csum_ok=w[38] == folded(sum(w) - w[38]), this_disk=disk_0(w[992:997]), disks=disks, role=w[995])
	sb['bitmap_pos'] = at + 4096 if w[33] & 256 else None
	return sb


def read_super(f, size):
	for minor in (1, 2, 0):
		sb = read_super_1(f, size, minor)
		if sb:
			return sb
	return read_super_0(f, size)


# ---- bitmaps ----

def runs_of(numbers_set):
	runs = []
	for n in numbers_set:
		if runs and runs[-1][1] + 1 == n:
			runs[-1][1] = n
		else:
			runs.append([n, n])
	return runs


def set_bits(raw, chunks):
	return [i for i in range(chunks) if i >> 3 < len(raw) and raw[i >> 3] >> (i & 7) & 1]


def with_bits(b, raw, chunks):
	found = set_bits(raw, chunks)
	return dict(b, bits=chunks, set=runs_of(found), set_chunks=len(found))


def with_states(f, b):
	"""A lockless bitmap: one byte a chunk. While the first-use flag stands the bytes mean nothing."""
	chunks = -(-b['sync_size'] // b['chunksize'])
	raw, runs = read_at(f, b['pos'] + LOCKLESS_HEAD, chunks), []
	for n, byte in enumerate(raw):
		if runs and runs[-1][2] == byte:
			runs[-1][1] += 1
		else:
			runs.append([n, 1, byte])
	counts = {str(byte): raw.count(byte) for byte in sorted(set(raw))}
	if b['state'] & 8:
		return dict(b, lockless={'initialised': False})
	return dict(b, lockless={'initialised': True, 'chunks': chunks, 'states': runs, 'state_counts': counts})


def read_bitmap(f, at):
	raw = read_at(f, at, BITMAP_HEAD)
	if len(raw) < BITMAP_HEAD:
		return None
	b = {'pos': at, 'uuid': uuid(raw[8:24]), **numbers(raw, BITMAP), 'cluster_name': text(raw[72:136]), 'pad_all_zero': not any(raw[136:])}
	if b['version'] == 6 and b['magic'] == BITMAP_MAGIC:
		return with_states(f, b)
	chunks = -(-b['sync_size'] * SECTOR // b['chunksize']) if b['chunksize'] >= SECTOR else 0
	chunks = chunks if chunks <= CHUNKS_MAX else 0
	return with_bits(b, read_at(f, at + BITMAP_HEAD, -(-chunks // 8)), chunks)


def read_bitmaps(f, at):
	"""All at this place: one, or one for each node of a cluster, each on a 4 KiB border."""
	first = read_bitmap(f, at)
	if not first or first['magic'] != BITMAP_MAGIC or first['version'] != 5 or first['nodes'] < 2:
		return [first] if first else []
	step = -(-(BITMAP_HEAD + -(-first['bits'] // 8)) // 4096) * 4096
	return [first] + [read_slot(f, at + slot * step, first['bits']) for slot in range(1, first['nodes'])]


def read_slot(f, at, chunks):
	"""A node's bitmap. One that no node ever used may hold zeros: then it has no chunk size of its own."""
	b = read_bitmap(f, at)
	return b if b['magic'] == BITMAP_MAGIC else with_bits(b, read_at(f, at + BITMAP_HEAD, -(-chunks // 8)), chunks)


# ---- files of a set ----

def read_member(path):
	size = os.path.getsize(path)
	with open(path, 'rb') as f:
		sb = read_super(f, size)
		at = sb['bitmap_pos'] if sb else None
		return {'superblock': sb, 'bitmaps': read_bitmaps(f, at) if at is not None else []}


def read_file_bitmap(path):
	with open(path, 'rb') as f:
		return read_bitmap(f, 0)


def read_external(path, place):
	"""A bitmap without any superblock, at the place its owner knows."""
	chunks = -(-place['size_bytes'] // place['chunk_bytes'])
	with open(path, 'rb') as f:
		found = set_bits(read_at(f, place['location_bytes'], -(-chunks // 8)), chunks)
	return {'chunks': chunks, 'set': runs_of(found), 'set_chunks': len(found)}


def sha256(path):
	with open(path, 'rb') as f:
		return hashlib.file_digest(f, 'sha256').hexdigest()


def unpack(folder, name, into):
	path = os.path.join(into, name.removesuffix('.zst'))
	subprocess.run(['zstd', '-q', '-d', '--sparse', '-f', os.path.join(folder, name), '-o', path], check=True)
	return path


def read_images(facts, paths, file_path):
	"""What the images of one set say, in the form of facts.json; paths are the unpacked members."""
	found = {'members': [read_member(p) for p in paths]}
	if facts.get('external'):
		for member, path in zip(found['members'], paths):
			member['external'] = read_external(path, facts['external'])
	if file_path:
		found['bitmap_file'] = read_file_bitmap(file_path)
	return found


# ---- facts.json ----

ON_ONE_LINE = ('line', 'superblock', 'bitmaps', 'bitmap', 'external')
LISTS_OF_LINES = ('entries', 'steps', 'superblocks_after', 'bitmaps_after', 'blocks_changed_4k', 'sectors_changed')


def written(value, indent, key=None):
	"""JSON that reads well in a diff: a record or a list of runs on one line, the rest indented."""
	plain = json.dumps(value, ensure_ascii=False)
	if not isinstance(value, (dict, list)) or not value or key in ON_ONE_LINE:
		return plain
	inner, pad = ' ' * (indent + 1), ' ' * indent
	if isinstance(value, list):
		below = 'line' if key in LISTS_OF_LINES else None
		return '[\n' + ',\n'.join(inner + written(v, indent + 1, below) for v in value) + f'\n{pad}]'
	lines = [f'{inner}{json.dumps(k)}: {written(v, indent + 1, k)}' for k, v in value.items()]
	return '{\n' + ',\n'.join(lines) + f'\n{pad}}}'


def renew(folder):
	path = os.path.join(folder, 'facts.json')
	with open(path, encoding='utf-8') as f:
		facts = json.load(f)
	with tempfile.TemporaryDirectory(prefix='umd-reader.') as scratch:
		paths = [unpack(folder, m['file'], scratch) for m in facts['members']]
		file_fact = facts.get('bitmap_file')
		file_path = unpack(folder, file_fact['file'], scratch) if file_fact else None
		found = read_images(facts, paths, file_path)
		for member, image, more in zip(facts['members'], paths, found['members']):
			member.update(size_bytes=os.path.getsize(image), sha256=sha256(image), **more)
		if file_path:
			file_fact.update(size_bytes=os.path.getsize(file_path), sha256=sha256(file_path), bitmap=found['bitmap_file'])
	with open(path, 'w', encoding='utf-8') as f:
		f.write(written(facts, 0) + '\n')


if __name__ == '__main__':
	for set_folder in sys.argv[1:]:
		renew(os.path.join(os.path.dirname(os.path.abspath(__file__)), set_folder))
