"""Scenes in which the real Linux md takes part: a guest kernel that sees the scene's directory and its images as disks.

Every disk of a guest is /dev/ubda, /dev/ubdb, ... in the order given. A guest script runs in the scene's directory and
leaves its findings there as small files.
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'cli'))
from scene import Scene  # noqa: E402

POISON = b'\xa5'
CUT = 125		# uml-run's exit status when the script pulled the plug

# What every guest script may use.
PREAMBLE = '''#!/bin/bash
set -eu
echo 0 > /sys/module/md_mod/parameters/start_ro
disk() { printf '/dev/ubd%s' "$(printf "\\\\x$(printf %x $((97 + $1)))")"; }
assemble() { mdadm --assemble "$@" > mdadm.log 2>&1 || { cat mdadm.log; exit 1; }; }
idle() { while ! grep -qx idle "/sys/block/$1/md/sync_action"; do mdadm --wait "/dev/$1" || true; done; }
check() { echo check > "/sys/block/$1/md/sync_action"; idle "$1"; cat "/sys/block/$1/md/mismatch_cnt"; }
'''


def skip_without_linux():
	for program in 'linux.uml', 'mdadm':
		if not shutil.which(program, path=os.environ['PATH'] + ':/usr/sbin:/sbin'):
			print(f'1..0 # SKIP {program} is not installed')
			sys.exit(0)	# in TAP the plan says that it was skipped; 77 would be an error


class Lab(Scene):
	def __enter__(self):
		skip_without_linux()
		return super().__enter__()

	def guest(self, script, *images, limit=100, name='guest.sh'):
		path = self.path(name)
		with open(path, 'w') as f:
			f.write(PREAMBLE + script)
		os.chmod(path, 0o755)
		disks = [word for image in images for word in ('-d', image)]
		return subprocess.run([os.path.join(HERE, '..', 'lab', 'uml-run'), '-t', str(limit), *disks, '--', path], cwd=self.dir,
			capture_output=True, text=True)

	def said(self, name):
		"""What the guest left in a file; empty when it did not get that far."""
		try:
			with open(self.path(name)) as f:
				return f.read().strip()
		except FileNotFoundError:
			return ''

	# ---- images ----

	def geometry(self, image):
		"""(where the data begins, bytes of it, bitmap) of a member."""
		m = self.json('examine', '--json', '--all', image)['members'][0]
		return m['superblock']['data_offset_bytes'], m['superblock']['component_bytes'], m['bitmaps'][0]

	def set_chunks(self, image):
		"""[(first byte, length)] of the data that the set bits of @image cover; the last chunk ends with the array."""
		_, size, bitmap = self.geometry(image)
		chunk = bitmap['chunk_bytes']
		return [(n * chunk, min(chunk, size - n * chunk)) for a, b in bitmap['set'] for n in range(a, b + 1)]

	def data(self, image):
		at, size, _ = self.geometry(image)
		with open(image, 'rb') as f:
			f.seek(at)
			return f.read(size)

	def poison(self, image):
		"""Overwrite the whole data area: what is copied there later shows."""
		at, size, _ = self.geometry(image)
		with open(image, 'r+b') as f:
			f.seek(at)
			f.write(POISON * size)

	def copied_chunks(self, poisoned):
		"""The chunks in which the poison was overwritten, as set_chunks() gives them."""
		_, size, bitmap = self.geometry(poisoned)
		chunk, data = bitmap['chunk_bytes'], self.data(poisoned)
		pieces = ((at, data[at:at + chunk]) for at in range(0, size, chunk))
		return [(at, len(piece)) for at, piece in pieces if piece != POISON * len(piece)]
