#!/usr/bin/env python3
"""Runs recorded loads and replays them until a law is broken: for planted bugs, and for whoever suspects one.

    catch.py PLUGIN [--seed N] [--seconds N] [LOAD]...

The tool comes from the environment, UMD=, the replayer from UMD_REPLAY=. The exit status is 1 when a law was broken, or
when a server did not do what it must; the replayer's words are printed."""
import argparse
import os
import subprocess
import sys
import tempfile
import time

import load


def replay(stage, name, members, logs, seed):
	"""The replayer's words; what it returned."""
	command = [os.path.abspath(os.environ['UMD_REPLAY']), '--seed', str(seed), '--each', '2', '--jobs', '2', '--files', *members,
		   '--', *logs]
	done = subprocess.run(command, cwd=stage.dir, check=False, capture_output=True, text=True, timeout=600)
	return done.stdout + done.stderr, done.returncode


def one_load(stage, one, seed):
	try:
		members, logs, _ = load.run(stage, one, seed)
	except (RuntimeError, subprocess.TimeoutExpired) as e:
		print(f'LAW I9 BROKEN: {one.name}: {e}')
		return False
	words, status = replay(stage, one.name, members, logs, seed)
	if status:
		print(f'{one.name}, seed {seed}: {words}')
	return status == 0


def main():
	parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument('plugin')
	parser.add_argument('--seed', type=int, default=1)
	parser.add_argument('--seconds', type=float, default=60)
	parser.add_argument('names', nargs='*')
	options = parser.parse_args()
	chosen = [one for one in load.LOADS if not options.names or one.name in options.names]
	until, number = time.monotonic() + options.seconds, 0
	while time.monotonic() < until:
		with tempfile.TemporaryDirectory(prefix='umd-record.') as folder:
			stage = load.Stage(folder, os.path.abspath(os.environ['UMD']), os.path.abspath(options.plugin))
			for one in chosen:
				if not one_load(stage, one, options.seed + number):
					return 1
		number += 1
	return 0


if __name__ == '__main__':
	sys.exit(main())
