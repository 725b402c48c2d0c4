"""Goal:   a file that cannot be the array's bitmap is refused in one sentence, and no byte of anything changes.
Method: every kind of odd file given to serve --bitmap, create --bitmap and umd's memory; sums before and after.
Law:    I7: nothing is written that was not asked for; I9: every state gets a reason.
Source: a bitmap file is regular, begins with a bitmap superblock of the array's uuid that covers the array, and is long enough
	for all of its bits; its events are at most two above the array's.
"""
import os
import struct
import subprocess

from scene import Scene


def change(s, at, value):
	raw = bytearray(open(s.path('map.bm'), 'rb').read())
	raw[at:at + len(value)] = value
	with open(s.path('odd.bm'), 'wb') as f:
		f.write(raw)


def refuse(s, members, words, text, file='odd.bm', status=1, options=()):
	there = [*members, s.path('map.bm')] + ([s.path('odd.bm')] if os.path.isfile(s.path('odd.bm')) else [])
	before = s.sums(*there)
	s.refused(s.umd('serve', '--background', '--name', 'home', f'--bitmap={file}', *options, *members), status, words, text)
	s.same(s.sums(*there), before, f'{text}: nothing was written')
	s.ok(not os.path.exists(s.path('run/home')), f'{text}: nothing is left')


def u64(n):
	return struct.pack('<Q', n)


def check_content(s, members):
	raw = open(s.path('map.bm'), 'rb').read()
	with open(s.path('odd.bm'), 'wb') as f:
		f.write(raw[:-1])
	refuse(s, members, [str(len(raw) - 1), str(len(raw))], 'one byte too short: both lengths')
	with open(s.path('odd.bm'), 'wb') as f:
		f.write(raw[:100])
	refuse(s, members, ['odd.bm'], 'shorter than a superblock')
	open(s.path('odd.bm'), 'wb').close()
	refuse(s, members, ['odd.bm'], 'empty')
	with open(s.path('odd.bm'), 'wb') as f:
		f.write(os.urandom(8192))
	refuse(s, members, ['odd.bm', 'bitmap superblock'], 'no superblock')
	change(s, 8, b'\1' * 16)
	refuse(s, members, ['01010101:01010101:01010101:01010101', 'odd.bm'], 'another array\'s: both uuids')
	change(s, 24, u64(1000))
	refuse(s, members, ['event 1000', 'event 0', '--bitmap=none'], 'far ahead of the array: both events')
	change(s, 40, u64(1 << 14))
	refuse(s, members, ['sectors'], 'covers another array size')
	change(s, 4, struct.pack('<I', 7))
	refuse(s, members, ['version'], 'an unknown version')
	change(s, 52, struct.pack('<I', 3000))
	refuse(s, members, ['3000'], 'an odd chunk size')
	change(s, 4, struct.pack('<I', 6))
	refuse(s, members, ['odd.bm'], 'a lockless one')


def check_kind(s, members):
	os.remove(s.path('odd.bm'))
	os.mkdir(s.path('odd.bm'))
	refuse(s, members, ['directory'], 'a directory')
	os.rmdir(s.path('odd.bm'))
	os.mkfifo(s.path('odd.bm'))
	refuse(s, members, ['regular file'], 'a pipe')
	os.remove(s.path('odd.bm'))
	refuse(s, members, ['odd.bm', 'No such file'], 'not there')
	refuse(s, members, ['/dev/null', 'regular file'], 'a device', file='/dev/null')
	refuse(s, members, ['member'], 'a member', file=members[0])
	os.link(members[0], s.path('linked.bm'))
	refuse(s, members, ['member'], 'a member by another name', file='linked.bm')
	os.symlink(s.path('odd.bm'), s.path('odd.bm'))
	refuse(s, members, ['odd.bm'], 'a link to itself')
	os.remove(s.path('odd.bm'))
	s.refused(s.umd('serve', *members, s.path('map.bm')), 1, ['bitmap file', '--bitmap'], 'among the members')


def check_in_use(s, members):
	other = [s.image('c.img'), s.image('d.img')]
	s.serve('home', '--bitmap=map.bm', *members)
	s.refused(s.umd('create', '--bitmap=map.bm', *other), 1, ['map.bm'], 'create over a file in use')
	s.refused(s.umd('create', '--bitmap=map.bm', '--force', *other), 1, ['map.bm', 'in use'],
		'create --force over a file in use')
	s.same(s.sums(*other)[0], s.sums(*other)[1], 'no superblock was written')
	s.refused(s.umd('manage', 'home', '--add', 'map.bm'), 1, ['map.bm'], 'it is not added as a member')
	s.stop('home')


def check_create(s):
	other = [s.image('c.img'), s.image('d.img')]
	before = s.sums(*other)
	s.refused(s.umd('create', '--bitmap=clusterd', *other), 1, ['clusterd', 'dot'], 'a word that is no file name')
	s.refused(s.umd('create', '--bitmap=nowhere/map', *other), 1, ['nowhere/map'], 'a folder that is not there')
	s.refused(s.umd('create', '--bitmap=./map.bm', *other), 1, ['map.bm', '--force'], 'a file that is there')
	s.refused(s.umd('create', '--bitmap=./new.bm', '--bitmap-chunk=3000', *other), 1, ['3000'], 'odd chunks')
	s.refused(s.umd('create', '--bitmap=./new.bm', '--bitmap-chunk=1K', *other), 1, ['1024'], 'chunks too small')
	s.umd('create', '--bitmap=./new.bm', '--dry-run', *other)
	s.same(s.sums(*other), before, 'nothing was written on members')
	s.ok(not os.path.exists(s.path('new.bm')), 'and no file was made')


def check_memory(s, members):
	s.must('serve', '--background', '--name', 'home', '--bitmap=map.bm', *members)
	s.must('stop', 'home')
	path = s.path('state/bitmap-files')
	text = open(path).read()
	for odd, what in (('{', 'half an object'), ('[1]', 'a list'), ('', 'nothing'), ('\0\1', 'binary')):
		with open(path, 'w') as f:
			f.write(odd)
		s.refused(s.umd('serve', *members), 1, ['memory', 'bitmap-files'], f'a memory of {what}')
		s.same(open(path).read(), odd, f'a memory of {what} stays as it is')
	with open(path, 'w') as f:
		f.write(text)
	os.chmod(s.path('state'), 0o755)
	s.refused(s.umd('serve', *members), 1, ['0755', '0700'], 'a memory that others can read')
	s.refused(s.umd('serve', '--bitmap=map.bm', *members), 1, ['0700'], 'and it is not written either')
	os.chmod(s.path('state'), 0o700)
	hostile = s.path('a\033[31m\nb.bm')
	os.rename(s.path('map.bm'), hostile)
	s.must('serve', '--background', '--name', 'home', f'--bitmap={hostile}', *members)
	s.must('stop', 'home')
	run = s.umd('serve', *members)
	s.refused(run, 1, ['\\'], 'a hostile path is shown escaped')
	s.ok('\033' not in run.stderr, 'without control characters', repr(run.stderr))


with Scene() as s:
	members = [s.image('a.img'), s.image('b.img')]
	s.must('create', '--bitmap=map.bm', '--bitmap-chunk=64K', '--assume-clean', '--name=home', *members)
	check_content(s, members)
	check_kind(s, members)
	check_in_use(s, members)
	check_create(s)
	check_memory(s, members)
