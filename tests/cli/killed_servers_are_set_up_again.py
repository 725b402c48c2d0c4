"""Goal:   when the server of an owner's array is killed, its owner sets the array up again with what was recorded, and only
	what may differ is copied.
Method: SIGKILL while writes are under way; the array is set up again with resync_start 0, as it was recorded dirty, or none
	where it was clean; with a member that had failed left out and brought back.
Law:    I1 (what was flushed is there), I2, I3, I8.
Source: externally managed metadata: bits before resync_start are not copied, the map is read from the member bound last.
"""
from external import CHUNK, NAME, External, Write
from scene import Scene


def data(x):
	return [m.read(m.data_at, m.data_bytes) for m in x.members]


with Scene() as s:
	x = External(s)
	x.set_up()
	x.start()
	write = Write(s, x.uri, 5 * CHUNK, b'kept' * 1024)
	s.ok(x.until('array_state', 'write-pending'), 'a write is pending')
	x.set('array_state', 'active')		# the owner has recorded that it is dirty
	s.ok(write.is_done(), 'it is done')
	write.disk.flush()
	s.kill(NAME)
	s.same(x.bits(), [[5], [5]], 'the server is killed; the bit is there')

	x.members[1].write(x.members[1].data_at + 5 * CHUNK, b'late' * 1024)	# as if it had not reached the disk
	x.serve()
	s.same(x.get('array_state'), 'clear', 'the new server knows nothing')
	x.set_up(resync_start='0')
	x.start()
	s.ok(x.tree.until(lambda: s.json('detail', '--json', NAME)['last_sync'], 10), 'a resync ran')
	last = s.json('detail', '--json', NAME)['last_sync']
	s.same((last['bytes_copied'], last['complete']), (CHUNK, True), 'that copied what was marked, and no more')
	s.ok(x.until('array_state', 'write-pending'), 'its end is to be recorded')
	x.set('array_state', 'active')
	s.same(x.get('resync_start'), 'none', 'nothing is left to be copied')
	disk = s.connect(x.uri)
	s.same(bytes(disk.pread(4096, 5 * CHUNK)), b'kept' * 1024, 'what was flushed is there')
	disk.shutdown()
	both = data(x)
	s.ok(both[0] == both[1], 'the members are equal')
	s.ok(x.tree.until(lambda: x.bits() == [[], []], 10), 'and the bit goes')
	s.ok(x.until('array_state', 'active-idle'), 'idle')
	x.set('array_state', 'clean')
	s.kill(NAME)

	# ---- killed when it was clean: nothing is copied ----
	x.serve()
	x.set_up(resync_start='none')
	x.start()
	s.same((x.get('array_state'), s.json('detail', '--json', NAME)['last_sync']), ('clean', None), 'killed clean, nothing is copied')

	# ---- killed degraded ----
	x.set('dev-b.img/state', 'faulty')
	x.set('array_state', 'active')
	x.set('dev-b.img/state', '-blocked')
	write = Write(s, x.uri, 9 * CHUNK, b'only' * 1024)
	s.ok(write.is_done(), 'a write that one member misses')
	write.disk.flush()
	s.kill(NAME)
	x.serve()
	for path, value in (('metadata_version', 'external:test'), ('level', 'raid1'), ('raid_disks', '2'), ('component_size', '8192')):
		x.set(path, value)
	x.set(x.bind(x.members[0]) + '/slot', '0')
	for path, value in (('resync_start', '0'), ('bitmap/metadata', 'external'), ('bitmap/chunksize', str(CHUNK)),
			('bitmap/time_base', '0.1'), ('bitmap/location', '+2048')):
		x.set(path, value)
	x.start()
	s.same(x.get('degraded'), '1', 'it starts without the one that had failed')
	s.same(x.bits()[0], [9], 'what that one misses is still marked')
	folder = x.bind(x.members[1])
	x.set(f'{folder}/state', 'insync')
	x.set(f'{folder}/slot', '1')
	x.set('sync_action', 'recover')
	s.ok(x.tree.until(lambda: x.get('degraded') == '0', 10), 'it comes back')
	s.same(s.json('detail', '--json', NAME)['last_sync']['bytes_copied'], CHUNK, 'by the bitmap')
	both = data(x)
	s.ok(both[0] == both[1] and both[0][9 * CHUNK:9 * CHUNK + 4] == b'only', 'the members are equal')
