"""Goal:   the picture of a bitmap is the bitmap: every glyph stands for the chunks it says, in every style.
Method: members whose bitmaps were written bit by bit here are drawn; text is compared character by character. --raw is
	compared with the bytes on the member, --diff with what was written apart.
Law:    I7 (looking changes no byte); equal maps are drawn once; away from a terminal there is no escape sequence.
Source: design, "map".
"""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from pictures import golden, mirror, set_bits
from scene import MIB, Scene

CHUNK = 64 * 1024
SET = [0, 3, 4, 5, 130]
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../golden')

WHOLE = '''{title}
         0 B  █··███··························
     2.0 MiB  · all clean for 3 rows
     8.0 MiB  ··█·····························
    10.0 MiB  · all clean for 11 rows
  496 chunks of 64.0 KiB: 5 set
  one character = 1 chunk
  the array was stopped cleanly
  · clean   █ set
'''


def on_terminal(s, columns, *args, **env):
	"""What the tool writes on a terminal of so many columns."""
	master, slave = pty.openpty()
	fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 50, columns, 0, 0))
	process = subprocess.Popen([s.tool, *args], env={**s.env, **env}, stdin=subprocess.DEVNULL, stdout=slave)
	os.close(slave)
	output = b''
	try:
		while piece := os.read(master, 4096):
			output += piece
	except OSError:
		pass		# a terminal whose last user has gone
	os.close(master)
	process.wait()
	return output.decode().replace('\r\n', '\n')


