"""umd on the machines of a stage: one server on each node, clients in the guests, members looked at from the host."""
import json
import re
import subprocess

from stage import HERE, MIB, Bail, now_us

CHUNK = 64 << 10
DISKS = '/dev/ubda', '/dev/ubdb'


class Mirror:
	"""The array of a scenario, made by umd on one node; what its members say, from the host."""

	def __init__(self, cluster, nodes=4, chunk='64K', made_by=1, options=''):
		self.cluster = cluster
		if made_by:
			Node(cluster, made_by).must(f'create --name=m --bitmap=clustered --nodes={nodes} --cluster-name=lab '
				f'--bitmap-chunk={chunk} {options} {" ".join(DISKS)}')
			super_block = self.examine()['members'][0]['superblock']
			self.data_at, self.bytes = super_block['data_offset_bytes'], super_block['component_bytes']

	def images(self):
		return [self.cluster.image('a'), self.cluster.image('b')]

	def examine(self, images=None):
		tool = [self.cluster.tool, 'examine', '--json', '--all', *(images or self.images())]
		done = subprocess.run(tool, capture_output=True, text=True, check=False)
		if not done.stdout:
			raise Bail(f'umd examine: {done.stderr}')
		return json.loads(done.stdout)

	def set_chunks(self, slot, images=None):
		"""The chunks set in a slot, on any member."""
		found = set()
		for m in self.examine(images)['members']:
			for bitmap in m['bitmaps']:
				if bitmap['slot'] == slot:
					found |= {n for a, b in bitmap['set'] for n in range(a, b + 1)}
		return found

	def copies(self, name):
		"""Copies of the members as they are now, guests stopped meanwhile."""
		self.cluster.command('snap', self.cluster.dir + '/' + name)
		return [f'{self.cluster.dir}/{name}-{letter}.img' for letter in 'ab']

	def data(self, image, at=0, length=None):
		with open(image, 'rb') as f:
			f.seek(self.data_at + at)
			return f.read(self.bytes - at if length is None else length)

	def is_equal(self):
		a, b = [self.data(i) for i in self.images()]
		return a == b

	def differing(self):
		"""The chunks in which the members differ."""
		a, b = [self.data(i) for i in self.images()]
		return [n for n in range(0, self.bytes // CHUNK) if a[n * CHUNK:(n + 1) * CHUNK] != b[n * CHUNK:(n + 1) * CHUNK]]

	def last_stamp(self, at, length, image=None):
		"""When the youngest block of an area was written, as load.py stamped it; 0: none."""
		last = 0
		for path in [image] if image else self.images():
			found = re.findall(rb'^(\d{16}) \d{7}$', self.data(path, at, length), re.MULTILINE)
			last = max([last, *map(int, found)])
		return last


class Node:
	def __init__(self, cluster, number):
		self.cluster, self.number = cluster, number
		self.name = f'm@node{number}'
		self.uri = f'nbd+unix:///?socket=/run/umd/m%40node{number}/nbd.sock'

	def umd(self, line, timeout=100):
		return self.cluster.on(self.number, f'mkdir -m 700 -p /run/umd; {self.cluster.tool} {line}', timeout)

	def must(self, line, timeout=100):
		done = self.umd(line, timeout)
		if done.returncode:
			raise Bail(f'node {self.number}: umd {line}: {done.stderr.strip()}')
		return done.stdout

	def serve(self, options=''):
		self.must(f'serve --background --name=m --cluster=dlm {options} {" ".join(DISKS)}')
		return self

	def detail(self):
		done = self.umd(f'detail --json {self.name}')
		return json.loads(done.stdout) if done.returncode == 0 else None

	def see(self, what, seconds, test):
		"""The detail in which @test is true."""
		def look():
			now = self.detail()
			return now if now and test(now) else None
		try:
			return self.cluster.wait(f'node {self.number}: {what}', seconds, look)
		except Bail as reason:
			raise Bail(f'{reason}: {json.dumps((self.detail() or {}).get("cluster"))}') from None

	def is_up(self, seconds=30):
		return self.see('up', seconds, lambda d: d['cluster']['state'] == 'up' and d['sync_action'] == 'idle' and
			all(p['state'] not in ('unknown', 'gone', 'taking') for p in d['cluster']['peers']))

	def is_quiet(self, seconds=40):
		"""Nothing is set: every write was flushed and swept."""
		return self.see('no bit is set', seconds, lambda d: d['bitmap']['set_chunks'] == 0 and d['sync_action'] == 'idle')

	def stop(self):
		self.must(f'stop {self.name}')

	def load(self, first, length, size=4096, seed=1, seconds=0, pause=0):
		"""A client in the background, which says what was answered in /run/load.N."""
		self.log = f'/run/load.{now_us()}'
		line = f'/usr/bin/python3 {HERE}/load.py "{self.uri}" {first} {length} {size} {seed} {seconds} {pause}'
		return self.cluster.start(self.number, f'{line} > {self.log} 2>&1')

	def answered(self):
		"""[(asked, answered, place, count)] of the last load, and how it ended."""
		lines = self.cluster.must(self.number, f'cat {self.log} 2> /dev/null || true').splitlines()
		return [tuple(map(int, l.split())) for l in lines if l[:1].isdigit()], [l for l in lines if l and not l[:1].isdigit()]

	def try_write(self, at, text, length=4096):
		return self.cluster.on(self.number, f'''/usr/bin/python3 -c '
import nbd
c = nbd.NBD(); c.connect_uri("{self.uri}"); c.pwrite(("{text}" * {length}).encode()[:{length}], {at}); c.flush()' ''')

	def write(self, at, text, length=4096):
		"""One write by a client of this node, through all of it."""
		done = self.try_write(at, text, length)
		if done.returncode:
			raise Bail(f'node {self.number}: a write: {done.stderr.strip()}')

	def read(self, at, length=4096):
		return self.cluster.must(self.number, f'''/usr/bin/python3 -c '
import nbd, sys
c = nbd.NBD(); c.connect_uri("{self.uri}"); sys.stdout.write(bytes(c.pread({length}, {at})).decode("latin-1"))' ''')
