#!/usr/bin/env python3
"""Seeds and a dictionary for the fuzz targets, from the golden images and the product's own tables.

    seeds.py FOLDER         writes FOLDER/<target>/* and FOLDER/<target>.dict

Of every image only what md reads is taken: superblock, bad-block log, bitmap superblock and the first bits. What libFuzzer
makes of the seeds is minimised and kept in corpus/ (campaign.py); the seeds themselves are not kept."""
import json
import os
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
GOLDEN = os.path.join(ROOT, 'tests/golden')
SUPER, FIXED, ROLES, BITMAP = 4096, 256, 64, 256
BITS_MOST = 8192		# of a bitmap's bytes
SB0_PLACE = 65536
MINORS = {'1.0': 0, '1.1': 1, '1.2': 2}
STILL = 24			# bytes that do not change: worth an entry of their own in a list of patches


def le(fmt, *values):
	return struct.pack('<' + fmt, *values)


class Member:
	"""What md reads of one golden member: a list of (place, bytes)."""

	def __init__(self, folder, facts):
		self.size, self.super, self.areas = facts['size_bytes'], facts.get('superblock'), []
		packed = os.path.join(folder, facts['file'])
		self.raw = subprocess.run(['zstd', '-dcq', packed], check=True, stdout=subprocess.PIPE).stdout
		self.version = str((self.super or {}).get('version', ''))
		self.super_at = (self.super or {}).get('super_pos')
		if self.super_at is None and self.version.startswith('0.90'):
			self.super_at = self.size // SB0_PLACE * SB0_PLACE - SB0_PLACE
		self.bitmap_at = [b['pos'] for b in facts.get('bitmaps') or [] if isinstance(b.get('pos'), int)]
		if self.super_at is not None:
			self.areas.append((self.super_at, self.at(self.super_at, SUPER), FIXED + ROLES))
		for place in self.bitmap_at:
			self.areas.append((place, self.at(place, BITMAP + BITS_MOST), BITMAP))
		log = (self.super or {}).get('bblog_offset')
		if log and self.super_at is not None:
			self.areas.append((self.super_at + log * 512, self.at(self.super_at + log * 512, SUPER), 0))

	def at(self, place, length):
		return self.raw[place:place + length]

	def bitmap(self):
		return self.at(self.bitmap_at[0], BITMAP) if self.bitmap_at else bytes(BITMAP)


def golden():
	"""name -> members, of every set."""
	for name in sorted(os.listdir(GOLDEN)):
		folder = os.path.join(GOLDEN, name)
		path = os.path.join(folder, 'facts.json')
		if os.path.exists(path):
			with open(path, encoding='utf-8') as f:
				yield name, [Member(folder, m) for m in json.load(f)['members']]


def patches(place, data, whole):
	"""Entries of fuzz_examine: @whole bytes of a structure, then stretches of one value, and the bytes between them. Zeroes
	are there already."""
	out, at, start = le('BQI', 1, place, whole) + data[:whole], whole, whole

	def flush(end):
		nonlocal out
		if end > start:
			out += le('BQI', 1, place + start, end - start) + data[start:end]

	while at < len(data):
		end = at
		while end < len(data) and data[end] == data[at]:
			end += 1
		if end - at >= STILL:
			flush(at)
			if data[at]:
				out += le('BQIB', 2, place + at, end - at, data[at])
			start = end
		at = end
	flush(len(data))
	return out


def judge_record(m):
	raw = m.at(m.super_at, SUPER)
	return le('QB7x', m.size, MINORS[m.version]) + raw[:FIXED + ROLES] + m.bitmap()


