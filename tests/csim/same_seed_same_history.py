#!/usr/bin/env python3
"""Goal: a seed is a history: whoever runs it sees the same, with a trace or without, alone or after others.
Method: umd-csim runs seeds twice, in both orders; hashes of all that reached members and clients are compared, as are
traces; an unknown option, a count that is not reached and an idle demand are failures.
Law: none: without this no broken law could be looked at again.
Source: HACKING.md."""
import re
import subprocess
import sys

SEEDS = (11, 12, 13)
PROGRAM = sys.argv[1]
count = failed = 0


def run(*words):
	done = subprocess.run([PROGRAM, *words], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	return done.returncode, re.sub(r' in [0-9.]+ s$', '', done.stdout, flags=re.MULTILINE)


def check(is_true, statement):
	global count, failed
	count += 1
	failed += not is_true
	print(f'{"ok" if is_true else "not ok"} {count} - {statement}')


def hashes(*words):
	return re.findall(r'^history hash (\w+)', run(*words)[1], re.MULTILINE)


def main():
	one_by_one = [hashes('--seed', str(seed)) for seed in SEEDS]
	check(all(len(h) == 1 for h in one_by_one) and len({h[0] for h in one_by_one}) == len(SEEDS), 'each seed has its own')
	check([hashes('--seed', str(seed)) for seed in reversed(SEEDS)] == one_by_one[::-1], 'the same again')
	check([hashes('--seed', str(seed), '--trace') for seed in SEEDS] == one_by_one, 'the same with a trace')
	after = hashes('--seeds', str(SEEDS[0]), str(len(SEEDS)))
	check(after[-1:] == one_by_one[-1], 'the same after others')
	check(run('--seed', '11', '--trace') == run('--seed', '11', '--trace'), 'a trace is the same each time')
	check(hashes('--seed', '11', '--fault-at', '20', '0') not in one_by_one, 'a fault makes it another one')
	check(hashes('--seed', '11', '--nodes', '2') != hashes('--seed', '11', '--nodes', '5'), 'so does the number of nodes')
	status, output = run('--seeds', '1', '2', '--at-least', '100000')
	check(status == 1 and 'are fewer than 100000' in output, 'too few fault points are a failure')
	status, output = run('--seeds', '1', '1', '--demand')
	check(status == 1 and 'never seen' in output, 'a tame run is a failure where that is asked')
	check(run('--listed', '/dev/null')[0] == 2 and run('--listed')[0] == 2, 'a list without seeds is status 2')
	check(run('--sead', '1')[0] == 2 and run('--seed', 'x')[0] == 2 and run()[0] == 2, 'what makes no sense is status 2')
	print(f'1..{count}')
	return failed != 0


sys.exit(main())
