#!/usr/bin/env python3
"""Runs recorded loads and replays them until a law is broken: for planted bugs, and for whoever suspects one.

    catch.py PLUGIN [--seed N] [--seconds N] [LOAD]...

The tool comes from the environment, UMD=, the replayer from UMD_REPLAY=; its words are printed. At least one load is
run. The exit status is 1 when a law was broken, as the replayer has found from the logs: also from those of a server
that died or hung, as far as they go. It is 3 when no law was broken and something else was not as it must be: a status, a
connection, a wait that ran out. That may be a slow machine."""
import argparse
import os
import subprocess
import sys
import tempfile
import time

import load

KEPT, BROKEN, ODD = 0, 1, 3


def replay(stage, members, logs, seed, has_stood_still=False):
	"""The replayer's words; what it returned."""
	command = [os.path.abspath(os.environ['UMD_REPLAY']), '--seed', str(seed), '--each', '2', '--jobs', '2',
		   *(['--stood-still'] if has_stood_still else []), '--files', *members, '--', *logs]
	done = subprocess.run(command, cwd=stage.dir, check=False, capture_output=True, text=True, timeout=600)
	return done.stdout + done.stderr, done.returncode


def record_and_replay(stage, one, seed):
	"""(what came of it, words about it)."""
	odd = None
	try:
		members, logs, _ = load.run(stage, one, seed)
	except load.Failed as e:
		members, logs, odd = e.members, e.logs, e
	words, status = replay(stage, members, logs, seed, odd and odd.has_stood_still)
	if status == 1:
		return BROKEN, words
	if odd or status:
		return ODD, f'{odd or ""}\n{words}'
	return KEPT, words


def one_load(stage, one, seed):
	try:
		came, words = record_and_replay(stage, one, seed)
	except (RuntimeError, subprocess.TimeoutExpired) as e:
		came, words = ODD, str(e)
	if came:
		print(f'{one.name}, seed {seed}: {"" if came == BROKEN else "broken is no law, but: "}{words}', flush=True)
	return came


def main():
	parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument('plugin')
	parser.add_argument('--seed', type=int, default=1)
	parser.add_argument('--seconds', type=float, default=60)
	parser.add_argument('names', nargs='*')
	options = parser.parse_args()
	chosen = [one for one in load.LOADS if not options.names or one.name in options.names]
	until, number, worst = time.monotonic() + options.seconds, 0, KEPT
	while True:
		one, seed = chosen[number % len(chosen)], options.seed + number // len(chosen)
		with tempfile.TemporaryDirectory(prefix='umd-record.') as folder:
			stage = load.Stage(folder, os.path.abspath(os.environ['UMD']), os.path.abspath(options.plugin))
			came = one_load(stage, one, seed)
		if came == BROKEN:
			return BROKEN
		worst, number = max(worst, came), number + 1
		if time.monotonic() >= until:
			return worst


if __name__ == '__main__':
	sys.exit(main())
