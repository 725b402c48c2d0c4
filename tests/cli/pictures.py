"""What tests of pictures share: bitmaps with known bits on members, and readers of SVG and PNG that know no umd code."""
import json
import re
import struct
import subprocess
import xml.etree.ElementTree
import zlib

SVG = '{http://www.w3.org/2000/svg}'
SUPERBLOCK_BYTES = 256
LSAN = 'leak:libfontconfig'	# what fontconfig keeps for itself is not umd's


def set_bits(s, path, chunks):
	"""Write the bits of @chunks, and no others, into the bitmap of a member."""
	bitmap = json.loads(s.must('examine', '--json', path).stdout)['members'][0]['bitmaps'][0]
	bits = bytearray(-(-bitmap['chunks'] // 8))
	for chunk in chunks:
		bits[chunk // 8] |= 1 << chunk % 8
	with open(path, 'r+b') as f:
		f.seek(bitmap['offset_bytes'] + SUPERBLOCK_BYTES)
		f.write(bits)


def mirror(s, size, chunk, *names, **bits):
	"""Members of a new mirror; bits: the set chunks of each by name."""
	paths = [s.image(name, size) for name in names]
	s.must('create', '--assume-clean', '--name=home', f'--bitmap-chunk={chunk}', *paths)
	for name, path in zip(names, paths):
		set_bits(s, path, bits.get(name, []))
	return paths


def golden(s, folder, name, to):
	path = s.path(to)
	subprocess.run(['zstd', '-q', '-d', '-f', f'{folder}/{name}.zst', '-o', path], check=True)
	return path


def svg_cells(text):
	"""(first chunk, last chunk, words, ink, centre) of every cell, in the order of the file."""
	cells = []
	for group in xml.etree.ElementTree.fromstring(text).iter(SVG + 'g'):
		for path in group.findall(SVG + 'path'):
			title = path.find(SVG + 'title')
			if title is None:
				continue	# the legend
			first, last, words = re.fullmatch(r'chunks? (\d+)(?:-(\d+) \(\d+\))?: (.*)', title.text).groups()
			x, y, size = map(float, re.match(r'M([\d.]+) ([\d.]+)h([\d.]+)', path.get('d')).groups())
			cells.append((int(first), int(last or first), words, group.get('class'), (x + size / 2, y + size / 2)))
	return cells


def svg_colours(text):
	"""The colours of inks on light paper."""
	light = text.split('@media')[0]
	return {ink: tuple(bytes.fromhex(rgb)) for ink, rgb in re.findall(r'\.(i\d+){fill:#([0-9a-f]{6})}', light)}


class Png:
	"""8-bit RGB or RGBA, not interlaced, which is what cairo writes."""

	def __init__(self, data):
		assert data[:8] == b'\x89PNG\r\n\x1a\n', data[:16]
		self.width, self.height, depth, kind, _, _, interlace = struct.unpack('>IIBBBBB', data[16:29])
		assert depth == 8 and kind in (2, 6) and interlace == 0
		packed, at = b'', 8
		while at < len(data):
			length, name = struct.unpack('>I4s', data[at:at + 8])
			assert struct.unpack('>I', data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(data[at + 4:at + 8 + length])
			if name == b'IDAT':
				packed += data[at + 8:at + 8 + length]
			at += 12 + length
		self.step = 3 if kind == 2 else 4
		self.rows = self.unfilter(zlib.decompress(packed))

	def unfilter(self, raw):
		size, step = self.width * self.step, self.step
		rows, above = [], bytearray(size)
		for y in range(self.height):
			kind, row = raw[y * (size + 1)], bytearray(raw[y * (size + 1) + 1:(y + 1) * (size + 1)])
			if kind == 2:
				row = bytearray((a + b) & 255 for a, b in zip(row, above))
			elif kind:
				for i in range(size):
					left = row[i - step] if i >= step else 0
					up, corner = above[i], above[i - step] if i >= step else 0
					row[i] = (row[i] + self.guess(kind, left, up, corner)) & 255
			rows.append(row)
			above = row
		return rows

	@staticmethod
	def guess(kind, left, up, corner):
		if kind == 1:
			return left
		if kind == 3:
			return (left + up) // 2
		p = left + up - corner
		return min((left, up, corner), key=lambda v: abs(p - v))

	def at(self, x, y):
		return tuple(self.rows[y][x * self.step:x * self.step + 3])
