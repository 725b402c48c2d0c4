#!/usr/bin/env python3
"""Goal:   whatever superblocks and bitmaps claim, umd answers in a sentence, soon, in little memory, and changes nothing.
Method: 1,200 images with right checksums and wrong fields (images.py), each through the real `umd examine` in words and
        JSON, `umd map`, `umd why`, and `umd serve --readonly`, which is stopped again where it starts. Demanded of every
        command: no signal, exit status 0 or 1, 2 s, JSON that parses, no byte a terminal obeys, one sentence a member on
        stderr, no byte of an image changed; of those that only look 64 MiB besides.
Law:    I7 (looking changes no byte), I9 (assembled or refused with a reason).
Source: tests/golden; design: a sentence for everything.

    hostile.py UMD [--seed S] [--count N] [--only NUMBER]

--only repeats one case and says what was changed in it. Images of failed cases are kept in ./hostile-failed."""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import sys
import tempfile
import threading

import images
from program import Program, is_safe_text, picture

import goldenlib

BATCH = 100
LOOKS = [['examine'], ['examine', '--json'], ['map'], ['map', '--json'], ['why', '--json']]
WORKERS = 2


class Worker:
	"""A folder and a run-time directory for the cases of one thread."""
	all = threading.local()

	def __init__(self, umd, top):
		self.folder = tempfile.mkdtemp(dir=top)
		self.program = Program(umd, self.folder)

	@classmethod
	def mine(cls, umd, top):
		if not hasattr(cls.all, 'worker'):
			cls.all.worker = cls(umd, top)
		return cls.all.worker


def same_or(what, before, paths):
	return [] if [picture(p) for p in paths] == before else [f'{what} changed a byte']


def sentence_count_wrong(what, done, members):
	lines = [l for l in done.err.splitlines() if l.strip()]
	return [f'{what}: {len(lines)} lines on stderr for {members} members: {done.err[:500]}'] if len(lines) > members else []


def try_json(what, done):
	if not done.out.strip():
		return [] if done.status else [f'{what}: no JSON']
	try:
		json.loads(done.out)
		return []
	except ValueError as e:
		return [f'{what}: the JSON does not parse: {e}']


def serve(program, paths, name):
	"""Started read-only and stopped again, or refused. (whether it started, what is wrong)"""
	done = program.run('serve', '--readonly', '--run', '--background', '--name', name, *paths)
	wrong = done.wrong('serve') + ([] if is_safe_text(done.out + done.err) else ['serve: bytes a terminal obeys'])
	if done.status == 0:
		return True, wrong + program.run('stop', name).wrong('stop')
	return False, wrong + ([] if goldenlib.is_sentence(done.err) else [f'serve: refused without a sentence: {done.err!r}'])


def run_case(program, paths, number):
	"""(sentences and states that were met, what is wrong)"""
	before, wrong, met = [picture(p) for p in paths], [], set()
	for words in LOOKS:
		what, is_json = ' '.join(words), '--json' in words
		done = program.run(*words, *paths, *(['1'] if words[0] == 'why' else []))
		wrong += done.wrong(what, has_memory_limit=True)
		wrong += sentence_count_wrong(what, done, len(paths))
		if not is_safe_text(done.out + done.err):
			wrong.append(f'{what}: bytes a terminal obeys')
		wrong += try_json(what, done) if is_json else []
		wrong += same_or(what, before, paths)
		if words == LOOKS[1] and done.out.strip().startswith('{'):
			met |= sentences(done.out)
	started, more = serve(program, paths, f'h{number}')
	return met | ({'STARTED'} if started else {'REFUSED'}), wrong + more + same_or('serve', before, paths)


def sentences(out):
	"""Reasons without their numbers and paths, to count how many different ones were met."""
	try:
		said = json.loads(out)
	except ValueError:
		return set()
	found = [(m.get('error') or {}).get('code', 'BELIEVED') for m in said['members']]
	found += [a['next_start']['reason'] for a in said['arrays']]
	return {re.sub(r'\S*/\S*|[0-9a-f]{8}(:[0-9a-f]{8})+|0x[0-9a-f]+|\d+', '#', s) for s in found}


class Campaign:
	def __init__(self, umd, seed, top):
		self.umd, self.seed, self.top = umd, seed, top
		self.bases = images.load_bases(images.KINDS)

	def one(self, number):
		"""(number, kind, what was changed, sentences met, what is wrong)"""
		worker = Worker.mine(self.umd, self.top)
		name, made = images.make(self.bases, self.seed, number)
		paths = [os.path.join(worker.folder, f'm{n}.img') for n in range(len(made))]
		for image, path in zip(made, paths):
			image.write(path)
		met, wrong = run_case(worker.program, paths, number)
		if wrong:
			keep = os.path.join('hostile-failed', f'{self.seed}-{number}')
			os.makedirs(keep, exist_ok=True)
			for path in paths:
				shutil.copy(path, keep)
		for path in paths:
			os.unlink(path)
		return number, name, [image.said for image in made], met, wrong

	def replay(self, number):
		return f'replay: {os.path.relpath(__file__)} {self.umd} --seed {self.seed} --only {number}'


def run_batches(campaign, report, count):
	met, started = set(), 0
	with concurrent.futures.ThreadPoolExecutor(max_workers=WORKERS) as pool:
		for first in range(0, count, BATCH):
			last, bad = min(first + BATCH, count), []
			for number, name, said, seen, wrong in pool.map(campaign.one, range(first, last)):
				met |= seen
				started += 'STARTED' in seen
				if wrong:
					bad += [f'case {number} ({name})', *wrong, *map(str, said), campaign.replay(number)]
			report.check(not bad, f'cases {first} to {last - 1} of seed {campaign.seed}: each is answered, nothing changes', *bad)
	return met, started


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument('umd')
	parser.add_argument('--seed', type=int, default=int(os.environ.get('UMD_HOSTILE_SEED', '20261121')))
	parser.add_argument('--count', type=int, default=200 if os.environ.get('UMD_TEST_BUILD') == 'asan' else 1200)
	parser.add_argument('--only', type=int)
	options = parser.parse_args()
	report, top = goldenlib.Report(), tempfile.mkdtemp(prefix='umd-hostile.')
	try:
		campaign = Campaign(os.path.abspath(options.umd), options.seed, top)
		if options.only is not None:
			number, name, said, met, wrong = campaign.one(options.only)
			print('#', name, *said, sep='\n# ')
			print('#', met)
			report.check(not wrong, f'case {number} is answered, nothing changes', *wrong)
			return report.end()
		met, started = run_batches(campaign, report, options.count)
		# A campaign that is refused at the door tests the door alone.
		report.check(started >= options.count // 25, f'{started} of them start read-only')
		report.check(len(met) >= min(40, options.count // 10), f'{len(met)} different answers are met', *sorted(met))
		return report.end()
	finally:
		shutil.rmtree(top, ignore_errors=True)


if __name__ == '__main__':
	sys.exit(main())
