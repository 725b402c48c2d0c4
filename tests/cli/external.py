"""An array with external metadata as a test sets it up: through the verbs of the tool, or over one connection that stays."""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'attr'))
from tree import Member, Refused, Tree  # noqa: E402, F401

CHUNK = 65536
FACTS = {'chunk_bytes': CHUNK, 'bitmap_location_sectors': 2048, 'data_offset_sectors': 4096, 'component_kib': 8192, 'bits': 128}
NAME = 'ext'


class External:
	"""A mirror of a.img and b.img that an owner, the test, has set up; served as "ext"."""

	def __init__(self, scene, members=('a', 'b'), serve=()):
		self.s = scene
		self.members = [Member(scene.path(f'{m}.img'), FACTS) for m in members]
		self.serve(*serve)

	def serve(self, *more):
		self.uri = self.s.serve(NAME, '--inactive', *more)
		self.tree = Tree(os.path.join(self.s.env['UMD_RUNTIME_DIR'], NAME, 'control.sock'))

	def set(self, path, value, member=None):
		"""A step that must succeed."""
		result = self.tree.set(path, value, member)
		if result != 'ok':
			print(f'Bail out! {value} to {path}: {result}', flush=True)
			raise SystemExit(1)

	def get(self, path):
		return self.tree.get(path).rstrip('\n')

	def bind(self, member):
		folder = f'dev-{os.path.basename(member.path)}'
		self.set('new_dev', member.path, member.path)
		self.set(f'{folder}/offset', str(FACTS['data_offset_sectors']))
		self.set(f'{folder}/size', str(FACTS['component_kib']))
		return folder

	def set_up(self, resync_start='none'):
		"""In the kernel's order, up to the moment before the start."""
		for path, value in (('metadata_version', 'external:test'), ('level', 'raid1'), ('raid_disks', str(len(self.members))),
				('component_size', str(FACTS['component_kib']))):
			self.set(path, value)
		for slot, member in enumerate(self.members):
			self.set(f'{self.bind(member)}/slot', str(slot))
		self.set('resync_start', resync_start)
		self.set('bitmap/metadata', 'external')
		self.set('bitmap/chunksize', str(CHUNK))
		self.set('bitmap/time_base', '0.1')
		self.set('bitmap/location', f'+{FACTS["bitmap_location_sectors"]}')

	def start(self, word='active'):
		self.set('array_state', word)

	def until(self, path, value, seconds=10):
		return self.tree.until(lambda: self.get(path) == value, seconds)

	def bits(self):
		return [m.bits() for m in self.members]


class Write:
	"""A write of a client, on a thread of its own: it may wait for the owner."""

	def __init__(self, scene, uri, at, data):
		self.error = None
		self.disk = scene.connect(uri)
		self.thread = threading.Thread(target=self.run, args=(at, data))
		self.thread.start()

	def run(self, at, data):
		try:
			self.disk.pwrite(data, at)
		except Exception as error:	# nbd.Error: the test asks for it
			self.error = error

	def is_waiting(self):
		return self.thread.is_alive()

	def is_done(self, seconds=10):
		self.thread.join(seconds)
		return not self.thread.is_alive() and self.error is None

	def close(self):
		self.thread.join(10)
		self.disk.shutdown()
