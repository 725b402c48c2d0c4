#!/usr/bin/env python3
"""Runs the fuzz targets with libFuzzer and keeps what they found: what `make fuzz` calls.

    campaign.py [--seconds N] [--build FOLDER] [TARGET...]

Each target gets N seconds of CPU (600 by default) in slices of at most 100, starting from its kept corpus and from seeds
made of the golden images (seeds.py). Afterwards the corpus is minimised: the smallest inputs that reach the same edges of
the code as often, or, where that is too much to keep, the same edges. An input that breaks a property or makes a sanitizer
speak stays in FOLDER/campaign/found/; reduced and given a name that begins with "regression-" it belongs into corpus/, where
it is never thrown away.

One line of figures per target, as in docs/reliability.md; the exit status is 1 when something was found."""
import argparse
import glob
import os
import re
import resource
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CORPUS = os.path.join(HERE, 'corpus')
SLICE, FOUND_MOST = 100, 20
KEEP_FILES, KEEP_BYTES = 400, 300 * 1024
LIMITS = ['-timeout=10', '-rss_limit_mb=3072', '-print_final_stats=1', '-verbosity=1']
LENGTHS = {'attrs': 1500, 'examine': 8192, 'judge': 2800, 'sizes': 512, 'text': 512, 'control': 1024, 'sb0': 4200, 'sb1': 4368}
ENV = dict(os.environ, ASAN_OPTIONS='halt_on_error=1:abort_on_error=1:detect_leaks=1:allocator_may_return_null=1',
	   UBSAN_OPTIONS='halt_on_error=1:abort_on_error=1:print_stacktrace=1')


def run(command, **more):
	return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', env=ENV,
			      check=False, **more)


def cpu_seconds():
	used = resource.getrusage(resource.RUSAGE_CHILDREN)
	return used.ru_utime + used.ru_stime


def build(folder):
	if not os.path.exists(os.path.join(folder, 'build.ninja')):
		setup = run(['meson', 'setup', folder, ROOT, '-Dfuzz=true', '-Db_sanitize=address,undefined', '-Db_lundef=false',
			     '--native-file', os.path.join(HERE, 'clang.ini')])
		if setup.returncode:
			sys.exit(setup.stdout)
	done = run(['ninja', '-C', folder, 'fuzz'])
	if done.returncode:
		sys.exit(done.stdout)


def number(pattern, text, otherwise=0):
	found = re.findall(pattern, text)
	return int(found[-1]) if found else otherwise


class Target:
	def __init__(self, name, folder):
		self.name, self.program = name, os.path.join(folder, 'tests/fuzz/fuzz_' + name)
		self.kept = os.path.join(CORPUS, name)
		self.work, self.found = os.path.join(folder, 'campaign', name), os.path.join(folder, 'campaign/found')
		self.seeds, self.log = os.path.join(folder, 'campaign/seeds', name), os.path.join(folder, 'campaign', name + '.log')
		for path in (self.kept, self.work, self.found):
			os.makedirs(path, exist_ok=True)

	def call(self, *words):
		done = run([self.program, *LIMITS, f'-malloc_limit_mb={64 if self.name == "examine" else 512}', *words])
		with open(self.log, 'a', encoding='utf-8') as f:
			f.write(done.stdout)
		return done

	def finds(self):
		return glob.glob(os.path.join(self.found, self.name + '-*'))

	def fuzz(self, seconds):
		"""Executions, and the seconds of CPU they took."""
		words = [f'-artifact_prefix={self.found}/{self.name}-', f'-max_len={LENGTHS.get(self.name, 4096)}']
		if os.path.exists(self.seeds + '.dict'):
			words.append(f'-dict={self.seeds}.dict')
		folders = [f for f in (self.work, self.kept, self.seeds) if os.path.isdir(f)]
		executions, started = 0, cpu_seconds()
		while cpu_seconds() - started < seconds and len(self.finds()) < FOUND_MOST:
			left = seconds - (cpu_seconds() - started)
			done = self.call(*words, f'-max_total_time={max(1, int(min(SLICE, left)))}', *folders)
			executions += number(r'stat::number_of_executed_units: (\d+)', done.stdout) or number(r'^#(\d+)\t', done.stdout)
		return executions, cpu_seconds() - started

	def minimise(self):
		"""The kept corpus anew: by features, or by edges alone where that is too much. Named regressions stay."""
		named = glob.glob(os.path.join(self.kept, 'regression-*'))
		sources = [f for f in (self.kept, self.work, self.seeds) if os.path.isdir(f)]
		for how in (['-merge=1'], ['-set_cover_merge=1'], ['-set_cover_merge=1', '-use_counters=0']):
			new = self.work + '.new'
			shutil.rmtree(new, ignore_errors=True)
			os.makedirs(new)
			self.call(*how, f'-max_len={LENGTHS.get(self.name, 4096)}', new, *sources)
			files = glob.glob(os.path.join(new, '*'))
			if files and len(files) <= KEEP_FILES - len(named) and sum(map(os.path.getsize, files)) <= KEEP_BYTES:
				break
		for path in glob.glob(os.path.join(self.kept, '*')):
			if path not in named:
				os.unlink(path)
		for path in files:
			shutil.copy(path, self.kept)

	def figures(self, executions, seconds):
		shown = self.call('-runs=0', self.kept).stdout
		files = glob.glob(os.path.join(self.kept, '*'))
		return (f'| {self.name} | {executions} | {number(r"cov: ([0-9]+)", shown)} | {number(r"ft: ([0-9]+)", shown)} | '
			f'{len(files)} | {sum(map(os.path.getsize, files))} | {seconds:.0f} | {len(self.finds())} |')


def main():
	parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument('--seconds', type=int, default=600)
	parser.add_argument('--build', default=os.path.join(ROOT, 'build-fuzz'))
	parser.add_argument('targets', nargs='*')
	options = parser.parse_args()
	build(options.build)
	seeds = os.path.join(options.build, 'campaign/seeds')
	shutil.rmtree(seeds, ignore_errors=True)
	subprocess.run([sys.executable, os.path.join(HERE, 'seeds.py'), seeds], check=True)
	known = sorted(os.path.basename(p)[5:] for p in glob.glob(os.path.join(options.build, 'tests/fuzz/fuzz_*')) if os.access(p, os.X_OK)
		       and os.path.isfile(p))
	unknown = set(options.targets) - set(known)
	if unknown:
		sys.exit(f'no such target: {", ".join(sorted(unknown))}; there are {", ".join(known)}')
	print('| target | executions | edges | features | files | bytes | CPU s | found |', flush=True)
	count, started = 0, time.monotonic()
	for name in options.targets or known:
		target = Target(name, options.build)
		executions, seconds = target.fuzz(options.seconds)
		target.minimise()
		print(target.figures(executions, seconds), flush=True)
		for path in target.finds():
			print(f'  {path}', flush=True)
		count += len(target.finds())
	print(f'all in {time.monotonic() - started:.0f} s, {count} found')
	return 1 if count else 0


sys.exit(main())
