"""Goal:   the plugin is complete without `umd serve`, and says of itself only what is true.
Method: nbdkit is run by hand, in the foreground, in the background and with --run; a client asks and tries.
Law:    I1, I7: what is announced (FUA, trim, zeroes, any byte range) is done.
Source: design section 2 ("nbdkit umd member=a.img member=b.img works too").
"""
import os
import subprocess

import nbd

from scene import MIB, Scene


def nbdkit(s, *args):
	plugin = os.path.join(os.path.dirname(s.tool), 'nbdkit-umd-plugin.so')
	threads = ['-t', '1']	# old versions abort when a client vanishes
	return subprocess.run(['nbdkit', *threads, *args[:-1], plugin, *args[-1]], env=s.env, cwd=s.dir, text=True,
		capture_output=True, stdin=subprocess.DEVNULL, timeout=60)


def named(members):
	return ['member=' + m for m in members]


def check_flags(s, h):
	s.same([h.can_flush(), h.can_fua(), h.can_trim(), h.can_zero(), h.can_multi_conn(), h.is_read_only()],
		[True] * 5 + [False], 'flush, FUA, trim, zero and multi-conn are announced')
	s.same(h.can_fast_zero(), False, 'fast zeroes are not: a member may have to be written')
	s.same([h.get_block_size(i) for i in (nbd.SIZE_MINIMUM, nbd.SIZE_PREFERRED, nbd.SIZE_MAXIMUM)], [512, 4096, 32 * MIB],
		'block sizes are announced')


def check_requests(s, h):
	data = os.urandom(100000)
	h.set_strict_mode(0)
	h.pwrite(data, 12345)
	s.ok(h.pread(len(data), 12345) == data, 'a write at an odd place is read back')
	h.zero(1001, 20001, nbd.CMD_FLAG_FUA)
	s.ok(h.pread(1003, 20000) == data[7655:7656] + bytes(1001) + data[8657:8658], 'odd zeroes stay inside their range')
	h.trim(4096, 40960)
	s.ok(h.pread(4096, 40960) == bytes(4096), 'a trimmed range reads zeroes')
	h.pwrite(data[:512], h.get_size() - 512, nbd.CMD_FLAG_FUA)
	s.ok(h.pread(512, h.get_size() - 512) == data[:512], 'the last sector is there')
	try:
		h.pwrite(data[:512], h.get_size())
		s.ok(False, 'a write behind the end is refused')
	except nbd.Error as error:
		s.ok(error.errno in ('EINVAL', 'ENOSPC'), 'a write behind the end is refused', error)


def check_names(s, socket):
	h = nbd.NBD()
	h.set_export_name('nonsense')
	try:
		h.connect_unix(socket)
		s.ok(False, 'another export name is refused')
	except nbd.Error:
		s.ok(True, 'another export name is refused')
	h = nbd.NBD()
	h.set_export_name('alone')
	h.connect_unix(socket)
	s.ok(h.get_size() > 0, "the array's name is accepted")


with Scene() as s:
	members = [s.image('a'), s.image('b')]
	s.must('create', '--assume-clean', '--name=alone', *members)
	run = nbdkit(s, '-U', s.path('sock'), '-P', s.path('pid'), named(['a', 'b']))
	s.same((run.returncode, run.stderr), (0, ''), 'nbdkit goes into the background, relative member paths and all')
	h = s.connect('nbd+unix:///?socket=' + s.path('sock'))
	size = h.get_size()
	check_flags(s, h)
	check_requests(s, h)
	check_names(s, s.path('sock'))
	s.same(s.json('detail', '--json', 'alone')['name'], 'alone', 'the control socket answers')
	run = nbdkit(s, '-f', '-U', s.path('second'), named(members))
	s.ok(run.returncode == 1 and 'in use by pid' in run.stderr, 'a second server is refused on the terminal', run.stderr)
	s.must('stop', 'alone')
	s.same(os.listdir(s.path('run')), [], '`umd stop` ends it')
	run = nbdkit(s, '-U', '-', '--run', 'nbdinfo --size "$uri"', members)
	s.same((run.returncode, run.stdout), (0, f'{size}\n'), 'members need no member=, and --run works')
	run = nbdkit(s, '-U', s.path('third'), ['inactive=true', 'name=empty'])
	s.same((run.returncode, s.must('get', 'empty', 'array_state').stdout), (0, 'clear\n'), 'an array that its owner sets up')
	s.must('stop', 'empty')
	run = nbdkit(s, '-f', '-U', s.path('second'), ['inactive=true'])
	s.ok(run.returncode == 1 and 'name' in run.stderr, 'which needs a name', run.stderr)
	run = nbdkit(s, '-f', '-U', s.path('second'), ['inactive=true', 'name=x', *members])
	s.ok(run.returncode == 1 and 'new_dev' in run.stderr, 'and no member', run.stderr)
	run = nbdkit(s, '-f', '-U', s.path('second'), ['colour=red', *members])
	s.ok(run.returncode == 1 and 'colour' in run.stderr, 'an unknown parameter is refused', run.stderr)
	run = nbdkit(s, '-f', '-U', s.path('second'), [])
	s.ok(run.returncode == 1 and 'no member' in run.stderr, 'so is no member at all', run.stderr)
