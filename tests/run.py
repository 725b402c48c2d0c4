#!/usr/bin/env python3
"""Runs umd's tests and counts them: what `make test` calls.

Three builds of the same tree: plain (every suite), address and undefined-behaviour sanitizers (what
touches memory and hostile input), thread sanitizer (what has threads). Heavy suites that test the
whole rather than memory (oracle, kill) run once. Each statement of a TAP program and each other test
counts as one. The last line is "N passed, N failed", with ", N skipped" when there were any; the exit
status is 1 when something failed.

    tests/run.py [--long] [--only BUILD] [--suite SUITE]...

--long        longer campaigns: tests see UMD_TEST_LONG=1 and get more time; COUNT= says how many kills
--only        one of the builds: plain, asan, tsan; or machines: the plain build in guests with a cluster's daemons, which
              is not run otherwise (make test-cluster)
--suite       these suites alone"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = max(2, os.cpu_count() or 1)
OUTPUT_LINES = 60
ASAN = 'halt_on_error=1:abort_on_error=1:strict_string_checks=1'
UBSAN = 'halt_on_error=1:abort_on_error=1:print_stacktrace=1'


class Phase:
	"""Some suites of one build, run with one environment."""

	def __init__(self, name, folder, suites, setup=(), env=None, slack=1, preload=None):
		self.name, self.folder, self.suites = name, os.path.join(ROOT, folder), suites
		self.setup, self.env, self.slack, self.preload = list(setup), env or {}, slack, preload


# In nbdkit, which no sanitizer compiled, the sanitizer's library must come first; leaks are then looked for in the
# programs of our own only (unit, sim).
PHASES = [
	Phase('plain', 'build', ['unit', 'engine', 'tidy', 'sim', 'csim', 'fuzz', 'golden', 'hostile', 'cli', 'attr', 'kill', 'cluster', 'record', 'model', 'oracle', 'scenarios', 'mutants']),
	Phase('asan', 'build-asan', ['unit', 'engine', 'sim', 'csim', 'fuzz'], ['-Db_sanitize=address,undefined', '-Db_lundef=false'],
	      {'ASAN_OPTIONS': ASAN + ':detect_leaks=1', 'UBSAN_OPTIONS': UBSAN}, slack=4),
	Phase('asan', 'build-asan', ['golden', 'hostile', 'cli'], ['-Db_sanitize=address,undefined', '-Db_lundef=false'],
	      {'ASAN_OPTIONS': ASAN + ':detect_leaks=0:verify_asan_link_order=0', 'UBSAN_OPTIONS': UBSAN}, slack=4,
	      preload='libasan.so'),
	Phase('tsan', 'build-tsan', ['threads', 'engine'], ['-Db_sanitize=thread', '-Db_lundef=false'],
	      {'TSAN_OPTIONS': 'halt_on_error=1:second_deadlock_stack=1'}, slack=6),
]
MACHINES = Phase('machines', 'build', ['machines'])


class Tally:
	def __init__(self):
		self.passed, self.failed, self.skipped = 0, [], []
		self.times = []


def run(command, **more):
	return subprocess.run(command, cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)


def build(phase):
	"""Configure where needed and compile; ends the run with the compiler's words when that fails."""
	folder = phase.folder
	if not os.path.exists(os.path.join(folder, 'build.ninja')):
		must(run(['meson', 'setup', folder, *phase.setup]), f'{phase.name}: meson setup')
	must(run(['ninja', '-C', folder, '-j', str(JOBS)]), f'{phase.name}: ninja')


def must(done, what):
	if done.returncode:
		print(done.stdout)
		print(f'{what} ended with status {done.returncode}: nothing was tested\n0 passed, 1 failed')
		sys.exit(1)


def introspect(folder):
	"""name -> (protocol, suites without the project's name)"""
	tests = json.loads(must_output(['meson', 'introspect', '--tests', folder]))
	return {t['name']: (t['protocol'], {s.split(':')[-1] for s in t['suite']}) for t in tests}


def must_output(command):
	return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def library(name):
	return must_output(['gcc', '-print-file-name=' + name]).strip()


def environment(phase, is_long):
	env = dict(os.environ, UMD_TEST_BUILD=phase.name, **phase.env)
	if is_long:
		env['UMD_TEST_LONG'] = '1'
	if phase.preload:
		env['LD_PRELOAD'] = library(phase.preload) + ' ' + os.path.join(phase.folder, 'tests/sanitizer/early.so')
	return env


