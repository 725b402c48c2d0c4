#!/usr/bin/python3
"""A client under load, in a guest: load.py URI FIRST LENGTH BLOCK SEED [SECONDS [PAUSE_MS]]

Writes blocks at random places of its area, one after the other, until SECONDS are over (0: for ever). A block is full of one
line, "<microseconds since 1970> <count>", so the disks tell what was written last. Each acknowledged write is a line on stdout:
microseconds when asked, when answered, place, count; an error ends it with the server's words.
"""
import random
import sys
import time

import nbd

uri = sys.argv[1]
first, length, size, seed = map(int, sys.argv[2:6])
seconds = float(sys.argv[6]) if len(sys.argv) > 6 else 0
pause = float(sys.argv[7]) / 1000 if len(sys.argv) > 7 else 0
dice = random.Random(seed)
client = nbd.NBD()
client.connect_uri(uri)
end = time.monotonic() + seconds
count = 0
while not seconds or time.monotonic() < end:
	asked = time.time_ns() // 1000
	line = f'{asked} {count:07}\n'.encode()
	at = first + size * dice.randrange(length // size)
	try:
		client.pwrite((line * (size // len(line) + 1))[:size], at)
	except nbd.Error as error:
		print('error', time.time_ns() // 1000, error, flush=True)
		sys.exit(1)
	print(asked, time.time_ns() // 1000, at, count, flush=True)
	count += 1
	if pause:
		time.sleep(pause)
