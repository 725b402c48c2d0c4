"""Goal:   whatever is wrong with the members, nobody loses a byte by it.
Method: each kind of bad member is given to create and to serve; members are hashed before and after.
Law:    I7: no byte changes; one sentence, exit status 1 or 2; no socket and no pid file stays.
Source: issue "A mirror that runs": the list of bad input.
"""
import contextlib
import os
import shutil
import subprocess

from scene import MIB, Scene

SIZE = 8 * MIB		# hashed before and after every refusal
SERVE = ['serve', '--background']


def left_over(s):
	"""Files in the run-time directory."""
	return [os.path.join(d, f) for d, _, files in os.walk(s.path('run')) for f in files]


def refuse(s, args, words, text, members):
	before = s.sums(*members)
	run = s.umd(*args)
	s.refused(run, 1, words, text)
	for server in s.json('list', '--json'):
		s.must('stop', server['name'])		# the statement above has failed; the next ones shall be judged alone
	s.ok(s.sums(*members) == before, f'{text}: no byte changed')
	s.same(left_over(s), [], f'{text}: nothing is left in the run-time directory')


@contextlib.contextmanager
def held_by_qemu(path):
	"""qemu-io has @path open for writing: its first answer says so."""
	qemu = subprocess.Popen(['qemu-io', '-f', 'raw', path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
	qemu.stdin.write('read 0 512\n')
	qemu.stdin.flush()
	while 'read 512/512' not in qemu.stdout.readline():
		assert qemu.poll() is None
	yield
	qemu.communicate('quit\n')


with Scene() as s:
	good, other, third = s.image('good', SIZE), s.image('other', SIZE), s.image('third', SIZE)
	fs, small, text = s.image('fs', SIZE), s.image('small', 64 * 1024), s.path('text')
	subprocess.run(['mke2fs', '-q', '-t', 'ext4', fs], check=True)
	open(text, 'w').write('not an image\n' * 4096)
	os.mkdir(s.path('folder'))
	os.mkfifo(s.path('pipe'))
	everything = [good, other, third, fs, small, text]

	# ---- create ----
	refuse(s, ['create', good, s.path('nowhere')], ['nowhere'], 'create: a missing file', everything)
	refuse(s, ['create', good, small], ['small'], 'create: a member too small', everything)
	refuse(s, ['create', good, fs], ['fs', 'ext4'], 'create: a file system', everything)
	refuse(s, ['create', good, s.path('folder')], ['folder'], 'create: a directory', everything)
	refuse(s, ['create', good, s.path('pipe')], ['pipe'], 'create: a pipe', everything)
	refuse(s, ['create', good, good], ['good'], 'create: one file twice', everything)
	os.link(good, s.path('hardlink'))
	refuse(s, ['create', good, s.path('hardlink')], ['hardlink'], 'create: one file under two names', everything)
	os.unlink(s.path('hardlink'))
	refuse(s, ['create', 'missing', 'missing'], ['missing'], 'create: nothing but missing members', everything)
	refuse(s, ['create', '--metadata=0.90', good, other], ['0.90'], 'create: metadata that is not made', everything)
	refuse(s, ['create', '--bitmap=lockless', good, other], ['lockless'], 'create: a bitmap that is not made', everything)
	refuse(s, ['create', '--bitmap-chunk=5000', good, other], ['5000'], 'create: a chunk that is no power of two', everything)
	refuse(s, ['create', '--bitmap-chunk=1K', good, other], ['1024', '4096'], 'create: a chunk too small', everything)
	refuse(s, ['create', '--size=1T', good, other], [], 'create: a size larger than the members', everything)
	refuse(s, ['create', '--uuid=xyz', good, other], ['xyz'], 'create: no uuid', everything)
	refuse(s, ['create', '--name=' + 'n' * 33, good, other], ['33', '32'], 'create: a name too long', everything)
	before = s.sums(*everything)
	s.must('create', '--dry-run', good, other)
	s.ok(s.sums(*everything) == before, 'create --dry-run changes no byte')
	with held_by_qemu(good):
		refuse(s, ['create', good, other], ['good', 'in use'], 'create: held by qemu', everything)

	# ---- serve ----
	s.must('create', '--name=one', '--assume-clean', good, other)
	a, b = s.image('a', SIZE), s.image('b', SIZE)
	s.must('create', '--name=two', '--assume-clean', a, b)
	everything += [a, b]
	refuse(s, ['create', good, third], ['good'], 'create: belongs to another array', everything)
	refuse(s, [*SERVE, good, s.path('nowhere')], ['nowhere'], 'serve: a missing file', everything)
	refuse(s, [*SERVE, good, text], ['text'], 'serve: no superblock', everything)
	refuse(s, [*SERVE, fs], ['fs'], 'serve: a file system', everything)
	refuse(s, [*SERVE, good, a], ['array'], 'serve: members of two arrays', everything)
	refuse(s, [*SERVE, good], ['--run'], 'serve: one of two members', everything)
	refuse(s, [*SERVE, good, other, '--prefer', third], ['third'], 'serve: prefers a stranger', everything)
	refuse(s, [*SERVE, '--name=../up', good, other], ['../up'], 'serve: a name that leaves the directory', everything)
	refuse(s, [*SERVE, '--name=\033[2J', good, other], ['\\x1b[2J'], 'serve: a name of escape bytes', everything)
	shutil.copyfile(other, s.path('copy'))
	refuse(s, [*SERVE, good, other, s.path('copy')], ['copy'], 'serve: two members for one place', everything)

	# ---- in use by umd ----
	s.serve('one', good, other)
	before = s.sums(a, b, third)
	s.refused(s.umd(*SERVE, '--name=again', good, other), 1, ['in use', 'pid'], 'serve: members in use by umd')
	s.refused(s.umd('create', '--force', good, third), 1, ['in use'], 'create: a member in use by umd')
	s.refused(s.umd(*SERVE, '--name=one', a, b), 1, ['one'], 'serve: the name of a running array')
	s.refused(s.umd('manage', 'one', '--add', s.path('nowhere')), 1, ['nowhere'], 'manage: a missing file')
	s.refused(s.umd('manage', 'one', '--fail', third), 1, ['third'], 'manage: no member of the array')
	s.refused(s.umd('manage', 'one', '--re-add', a), 1, ['a'], "manage: another array's member")
	s.ok(s.sums(a, b, third) == before, 'refusals beside a running array change no byte')
	s.stop('one')
	for verb in ['stop', 'wait', 'detail']:
		s.refused(s.umd(verb, 'one'), 1, ['one'], f'{verb}: no such array')
	s.same(s.umd('detail', '--test', 'one').returncode, 4, 'detail --test: 4 for no such array')

	with held_by_qemu(third):
		refuse(s, [*SERVE, third], ['third', 'in use'], 'serve: held by qemu', [third])

	# ---- in use by a loop device ----
	loop = subprocess.run(['losetup', '-f', '--show', third], capture_output=True, text=True)
	if loop.returncode == 0:
		try:
			refuse(s, ['create', third, s.image('fourth', SIZE)], ['third', 'loop'], 'create: backs a loop device', [third])
			refuse(s, [*SERVE, third], ['third', 'loop'], 'serve: backs a loop device', [third])
		finally:
			subprocess.run(['losetup', '-d', loop.stdout.strip()], check=True)
	else:
		s.skip('create, serve: backs a loop device', 'no loop device can be made here')
