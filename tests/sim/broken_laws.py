#!/usr/bin/env python3
"""Plants the bug that breaks one law and demands that the simulated world turns red.

Goal: a law whose check has gone blind is noticed.
Method: the pure rooms and the simulator are compiled once more with -DUMD_BREAK_LAW, and run until some seed ends
with a broken law, at most SEEDS of them.
Law: the one named on the command line.
Source: conventions, section 6: tests are tested.

    broken_laws.py SOURCE_ROOT LAW"""
import glob
import os
import re
import subprocess
import sys
import tempfile

SEEDS = 3000
ROOMS = ['src/base', 'src/format', 'src/bitmap', 'src/array', 'src/assembly', 'tests/sim']


def compile_broken(root, law, program):
	sources = [path for room in ROOMS for path in sorted(glob.glob(os.path.join(root, room, '*.c')))]
	command = [os.environ.get('CC', 'cc'), '-std=gnu17', '-O1', '-D_GNU_SOURCE', f'-DUMD_BREAK_LAW=LAW_{law}',
		   '-I' + os.path.join(root, 'src'), *sources, '-o', program]
	return subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def say(is_good, number, text):
	print(f"{'ok' if is_good else 'not ok'} {number} - {text}")


def run(program):
	return subprocess.run([program, '--seeds', '1', str(SEEDS)], check=False, text=True, stdout=subprocess.PIPE,
			      stderr=subprocess.STDOUT)


def main():
	root, law = sys.argv[1:3]
	print('1..2')
	with tempfile.TemporaryDirectory() as folder:
		program = os.path.join(folder, 'umd-sim')
		made = compile_broken(root, law, program)
		say(made.returncode == 0, 1, f'the world is compiled with the bug that breaks {law}')
		if made.returncode:
			print('\n'.join('# ' + line for line in made.stdout.splitlines()[:30]))
			print('not ok 2 - it could not run')
			return 1
		done = run(program)
	broken = re.search(r'LAW (\S+) BROKEN.*\n\s*seed (\d+), (.*)', done.stdout)
	is_red = done.returncode == 1 and broken
	say(is_red, 2, f'within {SEEDS} seeds a history turns red')
	if is_red:
		print(f'# seed {broken[2]}: law {broken[1]}: {broken[3]}')
	else:
		print('\n'.join('# ' + line for line in done.stdout.splitlines()[-10:]))
	return 0 if is_red else 1


if __name__ == '__main__':
	sys.exit(main())
