"""Goal:   whatever arrives on the control socket about attributes, the array's state is what it was, and the next is answered.
Method: requests of wrong types, broken, oversized, cut off, with descriptors that are no members, from slow readers and by
	the thousand; every attribute's value is compared before and after, of an array that does not run and of one that does.
Law:    a refused request changes nothing.
Source: issue 5, "bad input"; design, "requests on the control socket are length-capped".
"""
import json
import os
import random
import select
import socket
import time

from external import NAME, External
from scene import Scene

PATHS = ['', '/', '..', 'array_state/', '/array_state', 'array_state\0', 'dev-a.img', 'dev-nobody/state', 'dev-/state', 'bitmap',
	'bitmap/..', 'umd/', 'x' * 300, 'dev-' + 'x' * 5000 + '/state', '\x1b[2J', '\u202e', 'array_state ', 'ARRAY_STATE']
VALUES = ['nonsense', 'x' * 4096, 'x' * 4097, 'x' * 100000, 'active\0', '\0', '\x1b', ' active', 'active ', 'active\n\n', '-1', '+', '-',
	'18446744073709551616', '99999999999999999999999999', '0x10', '1e9', '1.5.5', '\u00e9', '\ud7ff', '1\n2', 'external:' + 'x' * 17]
BAD_OBJECTS = [
	{'command': 'get'}, {'command': 'get', 'path': 7}, {'command': 'get', 'path': None}, {'command': 'get', 'path': ['level']},
	{'command': 'set'}, {'command': 'set', 'path': 'level'}, {'command': 'set', 'path': 'level', 'value': 1},
	{'command': 'set', 'path': 'level', 'value': None}, {'command': 'set', 'path': 'level', 'value': {'a': 1}},
	{'command': 'set', 'path': {}, 'value': 'raid1'}, {'command': 'set', 'value': 'raid1'},
	{'command': 'set', 'path': 'level', 'value_hex': 'zz'}, {'command': 'set', 'path': 'level', 'value_hex': '123'},
	{'command': 'set', 'path': 'level', 'value_hex': 'ff' * 5000}, {'command': 'set', 'path': 'level', 'value_hex': 7},
	{'command': 'set', 'path': 'level', 'value_hex': 'ffff'}, {'command': 'set', 'path': 'level', 'value_hex': '00'},
	{'command': 'watch', 'paths': 'level'}, {'command': 'watch', 'paths': {}}, {'command': 'watch', 'paths': [7]},
	{'command': 'watch', 'paths': ['level']}, {'command': 'watch', 'paths': [{'path': 'level', 'generation': -1}]},
	{'command': 'watch', 'paths': [{'path': 'level', 'generation': 'x'}]}, {'command': 'watch', 'paths': [{'generation': 1}]},
	{'command': 'watch', 'timeout_ms': -1}, {'command': 'watch', 'timeout_ms': 'long'}, {'command': 'watch', 'timeout_ms': 10**12},
	{'command': 'watch', 'tree': {}}, {'command': 'watch', 'paths': [None] * 5000},
	{'command': 'set', 'path': 'new_dev', 'value': '/dev/null'}, {'command': 'set', 'path': 'new_dev', 'value': '/nowhere'},
	{'command': 'set', 'path': 'new_dev', 'value': '0:0'}, {'command': 'set', 'path': 'new_dev', 'value': '4095:1048575'},
	{'command': 'set', 'path': 'new_dev', 'value': 'relative'}, {'command': 'manage'}, {'command': ''}, {'command': 'x' * 1000},
]


def values(x):
	return {p: x.get(p) for p, a in x.tree.names().items() if a['mode'] != '0200' and not a.get('link_to') and a['supported'] and
		'sync_speed' not in p}


def ask(x, raw, fd=None):
	"""One line as it is, on a connection of its own; the answer, b'' when there is none."""
	line = x.tree.connect()
	try:
		if fd is None:
			line.sendall(raw)
		else:
			socket.send_fds(line, [raw], [fd])
		line.shutdown(socket.SHUT_WR)
		got = b''
		while (piece := line.recv(65536)):
			got += piece
		return got
	except OSError:
		return b''
	finally:
		line.close()


def is_refused(answer):
	try:
		return 'error' in json.loads(answer) and json.loads(answer)['error']['message'] != ''
	except ValueError:
		return False


