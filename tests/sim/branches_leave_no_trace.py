#!/usr/bin/env python3
"""A crash that is looked at leaves no trace in the history it left.

Goal: a seed's history does not depend on whether anybody looks at its crashes, so that one found with branches can be
studied without them, and a branch is no hidden event.
Method: the same seeds with and without branches; the hash over what happened in the trunks must be the same, the hash
over everything must not, and each seed's own hash differs from the next one's.
Law: none; what the crash points are worth rests on it.
Source: tests/sim, branch.c.

    branches_leave_no_trace.py PROGRAM"""
import re
import subprocess
import sys

SEEDS = ['--seeds', '1000', '40']


def hashes(program, *words):
	done = subprocess.run([program, *words], check=False, text=True, stdout=subprocess.PIPE)
	return tuple(re.findall(rf'^{what} hash ([0-9a-f]+)$', done.stdout, re.MULTILINE) for what in ('trunk', 'trace'))


def main():
	program = sys.argv[1]
	trunk, everything = hashes(program, *SEEDS)
	alone, alone_everything = hashes(program, *SEEDS, '--no-branches')
	single = [hashes(program, '--seed', str(seed), '--no-branches')[0] for seed in range(1000, 1006)]
	checks = [
		(len(trunk) == 1 and trunk == alone, 'the trunks are the same with and without branches'),
		(len(everything) == 1 and everything != trunk, 'with branches more happens'),
		(alone_everything == alone, 'without branches nothing else happens'),
		(len({tuple(one) for one in single}) == len(single), 'other seeds are other histories'),
	]
	print(f'1..{len(checks)}')
	for n, (is_good, text) in enumerate(checks, 1):
		print(f"{'ok' if is_good else 'not ok'} {n} - {text}")
	return 0 if all(is_good for is_good, _ in checks) else 1


if __name__ == '__main__':
	sys.exit(main())
