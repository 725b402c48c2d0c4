#!/usr/bin/env python3
"""A run says what it checked and what it broke, one fact per line, and ends with its verdict.

Goal: a law that was never at stake, or a fault that never happened, cannot hide in a sum.
Method: a few seeds are run, traced and not; the output is compared with the laws and faults of the sources; then few
seeds with --demand, which must be refused, since not everything happens in them.
Law: all; each has a line.
Source: issue 4, item 9.

    runs_tell_what_they_have_seen.py SOURCE_ROOT SIM_FOLDER PROGRAM"""
import os
import re
import subprocess
import sys

count = failed = 0


def ok(is_good, text, *shown):
	global count, failed
	count += 1
	failed += not is_good
	print(f"{'ok' if is_good else 'not ok'} {count} - {text}", flush=True)
	if not is_good:
		print('\n'.join('# ' + line for thing in shown for line in str(thing).splitlines()[-40:]), flush=True)


def run(program, *words):
	done = subprocess.run([program, *words], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	return done.returncode, done.stdout.splitlines()


def words_of(path, pattern):
	with open(path, encoding='utf-8') as f:
		return re.findall(pattern, f.read(), re.MULTILINE)


def numbers(lines, pattern):
	return [m.groups() for m in (re.fullmatch(pattern, line) for line in lines) if m]


def trace_is_a_score(lines):
	"""Every line of the score has its columns in the same places."""
	first = next((n for n, line in enumerate(lines) if line.startswith('  step')), None)
	if first is None:
		return False
	places = [m.start() for m in re.finditer(r'\|', lines[first])]
	score = [line for line in lines[first:] if '|' in line and not line.startswith('  step')]
	return len(score) > 20 and len(places) >= 2 and all(line[place] == '|' for line in score for place in places)


def main():
	root, sim, program = sys.argv[1:4]
	laws = words_of(os.path.join(root, 'src/base/law.def'), r'^L\((I\w+),')	# those of nodes are tests/csim's
	faults = words_of(os.path.join(sim, 'disk.h'), r'^\tFAULT_(?!KINDS)(\w+),')
	names = [name.lower().replace('_', '-') for name in faults]
	status, lines = run(program, '--seeds', '1', '12')
	at_stake, happened = numbers(lines, r'(I\d+) (\d+)'), numbers(lines, r'fault ([a-z-]+) (\d+)')
	ok(status == 0, 'the seeds keep the laws', '\n'.join(lines))
	ok([law for law, _ in at_stake] == laws, 'each law has its line, in their order', laws, at_stake)
	ok([name for name, _ in happened] == names and len(names) > 5, 'each kind of fault has its line', names, happened)
	ok(len(numbers(lines, r'simulated time (\d+:[0-5]\d:[0-5]\d)')) == 1, 'simulated time is told', '\n'.join(lines))
	end = re.fullmatch(r'(\d+) seeds, (\d+) crash points, (\d+) faults, (\d+) violations', lines[-1])
	ok(end and end[1] == '12' and int(end[2]) > 0 and end[4] == '0', 'the last line is the verdict', lines[-1])
	ok(end and int(end[3]) == sum(int(n) for _, n in happened), 'its faults are the sum of their lines', lines[-1])

	status, few = run(program, '--no-branches', '--seeds', '1', '1', '--demand')
	said = numbers(few, r'never (?:at stake|happened): (?:fault )?([\w-]+).*')
	idle = [name for name, n in numbers(few, r'(I\d+) (\d+)') + numbers(few, r'fault ([a-z-]+) (\d+)') if n == '0']
	syncs = numbers(few, r'(\d+) resyncs, (\d+) recoveries, .*')[0]
	idle += [name for name, n in zip(('resync', 'recovery'), syncs) if n == '0']
	ok(status == 1 and idle and [name for name, in said] == idle, 'what was never at stake is demanded, by name', idle, said)

	_, quiet = run(program, '--seed', '1')
	status, traced = run(program, '--seed', '1', '--trace')
	hashes = [numbers(got, r'trace hash ([0-9a-f]{16})') for got in (quiet, traced)]
	ok(status == 0 and len(hashes[0]) == 1 and hashes[0] == hashes[1], 'watching changes nothing', hashes)
	ok(trace_is_a_score(traced), 'a trace has a column per member', '\n'.join(traced[:40]))
	print(f'1..{count}')
	return 1 if failed else 0


if __name__ == '__main__':
	sys.exit(main())
