#!/usr/bin/python3
"""The writes behind the pictures of the README: pictures_writes.py URI SEED [PID]

Like somebody who copies a large file while small ones are changed; the same chunks for the same seed. With PID that
process, the server, gets SIGKILL in the end, while writes are under way: a mirror at rest would be clean.
"""
import os
import random
import signal
import sys
import threading

import nbd

MIB = 1 << 20


def write_on(disk, at):
	try:
		while True:
			disk.pwrite(bytes(4096), at)
	except nbd.Error:
		pass


def main():
	uri, seed, pid = sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] or [0])[0])
	chance = random.Random(seed)
	disk = nbd.NBD()
	disk.connect_uri(uri)
	start = chance.randrange(200, 500)
	for at in range(start, start + 70):
		disk.pwrite(chance.randbytes(MIB), at * MIB)
	for at in chance.sample(range(1000), 24):
		disk.pwrite(chance.randbytes(4096), at * MIB)
	disk.flush()
	if pid:
		writer = threading.Thread(target=write_on, args=(disk, start * MIB))
		writer.start()
		os.kill(pid, signal.SIGKILL)
		writer.join()


main()