with Scene() as s:
	a, b = mirror(s, 32 * MIB, CHUNK, 'a', 'b', a=SET, b=SET)
	before = s.sums(a, b)
	s.same(s.must('map', '--width=32', a, b).stdout, WHOLE.format(title=f'{a}, {b}'), 'a known bitmap is drawn exactly')
	plain = s.must('map', '--width=32', '--style=ascii', a).stdout
	s.same(plain, WHOLE.format(title=a).replace('·', '.').replace('█', '#'), 'ASCII says the same')
	dots = s.must('map', '--width=32', '--style=braille', a).stdout
	s.ok(f'{"0 B":>12}  │\u2859\u2800' in dots and 'one dot = 1 chunk' in dots, 'braille has a dot for each set chunk', dots)
	s.env['LC_ALL'] = 'C'
	s.same(s.must('map', '--width=32', a).stdout, plain, 'without UTF-8 the picture is ASCII')
	s.env['LC_ALL'] = 'C.UTF-8'

	set_bits(s, b, [0, 3, 77])
	two = s.must('map', '--width=64', a, b).stdout
	s.ok(f'{a}\n' in two and f'\n{b}\n' in two and ': 5 set' in two and ': 3 set' in two and two.count('· clean') == 1,
		'maps that differ are drawn each, with one legend', two)
	s.refused(s.umd('map', 'absent.img'), 1, ['"absent.img"', 'no file of that name'], 'a word that is neither array nor file is told to be neither')
	diff = s.must('map', '--diff', a, b).stdout
	s.ok(f'a = {a}, b = {b}\n' in diff and ': 2 set in both, 3 only in a, 1 only in b\n' in diff, 'a difference is counted', diff)
	s.ok(f'{"0 B":>12}  █··█aa··' in diff and '·············b··' in diff, 'and drawn in its place', diff)
	found = s.json('map', '--diff', '--json', a, b)['difference']
	s.same((found['only_a_chunks'], found['only_b_chunks']), (3, 1), '--json counts the same')
	s.ok('the maps are equal' in s.must('map', '--diff', a, a).stdout, 'a map does not differ from itself')

	with open(a, 'rb') as f:
		f.seek(s.json('examine', '--json', a)['members'][0]['bitmaps'][0]['offset_bytes'] + 256)
		bits = f.read(496 // 8)
	s.same(s.umd('map', '--raw', '-', a, text=False).stdout, bits, '--raw has the bytes of the bitmap')
	s.must('map', '--raw=bits', a)
	s.same(open(s.path('bits'), 'rb').read(), bits, 'also into a file')
	s.refused(s.umd('map', '--raw=bits', b), 1, ['bits', 'is not empty'], 'which is not overwritten')
	s.refused(s.umd('map', '--svg', a, b), 1, [a, 'no SVG'], 'a member is not overwritten by a picture of the other one')
	s.refused(s.umd('map', '--raw=x/y', a), 1, ['x/y', 'No such file'], 'a file that cannot be made is one sentence')
	there = sorted(os.listdir(s.dir))
	s.refused(s.umd('map', '--raw=new', '--slot=1', a), 1, ['slot 1'], 'a slot that is not there is one sentence')
	s.same(sorted(os.listdir(s.dir)), there, 'and leaves nothing')
	set_bits(s, b, [0, 4, 5, 8, 9, 10, 12, 13, 14, 15])
	shades = s.must('map', '--width=8', b).stdout
	s.ok(f'{"0 B":>12}  ░▒▓█····\n' in shades and 'one character = 4 chunks = 256.0 KiB' in shades and
		'░▒▓█ set: some, more, most, all' in shades, 'one, two, three and four of four chunks are told apart', shades)
	set_bits(s, b, SET)
	s.same(s.sums(a, b), before, 'no byte of a member has changed')

	for words, *args in ((['--json', '--svg'], '--json', '--svg=x', a), (['--raw', 'one member'], '--raw=x', a, b),
			     (['--slot', '--raw'], '--slot=1', a), (['--interval', '--watch'], '--interval=2', a),
			     (['--style', '"round"'], '--style=round', a), (['--watch', '--svg'], '--watch', '--svg=x', a),
			     (['--diff', '--watch'], '--diff', '--watch', a)):
		s.refused(s.umd('map', *args), 2, words, 'contradiction: ' + ' '.join(args[:2]).replace(s.dir, ''))
	s.refused(s.umd('map', '--watch', a), 1, ['--watch', 'an image'], 'an image is not watched')
	s.refused(s.umd('map', '--diff', a), 1, ['two'], 'one map is no difference')
	s.refused(s.umd('map', 'nobody'), 1, ['nobody'], 'who neither runs nor exists is one sentence')

	lockless = golden(s, GOLDEN + '/new-r1-ll-crash', 'member0.img', 'lockless')
	states = s.json('map', '--json', lockless)['maps'][0]['states']
	text = s.must('map', lockless).stdout
	s.ok(states['dirty'] > 0 and f': {states["clean"]} written and clean, {states["dirty"]} dirty\n' in text and '○ written' in text,
		'a lockless bitmap shows its states', text, states)
	s.ok('note on ' + lockless in text and 'bad-block log' in text, 'and what is odd about the member', text)
	fresh = golden(s, GOLDEN + '/new-r1-ll-fresh-assume-clean', 'member0.img', 'fresh')
	text = s.must('map', fresh).stdout
	s.ok(text.startswith(fresh + ' has no bitmap to draw\nnote on ' + fresh), 'one that was never started has no picture', text)
	nodes = [golden(s, GOLDEN + '/cm-c02-both-dirty', f'{m}.img', m + '.img') for m in 'ab']
	text = s.must('map', '--width=128', *nodes).stdout
	s.ok(text.startswith(f'{nodes[0]}, {nodes[1]}\nslot 0\n') and all(f'\nslot {n}\n' in text for n in range(4)),
		'four slots are four panels, each with its owners once', text)
	s.ok(text.count('1008 chunks of 64.0 KiB: 16 set') == 2 and text.count(': 0 set') == 2, 'with their counts', text)
	wide = on_terminal(s, 200, 'map', *nodes)
	s.ok(re.search(r'\nslot 0 +slot 1 +slot 2 +slot 3\n', wide), 'side by side where the terminal is wide enough', wide)
	s.ok(f'{"0 B":>12}  \033[0;33m████████\033[0;2m···' in wide and 'one character = 2 chunks' in wide, 'and coarser there', wide)
	narrow = on_terminal(s, 100, 'map', *nodes)
	s.ok(re.search(r'\nslot 0 +slot 1\n.*\nslot 2 +slot 3\n', narrow, re.S), 'two by two where it is not', narrow)
	s.ok('\033' not in on_terminal(s, 80, 'map', *nodes, NO_COLOR='1'), 'NO_COLOR is heard')
	s.same(s.umd('map', '--raw=-', '--slot=1', nodes[0], text=False).stdout[63:66], b'\0\xff\xff', 'a slot has its own bits')