def run_phase(phase, suites, is_long, tally):
	known = introspect(phase.folder)
	chosen = [s for s in phase.suites if s in suites] if suites else phase.suites
	chosen = [s for s in chosen if any(s in has for _, has in known.values())]
	if not chosen:
		return
	logbase = 'run-' + '-'.join(chosen)
	slack = phase.slack * (20 if is_long else 1)
	command = ['meson', 'test', '-C', phase.folder, '--no-rebuild', '--num-processes', str(JOBS), '--logbase', logbase,
		   '--timeout-multiplier', str(slack)]
	for suite in chosen:
		command += ['--suite', suite]
	if phase.preload or phase.setup:
		command += ['--no-suite', 'once']
	print(f'== {phase.name}: {" ".join(chosen)}', flush=True)
	log = os.path.join(phase.folder, 'meson-logs', logbase + '.json')
	if os.path.exists(log):
		os.unlink(log)
	done = run(command, env=environment(phase, is_long))
	if not os.path.exists(log):
		tally.failed.append((f'[{phase.name}] meson test itself', done.stdout))
		return
	with open(log, encoding='utf-8') as f:
		for line in f:
			read_result(phase, json.loads(line), known, tally)


def read_result(phase, result, known, tally):
	name = result['name'].split(' / ')[-1]
	label = f'[{phase.name}] {name}'
	protocol = known.get(name, ('exitcode', set()))[0]
	tally.times.append((result['duration'], label))
	output = result.get('stdout', '') + result.get('stderr', '')
	if protocol == 'tap' and result['result'] != 'SKIP':
		read_tap(label, result, output, tally)
	elif result['result'] in ('OK', 'EXPECTEDFAIL'):
		tally.passed += 1
	elif result['result'] == 'SKIP':
		tally.skipped.append((label, reason_of(output)))
	else:
		tally.failed.append((f"{label}: {result['result']}, exit status {result['returncode']}", tail(output)))


def read_tap(label, result, output, tally):
	"""One count for each statement; a program that failed without saying so counts as one failure."""
	bad = 0
	for line in result.get('stdout', '').splitlines():
		m = re.match(r'(not )?ok\b\s*\d*\s*-?\s*(.*)', line)
		if not m:
			continue
		skip = re.search(r'#\s*skip\b\s*(.*)', m.group(2), re.IGNORECASE)
		if skip:
			tally.skipped.append((f'{label}: {m.group(2).split("#")[0].strip()}', skip.group(1)))
		elif m.group(1):
			bad += 1
			tally.failed.append((f'{label}: {m.group(2)}', explanation(result, line)))
		else:
			tally.passed += 1
	if not bad and result['result'] not in ('OK', 'EXPECTEDFAIL'):
		tally.failed.append((f"{label}: {result['result']}, exit status {result['returncode']}", tail(output)))


def explanation(result, line):
	"""The comment lines right below a statement that failed, and what the program said elsewhere."""
	lines = result['stdout'].splitlines()
	said = []
	for below in lines[lines.index(line) + 1:]:
		if not below.startswith('#'):
			break
		said.append(below)
	return tail('\n'.join(said) + '\n' + result.get('stderr', ''))


def reason_of(output):
	lines = [l for l in output.splitlines() if l.strip()]
	plan = [l for l in lines if re.match(r'1\.\.0', l)]
	return (plan or lines or ['no reason given'])[-1].split('SKIP')[-1].strip()


def tail(output):
	"""The end of it, without bytes that a terminal would obey."""
	lines = re.sub(r'[\x00-\x08\x0b-\x1f\x7f]', '?', output.rstrip()).splitlines()
	return '\n'.join((['...'] if len(lines) > OUTPUT_LINES else []) + lines[-OUTPUT_LINES:])


def report(tally, seconds):
	for label, output in tally.failed:
		print(f'\nFAILED {label}')
		if output.strip():
			print('  | ' + output.strip().replace('\n', '\n  | '))
	if tally.skipped:
		print('\nskipped:')
		for label, reason in tally.skipped:
			print(f'  {label}: {reason}')
	print('\nten slowest tests:')
	for duration, label in sorted(tally.times, reverse=True)[:10]:
		print(f'  {duration:7.2f} s  {label}')
	print(f'\nall in {seconds:.0f} s')
	end = f', {len(tally.skipped)} skipped' if tally.skipped else ''
	print(f'{tally.passed} passed, {len(tally.failed)} failed{end}')
	return 1 if tally.failed else 0


def main():
	parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument('--long', action='store_true')
	parser.add_argument('--only', choices=['plain', 'asan', 'tsan', 'machines'])
	parser.add_argument('--suite', action='append', default=[])
	options = parser.parse_args()
	started, tally = time.monotonic(), Tally()
	phases = [MACHINES] if options.only == 'machines' else [p for p in PHASES if options.only in (None, p.name)]
	for phase in phases:
		build(phase)
	print(f'built in {time.monotonic() - started:.0f} s', flush=True)
	for phase in phases:
		run_phase(phase, options.suite, options.long, tally)
	return report(tally, time.monotonic() - started)


sys.exit(main())
