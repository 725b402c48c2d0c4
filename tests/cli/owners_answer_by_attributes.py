"""Goal:   an owner sets an array up, runs it, answers every question, and ends it, by umd get and umd set alone.
Method: each step as a person types it; a client writes through NBD meanwhile; bits are looked up on the members.
Law:    I3 (the bit is there before the write is answered), I4 (no bit goes while can_clear is false), I8, I10.
Source: design, "Externally managed metadata"; issue 5, points 1 to 3.
"""
from external import CHUNK, FACTS, NAME, External, Write
from scene import Scene


def get(s, path):
	run = s.umd('get', NAME, path)
	return run.stdout.rstrip('\n') if run.returncode == 0 else run.stderr


def put(s, *pairs):
	"""Each succeeds, without a word."""
	for path, value in pairs:
		run = s.umd('set', NAME, path, value)
		if run.returncode or run.stdout or run.stderr:
			return f'{path} {value}: {run.stderr}{run.stdout}'
	return ''


with Scene() as s:
	x = External(s)

	# ---- it does not run ----
	s.same(get(s, 'array_state'), 'clear', 'a fresh array is clear')
	s.ok('does not run' in s.must('list').stdout and 'level not set' in s.must('detail', NAME).stdout,
		'list and detail say that it does not run', s.must('list').stdout, s.must('detail', NAME).stdout)
	s.same(s.umd('detail', '--test', NAME).returncode, 2, 'detail --test: not usable')
	try:
		s.connect(x.uri)
		s.ok(False, 'a client is refused')
	except Exception as error:
		s.ok('ENOENT' in str(error) or 'refused' in str(error) or 'handshake' in str(error), 'a client is refused', error)
	s.refused(s.umd('manage', NAME, '--add', x.members[0].path), 1, ['owner', 'umd set'], 'manage says who brings members in')
	s.refused(s.umd('set', NAME, 'array_state', 'active'), 1, ['started'], 'what is not set up cannot start')

	# ---- set up as typed, in the kernel's order ----
	s.same(put(s, ('metadata_version', 'external:test'), ('level', 'raid1'), ('raid_disks', '2'),
		('component_size', str(FACTS['component_kib'])), ('new_dev', 'a.img'), ('new_dev', x.members[1].path)), '',
		'the array is described, members join by a path')
	s.refused(s.umd('set', NAME, 'new_dev', 'a.img'), 1, ['member already'], 'a member joins once')
	s.same(x.tree.set('new_dev', '/any/name', s.path('a.img')), 'EEXIST', 'whatever it is called')
	s.refused(s.umd('set', NAME, 'new_dev', 'nowhere'), 1, ['nowhere'], 'a path that leads nowhere is refused')
	s.refused(s.umd('set', NAME, 'new_dev', '/'), 1, ['/'], 'a folder is no member')
	s.refused(s.umd('serve', '--background', x.members[0].path), 1, ['in use'], 'its members are locked')
	for slot, name in enumerate(('a.img', 'b.img')):
		s.same(put(s, (f'dev-{name}/offset', '4096'), (f'dev-{name}/size', '8192'), (f'dev-{name}/slot', str(slot))), '',
			f'{name} gets its place')
	s.same(put(s, ('resync_start', 'none'), ('bitmap/metadata', 'external'), ('bitmap/chunksize', '65536'),
		('bitmap/time_base', '0.1'), ('bitmap/location', '+2048')), '', 'the bitmap is described')
	s.same(get(s, 'array_state'), 'inactive', 'it is inactive now')
	before = s.sums(*(m.path for m in x.members))
	s.refused(s.umd('set', NAME, 'array_state', 'clean'), 1, ['clean'], 'clean starts no array')
	s.same(put(s, ('array_state', 'active')), '', 'active starts it')
	s.same(get(s, 'array_state'), 'clean', 'it runs, and is clean')
	s.same(s.sums(*(m.path for m in x.members)), before, 'nothing was written to a member for it')

	# ---- a write waits for the owner ----
	w = Write(s, x.uri, 3 * CHUNK, b'one' * 1024)
	s.ok(x.until('array_state', 'write-pending'), 'a write makes the array write-pending')
	s.ok(w.is_waiting() and x.bits() == [[], []], 'and waits; nothing was written')
	s.same(put(s, ('array_state', 'active')), '', 'the owner has recorded it')
	s.ok(w.is_done(), 'the write is done', w.error)
	s.same(x.bits(), [[3], [3]], 'its bit is on both members')
	s.ok(x.until('array_state', 'active-idle'), 'the array becomes idle')
	s.same(put(s, ('array_state', 'clean')), '', 'the owner may call it clean')
	s.same(get(s, 'array_state'), 'clean', 'and it is')
	s.refused(s.umd('set', NAME, 'array_state', 'inactive'), 1, ['clients'], 'what a client has open is not stopped by attributes')
	w.close()

	# ---- a member fails ----
	s.refused(s.umd('set', NAME, 'dev-b.img/state', 'nonsense'), 1, ['nonsense'], 'a word that is none is refused')
	s.same(put(s, ('dev-b.img/state', 'faulty')), '', 'a member is called faulty')
	s.same(get(s, 'dev-b.img/state'), 'faulty,blocked', 'it is blocked until its failure is recorded')
	s.ok('faulty, blocked' in s.must('detail', NAME).stdout, 'detail says so', s.must('detail', NAME).stdout)
	w = Write(s, x.uri, 9 * CHUNK, b'two' * 1024)
	s.ok(x.until('array_state', 'write-pending'), 'a write is pending')
	s.same(put(s, ('array_state', 'active')), '', 'active alone')
	s.ok(w.is_waiting(), 'does not let it go on')
	s.same(put(s, ('dev-b.img/state', '-blocked')), '', 'but with -blocked')
	s.ok(w.is_done(), 'it is done', w.error)
	s.ok(x.until('bitmap/can_clear', 'false'), 'bits may no longer be cleared')
	s.refused(s.umd('set', NAME, 'bitmap/can_clear', 'true'), 1, ['in-sync'], 'while the array is degraded')
	s.same((get(s, 'dev-b.img/slot'), get(s, 'degraded')), ('none', '1'), 'the member has left its slot')
	s.ok(9 in x.bits()[0] and 9 not in x.bits()[1], 'what it misses is marked on the other', x.bits())

	# ---- and comes back by the bitmap ----
	s.same(put(s, ('dev-b.img/state', 'remove')), '', 'it is removed')
	s.ok('No such device' in get(s, 'dev-b.img/state'), 'its files are gone')
	s.same(put(s, ('new_dev', 'b.img'), ('dev-b.img/offset', '4096'), ('dev-b.img/size', '8192'),
		('dev-b.img/state', 'insync'), ('dev-b.img/slot', '1')), '', 'it is bound again, current up to the bitmap')
	s.same((get(s, 'dev-b.img/state'), get(s, 'sync_action')), ('spare', 'idle'), 'nothing begins by itself')
	s.same(put(s, ('sync_action', 'recover')), '', 'recover')
	s.ok(x.until('array_state', 'write-pending'), 'its end waits to be recorded')
	s.same(put(s, ('array_state', 'active')), '', 'it is')
	s.same((get(s, 'dev-b.img/state'), get(s, 'degraded')), ('in_sync', '0'), 'the array is whole')
	copied = s.json('detail', '--json', NAME)['last_sync']['bytes_copied']
	s.ok(CHUNK <= copied <= 2 * CHUNK, 'only what was marked was copied', copied)
	s.same(get(s, 'bitmap/can_clear'), 'false', 'bits are kept until the owner has recorded that')
	s.ok(9 in x.bits()[0] and 9 in x.bits()[1], 'on both members', x.bits())
	s.same(put(s, ('bitmap/can_clear', 'true')), '', 'then it may say true')
	s.ok(x.tree.until(lambda: x.bits() == [[], []], 10), 'and the bits go', x.bits())
	w.close()
	data = [m.read(m.data_at, m.data_bytes) for m in x.members]
	s.ok(data[0] == data[1] and data[0][9 * CHUNK:9 * CHUNK + 6] == b'twotwo', 'the members are equal')

	# ---- by hand: false keeps bits ----
	s.same(put(s, ('bitmap/can_clear', 'false'), ('bitmap_set_bits', '5 7-8')), '', 'bits are set by hand')
	s.ok(x.until('array_state', 'write-pending'), 'they are copied, which is to be recorded')
	s.same(put(s, ('array_state', 'active')), '', 'it is')
	s.same(x.bits(), [[5, 7, 8]] * 2, 'and they stay')
	s.refused(s.umd('set', NAME, 'bitmap_set_bits', '1 x'), 1, ['1 x'], 'garbage sets none')
	s.refused(s.umd('set', NAME, 'bitmap_set_bits', '128'), 1, ['128'], 'nor a chunk that is not there')
	s.same(x.bits(), [[5, 7, 8]] * 2, 'indeed')

	# ---- read-only, inactive, clear ----
	s.ok(x.until('array_state', 'active-idle'), 'idle again')
	s.same(put(s, ('array_state', 'clean'), ('array_state', 'readonly')), '', 'read-only')
	s.refused(s.umd('set', NAME, 'array_state', 'readonly'), 1, ['readonly'], 'not twice')
	disk = s.connect(x.uri)
	s.ok(disk.is_read_only() and bytes(disk.pread(512, 9 * CHUNK))[:6] == b'twotwo', 'clients can read')
	disk.shutdown()
	s.ok(x.tree.until(lambda: s.json('detail', '--json', NAME)['clients'] == 0, 10), 'the client is gone')
	s.same(put(s, ('array_state', 'active'), ('array_state', 'inactive')), '', 'and back, and inactive')
	s.same((get(s, 'array_state'), get(s, 'dev-b.img/slot'), get(s, 'bitmap/location')), ('inactive', '1', '+2048'),
		'what was set up is kept')
	s.same(put(s, ('bitmap/can_clear', 'true'))[:17], 'bitmap/can_clear ', 'without a running bitmap there is nothing to clear')
	s.same(put(s, ('array_state', 'read-auto')), '', 'it starts again, to be written by the first write')
	s.same(get(s, 'array_state'), 'read-auto', 'read-auto')
	s.same(put(s, ('dev-b.img/state', 'writemostly'), ('bitmap/backlog', '5')), '', 'a backlog is taken, though nothing is written yet')
	s.same((get(s, 'bitmap/backlog'), get(s, 'array_state')), ('5', 'read-auto'), 'and changes nothing else')
	s.same(put(s, ('array_state', 'clear')), '', 'clear forgets all')
	s.same((get(s, 'array_state'), get(s, 'level'), s.json('detail', '--json', NAME)['members']), ('clear', '', []), 'all')
	s.ok(s.umd('create', '--dry-run', '--force', *(m.path for m in x.members)).returncode == 0, 'the members are free')

	# ---- and once more, with the owner dead at the end ----
	x.set_up()
	x.start()
	w = Write(s, x.uri, 0, b'three' * 1024)
	s.ok(x.until('array_state', 'write-pending'), 'set up again, a write waits')
	s.same(s.umd('stop', NAME, timeout=20).returncode, 0, 'umd stop needs no owner')
	s.servers.remove(NAME)
	w.thread.join(10)
	s.ok(w.error is not None and not w.is_waiting(), 'the write ends with an error', w.error)
