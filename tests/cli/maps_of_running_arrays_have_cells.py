"""Goal:   a running array's map has as many cells as were asked for, the right counts in them, and says that runs were
        left out only when they were.
Method: a mirror with bits put into its bitmap by hand is served by one member, which clears none; the control socket is
        asked for maps of many sizes; then the other member's absence makes written chunks needed.
Law:    none; a picture must not show what is not there.
Source: control command "map"; a map said "truncated" at exactly 10,000 runs.
"""
import json
import os
import socket

from scene import MIB, Scene

CHUNK, RUNS = 4096, 10000
BITS_AT = 8192 + 256


def ask(s, name, **more):
	with socket.socket(socket.AF_UNIX) as peer:
		peer.connect(os.path.join(s.env['UMD_RUNTIME_DIR'], name, 'control.sock'))
		peer.sendall(json.dumps({'command': 'map', **more}).encode() + b'\n')
		return json.loads(peer.makefile().readline())


def put_bits(path, data):
	with open(path, 'r+b') as f:
		f.seek(BITS_AT)
		f.write(data)


with Scene() as s:
	a, b = s.image('a', 100 * MIB), s.image('b', 100 * MIB)
	s.must('create', '--assume-clean', '--name=home', f'--bitmap-chunk={CHUNK}', a, b)
	put_bits(a, b'\x55' * (RUNS // 4))
	s.serve('home', '--run', a)
	m = ask(s, 'home')
	s.same((len(m['set']), m['set_truncated'], m['runs']), (RUNS, False, RUNS), f'exactly {RUNS} runs: none is left out')
	s.same(len(m['cells']), -(-m['chunks'] // m['cell_chunks']), 'as many cells as cover the chunks')
	s.ok(len(m['cells']) <= 1024, 'at most 1024 when nothing is asked for', len(m['cells']))
	for cells in (1, 7, 1000, 65536):
		m = ask(s, 'home', cells=cells)
		size = m['cell_chunks']
		wanted = [sum(1 for c in range(k * size, min((k + 1) * size, 2 * RUNS), 1) if c % 2 == 0) for k in range(len(m['cells']))]
		s.same((len(m['cells']) <= cells, m['cells']), (True, wanted), f'{cells} cells: each has its chunks')
		s.same(m['set_chunks'], sum(m['cells']), 'and they add up')
	for bad in (0, 65537, -3, 'many'):
		error = ask(s, 'home', cells=bad).get('error', {})
		s.same(error.get('code'), 'BAD_OPTION', f'{bad} cells are refused')
	s.stop('home')

	put_bits(a, b'\x55' * (RUNS // 4) + b'\x01')
	disk = s.connect(s.serve('home', '--run', a))
	m = ask(s, 'home')
	s.same((len(m['set']), m['set_truncated'], m['runs']), (RUNS, True, None), 'one run more: it is said that there are more')
	disk.pwrite(b'x' * CHUNK, 22000 * CHUNK)
	m = ask(s, 'home', cells=10)
	s.ok(m['needed_cells'][22000 // m['cell_chunks']] >= 1, 'a chunk written while a member is away is needed', m['needed_cells'])
	s.ok([22000, 22000] in m['needed'] or m['needed_truncated'], 'and among the runs', m['needed'][-3:])
	s.same(m['cells'][22000 // m['cell_chunks']], 1, 'its bit is counted')
	s.stop('home')