def attack(s, x, what):
	before = values(x)

	for bad in BAD_OBJECTS:
		answer = ask(x, json.dumps(bad).encode() + b'\n')
		s.ok(is_refused(answer), f'{what}: refused: {json.dumps(bad)[:90]}', answer[:200])
	s.same(values(x), before, f'{what}: and nothing has changed')

	wrong = [p for p in PATHS for request in ({'command': 'get', 'path': p}, {'command': 'set', 'path': p, 'value': 'active'})
		if not is_refused(ask(x, json.dumps(request).encode() + b'\n'))]
	s.same(wrong, [], f'{what}: paths that lead nowhere are refused, to read and to write')
	s.same(values(x), before, f'{what}: and nothing has changed')

	harmless = b'{"command":"get","path":"level"}\n'
	for raw, text in ((b'{"command":"set","path":"level","value":"raid5"', 'a line that does not end'),
			(b'{"command":"set","path":"level","value":"raid5"}garbage\n', 'text behind the object'),
			(b'{"command":"set","path":"level","value":"raid5\xff\xfe"}\n', 'bytes that are no text'),
			(b'[{"command":"set","path":"level","value":"raid5"}]\n', 'a list'),
			(b'{"command":"set","path":"level","value":"' + b'x' * 300000 + b'"}\n', 'a line too long'),
			(b'\0' * 5000 + b'\n', 'zeroes'), (b'{' * 5000 + b'\n', 'nesting')):
		ask(x, raw)
		s.ok(values(x) == before and b'"value"' in ask(x, harmless), f'{what}: {text} changes nothing, and others are answered')

	# A spoilt watch may be a good one, which waits.
	noise, grounds = random.Random(5), [o for o in BAD_OBJECTS if o['command'] != 'watch']
	for _ in range(300):
		raw = bytearray(json.dumps(noise.choice(grounds)).encode() + b'\n')
		for _ in range(noise.randrange(1, 4)):
			raw[noise.randrange(len(raw) - 1)] = noise.randrange(256)
		ask(x, bytes(raw))
	s.same(values(x), before, f'{what}: three hundred requests with spoilt bytes change nothing')

	wrong = []
	for path, a in list(x.tree.names().items()):
		if a['mode'] == '0444' or path == 'bitmap_set_bits':	# which goes on by itself where it is accepted
			continue
		for value in noise.sample(VALUES, 6):
			now = values(x)
			answer = ask(x, json.dumps({'command': 'set', 'path': path, 'value': value}).encode() + b'\n')
			if not answer or (is_refused(answer) and values(x) != now):
				wrong.append((path, value, answer))
	s.same(wrong, [], f'{what}: every odd value of every attribute is answered, and where it is refused nothing has changed')


with Scene() as s:
	x = External(s)
	attack(s, x, 'clear')
	x.set('array_state', 'clear')
	x.set_up()
	s.same(x.get('level'), 'raid1', 'it can be set up after all that')
	x.start()
	attack(s, x, 'running')
	s.ok(s.json('detail', '--json', NAME)['size_bytes'] > 0, 'the array runs')

	# ---- descriptors that are no members ----
	before = values(x)
	text = s.path('small')
	open(text, 'w').write('x')
	pipe = os.pipe()
	read_only = os.open(s.image('c.img'), os.O_RDONLY)
	for fd, why in ((os.open(text, os.O_WRONLY), 'write-only'), (pipe[0], 'a pipe'), (read_only, 'read-only'),
			(os.open('/', os.O_RDONLY), 'a folder'), (os.open('/dev/null', os.O_RDWR), 'a character device'),
			(os.open(x.members[0].path, os.O_RDWR), 'a member already')):
		answer = ask(x, b'{"command":"set","path":"new_dev","value":"/tmp/x"}\n', fd)
		s.ok(is_refused(answer), f'a descriptor that is {why} is refused', answer)
		os.close(fd)
	s.same(values(x), before, 'and nothing has changed')
	count = len(os.listdir(f'/proc/{s.json("detail", "--json", NAME)["pid"]}/fd'))
	for _ in range(50):
		ask(x, b'{"command":"get","path":"level"}\n', pipe[1])
		ask(x, b'{"command":"set","path":"level"', pipe[1])
		ask(x, b'{"command":"set","path":"level","value":"raid1"}\n', pipe[1])
	s.ok(len(os.listdir(f'/proc/{s.json("detail", "--json", NAME)["pid"]}/fd')) <= count + 2, 'no descriptor stays open')

	# ---- slow readers, and those who say nothing ----
	slow = x.tree.connect()
	slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	slow.setblocking(False)
	try:
		while True:
			slow.send(b'{"command":"attrs"}\n' * 100)
	except BlockingIOError:
		pass
	idle = [x.tree.connect() for _ in range(100)]
	begun = time.monotonic()
	s.ok(s.must('get', NAME, 'level').stdout == 'raid1\n' and time.monotonic() - begun < 5,
		'one who does not read, and a hundred who say nothing, keep nobody waiting')
	slow.setblocking(True)
	slow.settimeout(20)
	got = b'x'
	while got:
		try:
			got = slow.recv(1 << 20)
		except ConnectionError:
			break
	s.ok(select.select([slow], [], [], 0)[0], 'who does not read is sent away')
	for line in (slow, *idle):
		line.close()
	x.tree.line = x.tree.connect()		# it was quiet, too
	s.same(values(x), before, 'and nothing has changed')
