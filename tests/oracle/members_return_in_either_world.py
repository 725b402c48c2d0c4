"""Goal:   a member that was out is brought back by the bitmap, whichever side it left and whichever takes it back.
Method: Linux fails and removes a member and writes on, umd re-adds it; then umd fails and removes it and writes on, Linux
	re-adds it. Each time the bytes under the missed chunks are what is copied.
Law:    I8, I11, I2; events and events_cleared mean the same on both sides.
Source: issue "A mirror that runs", 4; oracle.
"""
from lab import Lab
from scene import MIB

CHUNK = 64 * 1024

LOSE_A_MEMBER = '''
assemble /dev/md0 /dev/ubda /dev/ubdb
yes before | dd of=/dev/md0 bs=64k count=8 seek=40 iflag=fullblock oflag=direct conv=fsync status=none
mdadm /dev/md0 --fail /dev/ubdb > /dev/null 2>&1
mdadm /dev/md0 --remove /dev/ubdb > /dev/null 2>&1
yes missed | dd of=/dev/md0 bs=64k count=2 seek=100 iflag=fullblock oflag=direct conv=fsync status=none
mdadm --stop /dev/md0 > /dev/null 2>&1
'''

TAKE_IT_BACK = '''
assemble --run /dev/md0 /dev/ubda
mdadm /dev/md0 --re-add /dev/ubdb > readd.log 2>&1
idle md0
check md0 > mismatches
cat /sys/block/md0/md/degraded > degraded
mdadm --stop /dev/md0 > /dev/null 2>&1
'''

with Lab() as s:
	a, b = s.image('a', 32 * MIB), s.image('b', 32 * MIB)
	s.must('create', '--assume-clean', f'--bitmap-chunk={CHUNK}', '--name=home', a, b)
	run = s.guest(LOSE_A_MEMBER, a, b)
	s.ok(run.returncode == 0, 'Linux lost a member and wrote on', run.stdout, run.stderr)
	missed = s.set_chunks(a)
	s.ok({(100 * CHUNK, CHUNK), (101 * CHUNK, CHUNK)} <= set(missed), 'what it missed is marked', missed)

	uri = s.serve('home', '--run', a)
	run = s.umd('manage', 'home', '--re-add', b)
	s.ok(run.returncode == 0, 'umd takes it back by the bitmap', run.stderr)
	s.must('wait', 'home')
	report = s.json('detail', '--json', 'home')['last_sync']
	s.same((report['bytes_copied'], report['complete']), (sum(n for _, n in missed), True), 'umd copied the marked chunks')
	s.ok(s.data(a) == s.data(b), 'the members are equal')

	s.must('manage', 'home', '--fail', b, '--remove', b)
	disk = s.connect(uri)
	disk.pwrite(b'umd.' * 32768, 200 * CHUNK)
	disk.flush()
	disk.shutdown()
	s.stop('home')
	s.ok(s.data(a) != s.data(b), 'umd lost it again and wrote on')

	run = s.guest(TAKE_IT_BACK, a, b)
	s.ok(run.returncode == 0, 'Linux takes it back', run.stdout, run.stderr)
	s.same((s.said('mismatches'), s.said('degraded')), ('0', '0'), 'after its recovery the check finds 0')
	s.ok(s.data(a) == s.data(b), 'the members are equal')
	s.ok('re-added' in s.said('readd.log'), 'by its bitmap, not in full', s.said('readd.log'))
