#!/usr/bin/env python3
"""Goal:   umd starts what Linux left behind with Linux's content, and copies the chunks Linux copied.
Method: on fresh copies of every set that can be started, the commands of facts.json in umd's words:
        content   start, let the resync end, read everything over NBD, stop; members compared
        poison    one member's data area is filled with a5 first: what changed is what was copied
        at-once   a returning member is given at start instead of being re-added: the same chunks are copied
        readonly  read everything; no byte of any member changes
        Where umd differs on purpose, differs.json says how, exactly, and docs/differences.md why.
Law:    I1, I2, I5, I7, I8.
Source: facts.json of each set: linux_start, linux_poison, linux_readonly, content.

    start.py UMD PART [SET...]      PART: content, poison, at-once, readonly"""
import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys

import goldenlib
from goldenlib import BLOCK

POISON = b'\xa5'


class Refused(Exception):
	"""A command that must succeed did not."""


# ---- the commands of the facts, in umd's words ----

def members_in(command, paths):
	"""Paths of the members a mdadm command names, in its order."""
	return [paths[int(word.removeprefix('/dev/member'))] for word in command.split() if word.startswith('/dev/member')]


def manage_words(command):
	return [word for word in command.split() if word in ('--fail', '--remove', '--add', '--re-add')]


def must(done, what):
	rc, _, err = done
	if rc:
		raise Refused(f'{what}: exit status {rc}: {err.strip()}')
	return done


class Server:
	"""One array served from its first command to its stop."""

	def __init__(self, scratch, members, *options):
		self.scratch = scratch
		_, out, _ = must(scratch.call('serve', '--background', '--name', 'golden', *options, *members), 'serve')
		self.uri = [l.split(' ', 1)[1] for l in out.splitlines() if l.startswith('ready ')][0]

	def wait(self):
		must(self.scratch.call('wait', 'golden'), 'wait')

	def detail(self):
		return json.loads(must(self.scratch.call('detail', '--json', 'golden'), 'detail')[1])

	def content(self):
		path = os.path.join(self.scratch.folder, 'content')
		subprocess.run(['nbdcopy', '--', self.uri, path], check=True, stderr=subprocess.PIPE, text=True, env=clean_env(self.scratch.env))
		with open(path, 'rb') as f:
			return f.read()

	def stop(self):
		must(self.scratch.call('stop', 'golden'), 'stop')

	def __enter__(self):
		return self

	def __exit__(self, kind, *_):
		if kind:
			self.scratch.call('stop', 'golden')


def clean_env(env):
	"""Clients that are not umd's own run without a sanitizer's library."""
	return {k: v for k, v in env.items() if k != 'LD_PRELOAD'}


def follow(server, steps, paths):
	"""The steps behind the first: fail, remove, add, re-add. A re-add that Linux refused must be refused."""
	for step in steps[1:]:
		words = manage_words(step['command'])
		rc, out, err = server.scratch.call('manage', 'golden', words[0], *members_in(step['command'], paths))
		if bool(rc) != bool(step['rc']):
			raise Refused(f"{step['command']}: Linux {step['rc']} {step['said']}, umd {rc} {out}{err}")
		if rc and not goldenlib.is_sentence(err):
			raise Refused(f"{step['command']}: refused without a sentence: {err!r}")
		server.wait()


# ---- looking at data areas ----

def read_data(one, paths):
	areas = []
	for i, path in enumerate(paths):
		at, length = one.data_area(i)
		with open(path, 'rb') as f:
			f.seek(at)
			areas.append(f.read(length))
	return areas


