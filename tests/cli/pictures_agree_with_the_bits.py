"""Goal:   SVG and PNG show the bitmap: each cell has the colour of what its chunks are.
Method: bitmaps written bit by bit; the SVG is parsed and its cells counted against the bits; the PNG is decoded here and
	sampled in the middle of every cell of the SVG. Names that are hostile to XML, and bitmaps of 1 and of 2^26 chunks.
Law:    both are made from one model; a file is there complete or not at all.
Source: design, "map"; the PNG specification.
"""
import os
import xml.etree.ElementTree

from pictures import LSAN, SVG, Png, golden, mirror, svg_cells, svg_colours
from scene import MIB, Scene

CHUNK = 4096
SET = set(range(100, 164)) | {0, 777, 778, 4000}
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../golden')


def both(s, name, *members, **more):
	s.must('map', f'--svg={name}.svg', f'--png={name}.png', *members, **more)
	with open(s.path(name + '.svg'), encoding='utf-8') as svg, open(s.path(name + '.png'), 'rb') as png:
		return svg.read(), Png(png.read())


def check(s, svg, png, chunks, bits, what):
	cells = svg_cells(svg)
	s.same((cells[0][0], cells[-1][1]), (0, chunks - 1), what + ': the cells begin and end with the bitmap')
	s.same([c[0] for c in cells[1:]], [c[1] + 1 for c in cells[:-1]], what + ': no chunk is left out or drawn twice')
	s.same([c[2] for c in cells], [f'{len(bits & set(range(c[0], c[1] + 1)))} set' for c in cells], what + ': every cell counts its bits')
	colours = svg_colours(svg)
	s.same([c for c in cells if png.at(int(2 * c[4][0]), int(2 * c[4][1])) != colours[c[3]]], [],
		f'{what}: the PNG has the colour of the SVG in all {len(cells)} cells')
	s.ok(len({c[4][0] for c in cells}) <= 64 and len({c[4][1] for c in cells}) <= 16, what + ': cells stand in rows and columns')
	return cells


with Scene() as s:
	with open(s.path('lsan'), 'w', encoding='ascii') as f:
		f.write(LSAN)
	s.env['LSAN_OPTIONS'] = 'suppressions=' + s.path('lsan')
	a, b = mirror(s, 32 * MIB, CHUNK, 'a', 'b', a=SET, b=SET)
	chunks = s.json('map', '--json', a)['maps'][0]['chunks']
	svg, png = both(s, 'two', a, b)
	cells = check(s, svg, png, chunks, SET, 'a mirror')
	full = next(c for c in cells if c[0] <= 104 and c[1] >= 108)
	empty = next(c for c in cells if c[2] == '0 set')
	some = next(c for c in cells if c[2] == '1 set')
	s.same(len({full[3], empty[3], some[3]}), 3, 'all, some and none have colours of their own')
	root = xml.etree.ElementTree.fromstring(svg)
	texts = [t.text for t in root.iter(SVG + 'text')]
	s.ok(any('chunks of 4.0 KiB: 68 set' in t for t in texts) and any(t.startswith('one cell = ') for t in texts) and 'clean' in texts,
		'counts, scale and legend are there', texts)
	s.ok('prefers-color-scheme:dark' in svg and 'href' not in svg and '<script' not in svg, 'it stands alone, on light and dark paper')
	s.same(s.must('map', '--svg=-', a, b).stdout, svg, 'stdout gets the same SVG')
	s.same(sorted(os.listdir(s.dir)), ['a', 'b', 'lsan', 'two.png', 'two.svg'], 'no temporary file stays')

	one = s.image('one', 2 * MIB)
	s.must('create', '--assume-clean', '--bitmap-chunk=64M', one, 'missing')
	svg, png = both(s, 'tiny', one)
	check(s, svg, png, 1, set(), 'one chunk')

	hostile = s.image('<&>"\'\u202e]]>\x01' + 'x' * 200, 2 * MIB)
	s.must('create', '--assume-clean', '--bitmap-chunk=64K', hostile, 'missing')
	svg, png = both(s, 'hostile', hostile)
	title = xml.etree.ElementTree.fromstring(svg).find(SVG + 'title').text
	s.ok(title.startswith(s.dir) and '<&>"\'' in title and '\u202e' not in title and '\x01' not in title,
		'a hostile name is escaped and readable', repr(title))

	# ---- names that do not fit beside each other ----

	long = [os.rename(old, new) or new for old, new in ((a, s.path('a' * 25)), (b, s.path('b' * 25)))]
	s.must('map', '--diff', '--svg=diff.svg', *long)
	texts = [t.text for t in xml.etree.ElementTree.parse(s.path('diff.svg')).getroot().iter(SVG + 'text')]
	s.same(texts[:2], [f'a = {long[0]}', f'b = {long[1]}'], 'two long names stand below each other, whole')
	s.must('map', '--svg=many.svg', *long * 50)
	texts = [t.text for t in xml.etree.ElementTree.parse(s.path('many.svg')).getroot().iter(SVG + 'text')]
	s.same(texts[:4], [long[0], long[1], long[0] + ', …', '0 B'], 'a hundred take three lines')
	os.rename(long[0], a := s.path('a' * 90))
	s.must('map', '--diff', '--svg=diff.svg', a, long[1])
	texts = [t.text for t in xml.etree.ElementTree.parse(s.path('diff.svg')).getroot().iter(SVG + 'text')]
	s.ok(texts[0].startswith('a = …aaa') and texts[1] == f'b = {long[1]}', 'a cut name still has its letter', texts[:2])

	nodes = [golden(s, GOLDEN + '/cm-c02-both-dirty', f'{m}.img', m + '.img') for m in 'ab']
	svg, png = both(s, 'nodes', *nodes)
	cells = svg_cells(svg)
	s.same((sum(c[0] == 0 for c in cells), sum(c[1] == 1007 for c in cells), sum(int(c[2].split()[0]) for c in cells)), (4, 4, 32),
		'four slots are four panels, each from its first chunk to its last')
	colours = svg_colours(svg)
	s.same([c for c in cells if png.at(int(2 * c[4][0]), int(2 * c[4][1])) != colours[c[3]]], [], 'in the PNG as well')

	s.must('map', '--svg=two.svg', *nodes)
	s.ok('slot 3' in open(s.path('two.svg'), encoding='utf-8').read(), 'an older picture is replaced')
	s.refused(s.umd('map', '--png=two.svg', a), 1, ['two.svg', 'no PNG'], 'a file of another kind is not')
	s.refused(s.umd('map', '--svg=.', a), 1, ['.', 'directory'], 'nor is a directory')
	s.refused(s.umd('map', '--svg=none/two.svg', a), 1, ['none/two.svg', 'No such file'], 'a missing folder is one sentence')
	s.refused(s.umd('map', '--svg=new.svg', s.path('absent')), 1, ['absent'], 'without a map')
	s.ok(not os.path.exists(s.path('new.svg')), 'there is no picture')
	s.refused(s.umd('map', '--svg=/dev/full', a), 1, ['/dev/full', 'No space'], 'a full disk is told')