def seeds_of(name, members):
	"""(target, name, bytes) of one set."""
	ones = [m for m in members if m.version in MINORS]
	for i, m in enumerate(ones):
		raw = m.at(m.super_at, SUPER)
		valid = FIXED + 2 * struct.unpack_from('<I', raw, 220)[0]
		yield 'sb1', f'{name}-{i}', le('QB3xI', m.size, MINORS[m.version], 1) + m.bitmap() + raw[:min(valid, SUPER)]
		log = m.super.get('bblog_offset')
		if m.super.get('feature_map', 0) & 8 and log:
			yield 'bad_blocks', f'{name}-{i}', le('BH', m.super['bblog_shift'], 0) + m.at(m.super_at + log * 512, 512)
	for i, m in enumerate(members):
		if m.version.startswith('0.90'):
			yield 'sb0', f'{name}-{i}', le('Q', m.size) + m.at(m.super_at, SUPER) + m.bitmap()
		for k, place in enumerate(m.bitmap_at):
			head = m.at(place, BITMAP)
			yield 'bitmap_sb', f'{name}-{i}-{k}', head + head[8:24] + le('Q', 77)
			yield 'bitmap_load', f'{name}-{i}-{k}', le('B7xQ', 1, 1 << 20) + m.at(place, 1024)
			yield 'states', f'{name}-{i}-{k}', le('BBHHHBB', 1, 0, 1000, 10, 900, 20, 7) + m.at(place + 1024, 1024)
			yield 'states', f'{name}-{i}-{k}-bits', le('BBHHHBB', 2 * (k % 2), 1, 4096, 100, 4000, 200, 3) + m.at(place + BITMAP, 512)
	if ones:
		records = b''.join(judge_record(m) for m in ones[:4])
		is_cluster = name.startswith(('cm-', 'cl-'))
		for flags in (0, 1, 2) + ((8, 8 + (1 << 5), 8 + (2 << 5), 16) if is_cluster else ()):
			yield 'judge', f'{name}-{flags}', le('BBBB', len(ones[:4]) - 1, flags, 5 * flags & 255, 0x11) + records + bytes(range(0, 90, 3))
	text = b''
	for m in members[:3]:
		text += le('BQ', 0, m.size) + b''.join(patches(*area) for area in m.areas)
	yield 'examine', name, le('BBH', 1, 0, 3) + text
	if members[0].bitmap_at:
		head = members[0].bitmap()
		sectors, chunk = struct.unpack_from('<Q', head, 40)[0], struct.unpack_from('<I', head, 52)[0]
		yield 'examine', f'{name}-external', le('BBHBQQQ', 1, 0, 40, 3, members[0].bitmap_at[0] + BITMAP, chunk, 512 * sectors % 2**64) + text
	if len(members) > 1:
		yield 'examine', f'{name}-compared', le('BBH', 3, 0, 0x8001) + text


BY_HAND = {
	'text': [b'plain', b'\x1b[31mred\x07', 'gr\u00fc\u00df \u2028\u202e\u2066 \U0001f600'.encode(), b'\xff\xc0\x80\xed\xa0\x80', b'"\\\0/',
		 b'53ca4f41:99603381:5570eeb8:8fda5185', b'\xc2\x9b31m\xe2\x80\x8e\xd8\x9c'],
	'control': [json.dumps(o).encode() for o in (
		{'command': 'detail'}, {'command': 'map', 'cells': 16}, {'command': 'map', 'cells': -1}, {'command': 'stop'},
		{'command': 'fail', 'member': '/proc/self/fd/3'}, {'command': 'remove', 'member': 'b\u0000c'},
		{'command': 'add', 'member': 'x', 'force': True}, {'command': 're-add', 'member': 7}, {'command': 'nothing'},
		{'command': ['a', {'b': None}]}, [], 'text', {}, {'command': 'attrs'}, {'command': 'get', 'path': 'dev-member/state'},
		{'command': 'set', 'path': 'sync_action', 'value': 'idle\n'}, {'command': 'set', 'path': 'level', 'value_hex': '72ff00'},
		{'command': 'watch', 'tree': 1, 'paths': [{'path': 'level', 'generation': 0}], 'timeout_ms': 1})] + [b'{"command":"detail"} {}', b'[[[[[[[[[[[[', b'{"command":"\\ud800"}'],
	'sizes': [bytes([verb]) + words for verb in range(13) for words in (
		b'a\0', b'a\0b\0--json\0', b'--bitmap-chunk=64K\0a\0b\0', b'--size\x00010MiB\0--\0-x\0', b'--help\0', b'--cells=7\0--slot\0' b'2\0a\0',
		b'--size=18446744073709551616\0', b'--metadata=1.2\0--uuid=00\0a\0missing\0', b'--fail\0a\0--remove\0b\0--nonsense\0')],
}