def changed_blocks(before, after):
	"""[first, count] runs of 4 KiB blocks that differ."""
	runs = []
	for n in range(0, len(before), BLOCK):
		if before[n:n + BLOCK] == after[n:n + BLOCK]:
			continue
		if runs and runs[-1][0] + runs[-1][1] == n // BLOCK:
			runs[-1][1] += 1
		else:
			runs.append([n // BLOCK, 1])
	return runs


def poison(one, paths, member):
	at, length = one.data_area(member)
	with open(paths[member], 'r+b') as f:
		f.seek(at)
		f.write(POISON * length)


def blocks_of(data):
	return [data[n:n + BLOCK] for n in range(0, len(data), BLOCK)]


def is_made_of(content, legs):
	"""Every block of the content is that block of one of the legs."""
	columns = [blocks_of(leg) for leg in legs]
	return len(content) == len(legs[0]) and all(b in [c[i] for c in columns] for i, b in enumerate(blocks_of(content)))


# ---- the four parts ----

def first_members(one, paths, steps):
	return members_in(steps[0]['command'], paths)


def file_words(one, scratch, steps):
	"""The bitmap file that Linux was given, in umd's words."""
	if '--bitmap=' not in steps[0]['command']:
		return []
	return ['--bitmap=' + one.unpack_bitmap_file(scratch.folder)]


def wanted_sha(one):
	"""Linux's content after the start. Only where copies agree, or one member alone was read, is it a fact."""
	content, start = one.facts['content'], one.facts['linux_start']
	if content and content['copies_identical']:
		return start['sha256'] or content['sha256_from_images']
	return None


def part_content(one, scratch, differs):
	paths, start = one.unpack(scratch.folder), one.facts['linux_start']
	legs = read_data(one, paths)
	given = first_members(one, paths, start['steps'])
	with Server(scratch, given, '--run', *file_words(one, scratch, start['steps'])) as server:
		server.wait()
		follow(server, start['steps'], paths)
		content = server.content()
		detail = server.detail()
		server.stop()
	sha, wrong = hashlib.sha256(content).hexdigest(), []
	wanted = wanted_sha(one)
	if wanted and sha != wanted:
		wrong.append(f'content is {sha}, Linux read {wanted}')
	if not is_made_of(content, [legs[paths.index(p)] for p in given]):
		wrong.append('content has blocks that no member given at start has')
	if detail['degraded'] == 0 and start['mismatch_cnt'] in (0, None):
		wrong += unequal_members(one, paths, detail)
	wrong += not_left_clean(one, scratch, paths, detail)
	return wrong


def in_sync_paths(detail):
	return {m['path'] for m in detail['members'] if m['state'] == 'in_sync'}


def unequal_members(one, paths, detail):
	areas = [a for p, a in zip(paths, read_data(one, paths)) if os.path.realpath(p) in in_sync_paths(detail)]
	return [] if areas and all(a == areas[0] for a in areas) else ['members differ after the resync, Linux counted 0 mismatches']


def not_left_clean(one, scratch, paths, detail):
	"""Behind a stop the members that took part say clean, and a whole array owes no chunk."""
	used = [p for p in paths if os.path.realpath(p) in in_sync_paths(detail)]
	said = json.loads(scratch.call('examine', '--json', *used)[1])
	wrong = [f"{m['path']}: state {m['superblock']['state']} after the stop" for m in said['members']
		 if m['superblock']['state'] != 'clean']
	if detail['degraded'] == 0:
		wrong += [f"{m['path']}: {b['set_chunks']} bits still set after the stop" for m in said['members']
			  for b in m['bitmaps'] if b['set_chunks']]
	return wrong


def copied(one, scratch, given_of, follows):
	"""Which blocks change when one member is poisoned before the start."""
	facts = one.facts['linux_poison']
	paths = one.unpack(scratch.folder)
	poison(one, paths, facts['member'])
	before = read_data(one, paths)
	with Server(scratch, given_of(paths), '--run', *file_words(one, scratch, facts['steps'])) as server:
		server.wait()
		if follows:
			follow(server, facts['steps'], paths)
		server.stop()
	return [changed_blocks(b, a) for b, a in zip(before, read_data(one, paths))]


def compare_copied(got, wanted, who):
	if got == wanted:
		return []
	return [f'member{i}: umd changed {g}, {who} {w}' for i, (g, w) in enumerate(zip(got, wanted)) if g != w]


def part_poison(one, scratch, differs):
	facts = one.facts['linux_poison']
	got = copied(one, scratch, lambda paths: first_members(one, paths, facts['steps']), True)
	if 'blocks_changed_4k' in differs:
		return compare_copied(got, differs['blocks_changed_4k'], 'differs.json says')
	return compare_copied(got, facts['blocks_changed_4k'], 'Linux changed')


def part_at_once(one, scratch, differs):
	facts = one.facts['linux_poison']
	got = copied(one, scratch, lambda paths: paths, False)
	return compare_copied(got, differs.get('at_once_4k', facts['blocks_changed_4k']), 'the re-add in Linux changed')


def part_readonly(one, scratch, differs):
	facts = one.facts['linux_readonly']
	paths = one.unpack(scratch.folder)
	given = first_members(one, paths, facts['steps'])
	words = file_words(one, scratch, facts['steps'])
	paths += [w.split('=', 1)[1] for w in words]	# nobody changes the file either
	before = [open_bytes(p) for p in paths]
	with Server(scratch, given, '--run', '--readonly', *words) as server:
		content = server.content()
		server.stop()
	wrong = [f'{p} changed' for p, b in zip(paths, before) if open_bytes(p) != b]
	wanted = facts['sha256'] or one.facts['content']['sha256_from_images']
	if one.facts['content']['copies_identical'] and hashlib.sha256(content).hexdigest() != wanted:
		wrong.append(f'content is not what Linux read: {wanted}')
	return wrong


def open_bytes(path):
	with open(path, 'rb') as f:
		return f.read()


# ---- which sets ----

def started_by_linux(one, key):
	facts = one.facts[key]
	return bool(facts and facts['steps'] and facts['steps'][0]['rc'] == 0)


def was_readded(one):
	return started_by_linux(one, 'linux_poison') and len(one.facts['linux_poison']['steps']) == 2 and \
		one.facts['linux_poison']['steps'][1]['rc'] == 0


PARTS = {  # part: (what runs, the facts it follows, which sets)
	'content': (part_content, 'linux_start', lambda one: True),
	'poison': (part_poison, 'linux_poison', lambda one: True),
	'at-once': (part_at_once, 'linux_poison', was_readded),
	'readonly': (part_readonly, 'linux_readonly', lambda one: True),
}


def refusal(umd, one, key):
	"""What Linux refused umd refuses with a sentence, and changes nothing."""
	with goldenlib.Scratch(umd) as scratch:
		paths = one.unpack(scratch.folder)
		before = [open_bytes(p) for p in paths]
		rc, _, err = scratch.call('serve', '--background', '--name', 'golden', '--run', *first_members(one, paths, one.facts[key]['steps']))
		if rc == 0:
			scratch.call('stop', 'golden')
			return ['umd starts what Linux refused']
		wrong = [] if rc == 1 and goldenlib.is_sentence(err) else [f'exit status {rc}, no sentence: {err!r}']
		return wrong + [f'{p} changed' for p, b in zip(paths, before) if open_bytes(p) != b]


def run_one(umd, one, part, differs):
	"""(statement, what is wrong)"""
	work, key, _ = PARTS[part]
	if not started_by_linux(one, key) and not differs.get('starts'):
		return f'{one.name}: refused, as Linux refused it', refusal(umd, one, key)
	try:
		with goldenlib.Scratch(umd) as scratch:
			return f'{one.name}: {part} is as Linux had it', work(one, scratch, differs)
	except (Refused, OSError, KeyError, subprocess.SubprocessError) as e:
		return f'{one.name}: {part} is as Linux had it', [f'{type(e).__name__}: {e}', getattr(e, 'stderr', None) or '']


def chosen(part, not_yet, names):
	_, key, applies = PARTS[part]
	return [s for s in goldenlib.all_sets() if s.name not in not_yet and s.facts[key] and s.facts[key]['steps'] and applies(s) and
		(not names or s.name in names)]


def check_reasons(report, differs):
	with open(os.path.join(goldenlib.HERE, '../../docs/differences.md'), encoding='utf-8') as f:
		document = f.read()
	lost = [f'{name}: {d}' for name, entry in differs.items() for d in entry['because'] if f'**{d}:' not in document]
	report.check(not lost, 'every difference in differs.json has its reason in docs/differences.md', *lost)


def main():
	umd, part, *names = sys.argv[1:]
	umd = os.path.abspath(umd)
	differs = goldenlib.differs()
	report = goldenlib.Report()
	check_reasons(report, differs)
	sets = chosen(part, goldenlib.named_lines('not-yet.txt'), names)
	report.check(bool(sets), f'{len(sets)} sets are started')
	with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
		for statement, wrong in pool.map(lambda one: run_one(umd, one, part, differs.get(one.name, {})), sets):
			report.check(not wrong, statement, *wrong)
	return report.end()


sys.exit(main())
