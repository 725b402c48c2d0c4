"""Goal:   a node that is counted out in the middle of a write begins no part of it on a member any more.
Method: the first member takes a second for each write; while one is under way there, the log of the cluster goes, and with it
	the certainty that the others count this node in. What the second member has afterwards is looked at.
Law:    C5 (after a node learns that it is out it issues no member write), I3 (what differs then is covered by a bit).
Source: design, sections 4 and 7; the engines' door (may_write).
"""
import glob
import os
import threading

from clusterscene import ARRAY, MIB, Cluster

SECTOR, AT = 4096, 8 * MIB


def found(c, member):
	superblock = c.json('examine', '--json', member)['members'][0]['superblock']
	with open(member, 'rb') as f:
		f.seek(superblock['data_offset_bytes'] + AT)
		return f.read(SECTOR)[:1]


def write_last(handle, said):
	try:
		handle.pwrite(b'Z' * SECTOR, AT)
	except Exception as e:		# libnbd's own kind
		said.append(str(e))


with Cluster(nodes=4) as c:
	if not os.environ.get('SLOW_DISK'):
		c.skip('all of it', 'SLOW_DISK is not set: run it by the build')
		raise SystemExit
	a, b = c.members
	c.env = {**c.env, 'LD_PRELOAD': ' '.join([c.env.get('LD_PRELOAD', ''), os.environ['SLOW_DISK']]).strip(), 'SLOW_MEMBER': a,
		'SLOW_MS': '1000'}
	uri = c.node('n1')
	handle = c.connect(uri)
	handle.pwrite(b'A' * SECTOR, AT)
	before = c.detail('n1')['counters']['member_writes']
	said = []
	writer = threading.Thread(target=write_last, args=(handle, said))
	writer.start()
	c.ok(c.until('n1', lambda d: d['counters']['member_writes'] >= before + 2), 'a write is given out for both members')
	os.unlink(glob.glob(os.path.join(c.env['UMD_RUNTIME_DIR'], 'cluster', '*.log'))[0])
	writer.join()
	c.ok(said, 'its client hears of an error', said)
	c.same([found(c, m) for m in (a, b)], [b'Z', b'A'], 'the member that had it under way has it, the other one was not begun')
	c.ok(all(n[0] for n in map(c.slots_of, c.members)), 'and the bit that covers it is set')
