"""Linux's turn, inside the guest: check what the world before left behind, then write until the power goes.

	linux_turn.py FOLDER LOG_DISK MEMBER_DISK...

FOLDER (the host's, through hostfs) has turn.json: regions, seed, data_offset, size, write_s. Here findings.json is left
there, before the first write. /dev/md0 runs.

A writer's story must outlive the guest: each writer has a part of LOG_DISK, where a sector says what it begins and
another that it has ended, both by O_DIRECT: when that returns, the host has it. Host: read_log().
"""
import fcntl
import json
import mmap
import os
import random
import struct
import subprocess
import sys
import threading
import time

import regions
from regions import SECTOR, Region

MAGIC, BEGUN, ENDED = 0x756d6421, 1, 2
LOG_BYTES = 16 << 20		# of one writer
RECORD = struct.Struct('<IIIIIQ')	# magic, number, kind, first, count, version; the version of zeroes is 0
BLKZEROOUT = 0x127f


class DirectDisk:
	"""A block device without a page cache. Buffers must lie on pages, so each thread has a disk of its own."""

	def __init__(self, path):
		self.fd = os.open(path, os.O_RDWR | os.O_DIRECT)
		self.page = mmap.mmap(-1, 1 << 20)

	def flush(self):
		os.fsync(self.fd)

	def pread(self, count, at):
		with memoryview(self.page) as page, page[:count] as part:
			if os.preadv(self.fd, [part], at) != count:
				raise OSError(f'short read at {at}')
			return bytes(part)

	def pwrite(self, data, at, is_durable=False):
		self.page[:len(data)] = data
		with memoryview(self.page) as page, page[:len(data)] as part:
			if os.pwritev(self.fd, [part], at, os.RWF_DSYNC if is_durable else 0) != len(data):
				raise OSError(f'short write at {at}')

	def zero(self, count, at, is_durable):
		fcntl.ioctl(self.fd, BLKZEROOUT, struct.pack('<QQ', at, count))
		if is_durable:
			self.flush()


class LoggedRegion(Region):
	"""A region whose requests can be told when nobody who made them is left."""

	def open_log(self, path):
		self.log, self.records = DirectDisk(path), 0
		return self

	def note(self, kind):
		first, count, version = self.in_flight
		record = RECORD.pack(MAGIC, self.records, kind, first, count, version)
		self.log.pwrite(record.ljust(SECTOR, b'\0'), self.writer * LOG_BYTES + self.records * SECTOR)
		self.records += 1

	def begin(self, first, count, is_zero):
		super().begin(first, count, is_zero)
		self.note(BEGUN)

	def end(self):
		self.note(ENDED)
		super().end()


def read_log(path, region):
	"""On the host: let @region know what its writer did in the guest. Returns how many requests that were."""
	requests = 0
	with open(path, 'rb') as f:
		for number in range(LOG_BYTES // SECTOR):
			f.seek(region.writer * LOG_BYTES + number * SECTOR)
			magic, at, kind, first, count, version = RECORD.unpack(f.read(RECORD.size))
			if magic != MAGIC or at != number:
				break
			if kind == BEGUN:
				region.clock += 1
				region.in_flight = (first, count, version)
				requests += 1
			else:
				region.end()
	return requests


# ---- checking ----

def members_are_equal(paths, at, size):
	disks, step = [DirectDisk(p) for p in paths], 1 << 20
	return all(len({d.pread(min(step, size - done), at + done) for d in disks}) == 1 for done in range(0, size, step))


def attribute(name):
	with open('/sys/block/md0/md/' + name, encoding='ascii') as f:
		return f.read().strip()


def wait_for_sync():
	while attribute('sync_action') != 'idle':
		time.sleep(0.01)	# Linux has no event for it that can be waited for here
	return attribute('degraded') == '0'


def look(turn, known, members):
	disk = DirectDisk('/dev/md0')
	early = regions.read_all(disk, known)
	action = attribute('sync_action')
	wrong = regions.settle_all(known, early)
	is_whole = wait_for_sync()
	late = regions.read_all(disk, known)
	return {'wrong': wrong, 'is_stable': early == late, 'is_whole': is_whole, 'action': action,
		'is_equal': members_are_equal(members, turn['data_offset'], turn['size']),
		'regions': [r.to_dict() for r in known]}


def leave(path, findings):
	"""On the host when this returns; under its name only when it is complete."""
	with open(path + '.new', 'w', encoding='utf-8') as f:
		json.dump(findings, f)
		f.flush()
		os.fsync(f.fileno())
	os.rename(path + '.new', path)


# ---- writing ----

def write(known, log, seed, failures):
	try:
		region, rng, disk = known.open_log(log), random.Random(seed), DirectDisk('/dev/md0')
		while regions.one_step(rng, disk, region):
			pass
		failures.append(f'writer {region.writer}: a read returned what was not written last')
	except OSError as error:
		failures.append(f'writer {known.writer}: {error}')


def main():
	folder, log, members = sys.argv[1], sys.argv[2], sys.argv[3:]
	with open(os.path.join(folder, 'turn.json'), encoding='utf-8') as f:
		turn = json.load(f)
	known, failures = [LoggedRegion.from_dict(r) for r in turn['regions']], []
	leave(os.path.join(folder, 'findings.json'), look(turn, known, members))
	rng = random.Random(turn['seed'])
	for region in known:
		threading.Thread(target=write, args=(region, log, rng.random(), failures), daemon=True).start()
	time.sleep(turn['write_s'])	# the crash comes at any moment
	if failures:
		leave(os.path.join(folder, 'failures.json'), failures)
	subprocess.run(['crash-now'], check=False)


if __name__ == '__main__':
	main()
