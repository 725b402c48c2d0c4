"""A mirror whose metadata umd-owner keeps: the server, the owner, its record, and what the members hold."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tree import IN_MOVED_TO, Member, Tree, Writes  # noqa: E402

NAME = 'owned'
PATIENCE_S = 30
FACTS = {'chunk_bytes': 65536, 'bitmap_location_sectors': 8, 'data_offset_sectors': 2048, 'component_kib': 15360, 'bits': 240}


def fuse_is_missing():
	"""Why there can be no tree of files, or None."""
	if not os.access('/dev/fuse', os.R_OK | os.W_OK):
		return '/dev/fuse is not there for us'
	return None


class Mirror:
	"""Members a.img, b.img, ... of a scene; the first is in sync, and what the others are is said by @statuses."""

	def __init__(self, scene, statuses=('in sync', 'in sync'), period_s=1):
		self.s = scene
		self.box = scene.path('box')
		os.mkdir(self.box)
		self.members = [Member(scene.path(f'{chr(97 + n)}.img'), FACTS) for n in range(len(statuses))]
		self.record_path = os.path.join(self.box, 'record.json')
		with open(self.record_path, 'w', encoding='utf-8') as f:
			json.dump({'name': 'owned', 'data_offset_sectors': FACTS['data_offset_sectors'],
				'component_kib': FACTS['component_kib'], 'is_dirty': False,
				'bitmap': {'location_sectors': FACTS['bitmap_location_sectors'],
					'chunk_bytes': FACTS['chunk_bytes'], 'time_base_s': period_s},
				'members': [{'path': m.path, 'status': status}
					for m, status in zip(self.members, statuses)]}, f)
		self.records = Writes([self.box], IN_MOVED_TO)
		self.writes = Writes([m.path for m in self.members])
		self.keeper = self.owner = self.tree = None

	# ---- processes ----

	def serve(self):
		self.keeper, self.uri = self.s.serve_in_foreground('--inactive', '--tree', '--name', NAME, start_new_session=True)
		self.folder = os.path.join(self.s.env['UMD_RUNTIME_DIR'], NAME)
		self.pid = self.s.json('detail', '--json', NAME)['pid']
		self.tree = Tree(os.path.join(self.folder, 'control.sock'))

	def kill_server(self, with_keeper=False):
		self.tree.close()
		try:
			if with_keeper:
				os.killpg(self.keeper.pid, signal.SIGKILL)
			else:
				os.kill(self.pid, signal.SIGKILL)
			return True
		except ProcessLookupError:
			return False
		finally:
			self.words = self.keeper.communicate()[1]

	def own(self):
		self.owner = subprocess.Popen([os.environ['UMD_OWNER'], self.record_path, os.path.join(self.folder, 'md')],
			stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

	def kill_owner(self):
		self.owner.kill()
		return self.owner.communicate()[1]

	def end(self):
		"""The owner first: it would say that its tree is gone."""
		if self.owner and self.owner.poll() is None:
			self.kill_owner()
		if self.keeper and self.keeper.poll() is None:
			self.s.umd('stop', NAME)
			self.keeper.communicate(timeout=30)

	# ---- what is seen ----

	def record(self):
		with open(self.record_path, encoding='utf-8') as f:
			return json.load(f)

	def statuses(self):
		return [m['status'] for m in self.record()['members']]

	def get(self, path):
		return self.tree.get(path).rstrip('\n')

	def bits(self):
		return [m.bits() for m in self.members]

	def until(self, is_so, text, seconds=PATIENCE_S):
		"""Wait for something to become true of tree, record and members; a statement of the test."""
		so = self.tree.until(is_so, seconds, [self.records.fd, self.writes.fd])
		return self.s.ok(so, text, self.story() if not so else '')

	def story(self):
		if self.keeper.poll() is not None:
			return self.words
		names = [p for p in self.tree.names() if p in ('array_state', 'sync_action', 'degraded', 'resync_start', 'bitmap/can_clear')
			or p.endswith(('/state', '/slot'))]
		return '\n'.join([json.dumps(self.record()), *(f'{p} {self.get(p)}' for p in names), str(self.bits())])

	def runs(self):
		return self.get('array_state') not in ('clear', 'inactive')

	def is_whole(self):
		return self.runs() and self.get('degraded') == '0' and \
			self.get('sync_action') == 'idle' and set(self.statuses()) == {'in sync'}

	def data(self, member):
		return member.read(member.data_at, member.data_bytes)

	def members_are_equal(self):
		first = self.data(self.members[0])
		return all(self.data(m) == first for m in self.members)