NUMBERS = (0, 1, 2, 3, 8, 16, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096, 1 << 16, 1 << 20, 1 << 31, (1 << 31) - 1)
MAGICS = (0xa92b4efc, 0x6d746962)


def token(data):
	return '"' + ''.join(f'\\x{b:02x}' for b in data) + '"'


def binary_dictionary(table):
	"""Values as wide as the fields of a table, little-endian."""
	with open(os.path.join(ROOT, 'src/format', table), encoding='utf-8') as f:
		widths = {int(w) for w in re.findall(r'^F\(\w, \w+, \d+, (\d+),', f.read(), re.MULTILINE)}
	tokens = [token(le('I', m)) for m in MAGICS] + [token(struct.pack('>I', m)) for m in MAGICS]
	for width in sorted(w for w in widths if w in (2, 4, 8)):
		for n in NUMBERS:
			for v in (n, -n):
				tokens.append(token((v % (1 << 8 * width)).to_bytes(width, 'little')))
	return sorted(set(tokens))


def words_of(path, pattern):
	with open(os.path.join(ROOT, path), encoding='utf-8') as f:
		return sorted(set(re.findall(pattern, f.read(), re.M)))


def dictionaries():
	sb1, bitmap = binary_dictionary('sb1.def'), binary_dictionary('bitmap_sb.def')
	yield 'sb1', sb1
	yield 'judge', sorted(set(sb1 + bitmap))
	yield 'examine', sorted(set(sb1 + bitmap))
	yield 'sb0', [t for t in bitmap if len(t) == 4 * 4 + 2]
	yield 'bitmap_sb', bitmap
	yield 'bitmap_load', bitmap
	options = [token(b'--' + w.encode()) for w in words_of('front/cli/commands.def', r'OPTION\("?([a-z-]+)')]
	yield 'sizes', options + [token(w) for w in (b'--', b'=', b'\0', b'K', b'M', b'G', b'T', b'MiB', b'18446744073709551615')]
	paths = [p.replace('*', d) for p in words_of('src/attrs/attrs.def', r'^[A-Z]\([a-z_]+, "([a-z_/*-]+)"') for d in ('ubda', 'ubdb')]
	yield 'attrs', sorted({token(p.encode() + b' ') for p in paths})
	keys = sorted({w for f in ('command', 'tree', 'hand') for w in words_of(f'src/run/{f}.c', r'"([a-z_-]+)"')})
	yield 'control', [token(b'"' + k.encode() + b'"') for k in keys] + [token(w) for w in (b'{', b'}', b'[', b':', b'true', b'null', b'\\u0000')]


def main():
	folder = sys.argv[1]

	def write(target, name, data):
		os.makedirs(os.path.join(folder, target), exist_ok=True)
		with open(os.path.join(folder, target, name), 'wb') as f:
			f.write(data)

	for name, members in golden():
		for target, seed, data in seeds_of(name, members):
			write(target, seed, data)
	for target, inputs in BY_HAND.items():
		for i, data in enumerate(inputs):
			write(target, f'by-hand-{i}', data)
	for target, tokens in dictionaries():
		with open(os.path.join(folder, target + '.dict'), 'w', encoding='utf-8') as f:
			f.write('\n'.join(tokens) + '\n')


main()
