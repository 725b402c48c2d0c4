#!/usr/bin/python3
"""Write to an NBD export what differs between two images: write_changes.py OLD NEW URI

A file system that was changed in its image is brought into a running array this way without touching the rest.
"""
import sys

import nbd

BLOCK = 64 * 1024


def changes(old_path, new_path):
	with open(old_path, 'rb') as old, open(new_path, 'rb') as new:
		at = 0
		while block := new.read(BLOCK):
			if block != old.read(BLOCK):
				yield at, block
			at += len(block)


def main():
	old_path, new_path, uri = sys.argv[1:]
	disk = nbd.NBD()
	disk.connect_uri(uri)
	total = 0
	for at, block in changes(old_path, new_path):
		disk.pwrite(block, at)
		total += len(block)
	disk.flush()
	disk.shutdown()
	print(f'{total / 2**20:.1f} MiB of changed blocks were written')


main()
