"""Goal:   a name in a superblock cannot drive the terminal of whoever looks at the image.
Method: a name with escape sequences, a bell, bad UTF-8 and a direction mark is put into superblocks by hand (with a right
	checksum), then shown as text and JSON and served; create is asked to store such a name.
Law:    names from images are escaped on terminals and in JSON; they never become a path.
Source: design, "The command line" and "Run-time directory".
"""
import json
import struct

from scene import Scene

HOSTILE = b'\x1b[2J\x07\xff../x\xe2\x80\xaeb"\\\xe2\x80\x8f\xd8\x9c'
MARKS = '\u202e\u200f\u061c'
SUPER_AT, CSUM_AT, NAME_AT, MAX_DEV_AT = 4096, 216, 32, 220


def rename(path, name):
	"""Store @name in the 1.2 superblock of @path and mend the checksum: sum of words, carries folded."""
	with open(path, 'r+b') as f:
		f.seek(SUPER_AT)
		raw = bytearray(f.read(4096))
		raw[NAME_AT:NAME_AT + 32] = name.ljust(32, b'\0')
		raw[CSUM_AT:CSUM_AT + 4] = bytes(4)
		used = 256 + 2 * struct.unpack_from('<I', raw, MAX_DEV_AT)[0]
		total = sum(struct.unpack_from(f'<{used // 4}I', raw))
		if used % 4:
			total += struct.unpack_from('<H', raw, used - 2)[0]
		struct.pack_into('<I', raw, CSUM_AT, ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
		f.seek(SUPER_AT)
		f.write(raw)


def is_quiet(output):
	"""No control bytes but newlines, well-formed UTF-8, no direction marks."""
	try:
		text = output.decode('utf-8')
	except UnicodeDecodeError:
		return False
	return all(c == '\n' or (ord(c) >= 32 and not 0x7f <= ord(c) < 0xa0 and c not in MARKS) for c in text)


with Scene() as s:
	members = [s.image('a'), s.image('b')]
	s.must('create', '--assume-clean', '--name=tame', *members)
	for m in members:
		rename(m, HOSTILE)

	seen = s.json('examine', '--json', *members)
	s.ok(seen['members'][0]['superblock']['checksum_ok'], 'the name was planted with a right checksum')

	run = s.umd('examine', *members, text=False)
	s.ok(run.returncode == 0 and is_quiet(run.stdout), 'examine prints no control bytes', run.stdout)
	s.ok(b'\\x1b[2J\\x07\\xff../x' in run.stdout, 'examine shows the name escaped', run.stdout)
	run = s.umd('examine', '--json', *members, text=False)
	s.ok(is_quiet(run.stdout), 'examine --json prints no control bytes', run.stdout)
	name = json.loads(run.stdout)['members'][0]['superblock']['name']
	s.ok('[2J' in name and '../x' in name, 'the name can still be recognised in JSON', name)
	run = s.umd('map', *members, text=False)
	s.ok(run.returncode == 0 and is_quiet(run.stdout), 'map prints no control bytes', run.stdout)

	run = s.umd('serve', '--background', *members, text=False)
	s.ok(run.returncode == 0 and is_quiet(run.stdout) and is_quiet(run.stderr), 'the array can be served', run.stderr)
	running = s.json('list', '--json')
	s.ok(len(running) == 1 and '/' not in running[0]['name'] and '\x1b' not in running[0]['name'],
		'its run-time name is harmless', running)
	name = running[0]['name']
	s.servers.append(name)
	for verb in (['list'], ['detail'], ['detail', name], ['map', name], ['detail', '--json', name]):
		run = s.umd(*verb, text=False)
		s.ok(run.returncode == 0 and is_quiet(run.stdout), f'{" ".join(verb[:1])} prints no control bytes', run.stdout)
	s.stop(name)

	run = s.umd('create', '--force', b'--name=\x1b[31m', *members, text=False)
	s.ok(is_quiet(run.stdout) and is_quiet(run.stderr), 'create answers a hostile name quietly', run.stdout, run.stderr)
	s.ok(run.returncode in (0, 1), 'create stores such a name or refuses it', run.returncode)
