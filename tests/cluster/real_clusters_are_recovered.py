"""Goal:   what nodes of Linux left on their members one umd node recovers: the union of what the slots say, and nothing else.
Method: every cm-* and cl-* set of tests/golden that is no RAID10, twice. As it is: one node starts, the slots of the others are
	taken over, members that were away are re-added, it stops, the members are compared. Then with the data of the last
	member filled with a5: what changed is what was copied. Where no bit tells of a difference, UNEQUAL says why.
Law:    C1, C2, I2, I7, I8.
Source: facts.json of each set: the bits of every slot, superblocks. docs/differences.md, "Clusters".
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(HERE, '..', 'golden'), os.path.join(HERE, '..', 'cli')]

import goldenlib
from clusterscene import Cluster

SECTOR = 512
NOBODY = 2**64 - 1
POISON = b'\xa5'

# Members that differ where no bit is set: nobody can know.
UNEQUAL = {
	'cm-c11-readded-clean': 'Linux cleared the bits of what it had not copied (docs/differences.md, readd-gathers-all)',
	'cm-c25-chunk0-dirty': 'made with --assume-clean of disks that had been used before',
	'cm-c26-chunk0-recovered': 'made with --assume-clean of disks that had been used before',
}


class Moment(Cluster):
	"""One set, unpacked; node n1 has it."""

	def __init__(self, one):
		super().__init__()
		self.one = one

	def __enter__(self):
		super(Cluster, self).__enter__()
		folder = self.path('set')
		os.mkdir(folder)
		paths = self.one.unpack(folder)
		used = [(p, m) for p, m in zip(paths, self.one.members) if m['superblock']]
		self.members, self.facts = [p for p, _ in used], [m for _, m in used]
		self.env['UMD_RUNTIME_DIR'] = self.path('run')
		return self

	def __exit__(self, kind, value, trace):
		for name in list(self.servers):
			self.umd('stop', name)
		self.folder.cleanup()

	def node(self, name, *more):
		run = self.must('serve', '--background', '--cluster=local', f'--node={name}', '--name=shared', *more, *self.members)
		self.servers.append(f'shared@{name}')
		return run.stdout.split()[-1]

	# ---- what the facts say ----

	def newest(self):
		return max(self.facts, key=lambda m: m['superblock']['events'])

	def role(self, member):
		"""What the newest superblock says of it."""
		roles, number = self.newest()['superblock']['dev_roles'], member['superblock']['dev_number']
		return roles[number] if number < len(roles) else 0xffff

	def mirrors(self):
		"""Members that hold a copy at the end: all but spares."""
		return [i for i, m in enumerate(self.facts) if m['superblock']['role'] != 'spare']

	def away(self):
		"""Mirrors that missed something: a node leaves them out until they are re-added."""
		return [i for i in self.mirrors() if self.role(self.facts[i]) >= 0xfffe]

	def due(self):
		"""Chunks to be copied. The new node has slot 0, and a clean superblock calls the bits of a slot through which nobody ever
		wrote leftovers of mdadm's."""
		newest = self.newest()
		is_clean = newest['superblock']['resync_offset'] == NOBODY
		own_counts = not is_clean or newest['bitmaps'][0]['events_cleared'] or self.away()
		chunks = set()
		for slot, bitmap in enumerate(newest['bitmaps']):
			for first, last in bitmap['set'] if slot or own_counts else []:
				chunks.update(range(first, last + 1))
		return chunks

	def chunk_bytes(self):
		return self.newest()['bitmaps'][0]['chunksize']

	def due_bytes(self):
		"""The last chunk is cut at the array's end."""
		size, chunk = self.newest()['superblock']['size_sectors'] * SECTOR, self.chunk_bytes()
		return sum(min(chunk, size - n * chunk) for n in self.due())

	# ---- what happens ----

	def area(self, i):
		sb = self.facts[i]['superblock']
		with open(self.members[i], 'rb') as f:
			f.seek(sb['data_offset'] * SECTOR)
			return f.read(sb['size_sectors'] * SECTOR)

	def poison(self, i):
		sb = self.facts[i]['superblock']
		with open(self.members[i], 'r+b') as f:
			f.seek(sb['data_offset'] * SECTOR)
			f.write(POISON * (sb['size_sectors'] * SECTOR))

	def live(self):
		"""Start, bring back who was away, recover, stop; the last detail before the stop."""
		self.node('n1')
		for i in self.away():
			self.until('n1', lambda d: all(p['state'] in ('none', 'us') for p in d['cluster']['peers']))
			self.must('manage', 'shared@n1', '--re-add', self.members[i])
		detail = self.at_rest('n1')
		self.stop_all()
		return detail

	def unequal(self):
		areas = [self.area(i) for i in self.mirrors()]
		return set().union(*(self.differing(areas[0], a) for a in areas[1:]))

	def differing(self, one, other):
		chunk = self.chunk_bytes()
		if one == other:
			return set()
		one, other = memoryview(one), memoryview(other)
		return {n // chunk for n in range(0, len(one), chunk) if one[n:n + chunk] != other[n:n + chunk]}


def check_as_it_is(report, one):
	with Moment(one) as m:
		due, before = m.due(), m.unequal()
		detail = m.live()
		report.check(detail, f'{one.name}: a node comes to rest')
		sync = (detail or {}).get('last_sync') or {}
		report.check(sync.get('bytes_copied', 0) == m.due_bytes(), f'{one.name}: as many bytes are copied as {len(due)} chunks have',
			f'{sync}, wanted {m.due_bytes()}')
		after = m.unequal()
		report.check(after == before - due, f'{one.name}: chunks that were set are equal now', sorted(after), sorted(before))
		reason = UNEQUAL.get(one.name)
		report.check(bool(after) == bool(reason), f"{one.name}: the members are {'not equal: ' + reason if reason else 'equal'}",
			sorted(after)[:20])
		slots = [b['set_chunks'] for i in m.mirrors() for b in m.json('examine', '--json', m.members[i])['members'][0]['bitmaps']]
		report.check(not any(slots), f'{one.name}: no bit is left in any slot', slots)


def check_poisoned(report, one):
	with Moment(one) as m:
		last = m.mirrors()[-1]
		m.poison(last)
		before = [m.area(i) for i in m.mirrors()]
		m.live()
		after = [m.area(i) for i in m.mirrors()]
		changed = [m.differing(b, a) for b, a in zip(before, after)]
		report.check(changed[-1] == m.due(), f'{one.name}: the chunks that changed are the union of the slots',
			sorted(changed[-1] ^ m.due())[:20])
		report.check(not set().union(*changed[:-1]), f'{one.name}: nothing changed on the others', changed)


def main():
	report, names = goldenlib.Report(), sys.argv[1:]
	sets = [s for s in goldenlib.all_sets() if s.name.startswith(('cm-', 'cl-')) and 'raid10' not in s.name]
	report.check(len(sets) >= 22 and set(UNEQUAL) <= {s.name for s in sets}, 'the sets of real clusters are there', len(sets))
	for one in sets:
		if not names or one.name in names:
			check_as_it_is(report, one)
			check_poisoned(report, one)
	return report.end()


if __name__ == '__main__':
	sys.exit(main())
