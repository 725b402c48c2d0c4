#!/usr/bin/env python3
"""The same seeds are the same histories, whoever compiled the program.

Goal: a seed that someone reports is the same history for everyone else.
Method: some hundred seeds, and a few with all their branches, run twice in the program that meson built and once each as
gcc with sanitizers, clang, and clang with sanitizers make it; the hash over all that happened must be the same. Order of
evaluation, padding, addresses and memory that was never written differ between these builds.
Law: none; every replay rests on it.
Source: issue 4: same seed, same trace hash.

    same_seed_same_trace.py SOURCE_ROOT PROGRAM SOURCE...      the simulator's own sources"""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOMS = ['base', 'format', 'bitmap', 'array', 'assembly']
FLAGS = ['-std=gnu17', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-w']
SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']
BUILDS = {
	'gcc with sanitizers': ['gcc', '-O1', *SANITIZERS],
	'clang': ['clang-14', '-O2'],
	'clang with sanitizers': ['clang-14', '-O1', *SANITIZERS],
}
RUNS = {
	'300 trunks': ['--no-branches', '--seeds', '1', '300'],
	'8 histories with their branches': ['--seeds', '1000', '8'],
}
JOBS = max(2, os.cpu_count() or 1)


def run(command):
	done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
			      errors='replace')
	return done.returncode, done.stdout


class Report:
	def __init__(self):
		self.count = self.failed = 0

	def say(self, is_good, text, output=''):
		self.count += 1
		self.failed += not is_good
		print(f"{'ok' if is_good else 'not ok'} {self.count} - {text}", flush=True)
		if not is_good:
			print('\n'.join('# ' + line for line in output.splitlines()[-30:]), flush=True)

	def skip(self, text, reason):
		self.count += 1
		print(f'ok {self.count} - {text} # SKIP {reason}', flush=True)


def sources_of(root, sim):
	"""The simulator brings its own allocator: base's stays out, as it does when the linker takes what is missing."""
	rooms = [path for room in ROOMS for path in sorted(glob.glob(os.path.join(root, 'src', room, '*.c')))]
	return [path for path in rooms if not path.endswith('/base/mem.c')] + sim


def compiled(pool, root, flags, sources, folder):
	"""A program, as something that waits for it: (status, output, path)."""
	objects = [os.path.join(folder, f'{n}.o') for n in range(len(sources))]
	made = [pool.submit(run, [*flags, *FLAGS, '-I' + os.path.join(root, 'src'), '-c', source, '-o', obj])
		for source, obj in zip(sources, objects)]

	def linked():
		for one in made:
			status, output = one.result()
			if status:
				return status, output, None
		program = os.path.join(folder, 'umd-sim')
		return (*run([*flags, *objects, '-o', program]), program)
	return linked


def hashes(program):
	"""(what each run's hash was, what it said), in the order of RUNS; None where there was none."""
	found = []
	for words in RUNS.values():
		status, output = run([program, *words])
		got = re.findall(r'^trace hash ([0-9a-f]{16})$', output, re.MULTILINE)
		found.append((got[0] if status == 0 and len(got) == 1 else None, output))
	return found


def compare(report, name, found, wanted):
	for what, (got, output), (expected, _) in zip(RUNS, found, wanted):
		report.say(got is not None and got == expected, f'{name}: {what} leave the same trace',
			   output + f'\ngot {got}, wanted {expected}')


def main():
	root, program, sim = sys.argv[1], sys.argv[2], sys.argv[3:]
	report = Report()
	with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
		builds = {}
		for name, flags in BUILDS.items():
			if shutil.which(flags[0]):
				os.mkdir(os.path.join(folder, name))
				builds[name] = compiled(pool, root, flags, sources_of(root, sim), os.path.join(folder, name))
		wanted = hashes(program)
		report.say(all(got for got, _ in wanted), 'the program that was built leaves traces',
			   ''.join(output for _, output in wanted))
		report.say(len({got for got, _ in wanted}) == len(RUNS), 'other histories, other traces', str(wanted))
		compare(report, 'the same program once more', hashes(program), wanted)
		for name, flags in BUILDS.items():
			if name not in builds:
				report.skip(name, f'{flags[0]} is not installed')
				continue
			status, output, other = builds[name]()
			if status:
				report.say(False, f'{name} compiles', output)
			else:
				compare(report, name, hashes(other), wanted)
	print(f'1..{report.count}')
	return 1 if report.failed else 0


if __name__ == '__main__':
	sys.exit(main())
