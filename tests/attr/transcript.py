#!/usr/bin/env python3
"""Goal:   an array whose metadata somebody else keeps behaves as under Linux, step by step, also where the steps are refused.
Method: the steps of a recorded run of Linux's md (*.steps) are done to a served array over the control socket: attributes
        written and read, the array written through NBD, members spoilt and bits put behind its back. After each step the
        result, every recorded attribute, the bits on every member and the blocks copied must be, or become, what they were
        there. Differences are named in differs.json, with values and a reason that docs/differences.md tells; a
        difference that is no longer one fails.
Law:    I3, I4, I8
Source: the transcripts, Linux 6.1; README.md here has their grammar"""
import argparse
import errno
import json
import os
import re
import sys
import threading

import nbd

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'cli'))
from scene import Scene  # noqa: E402
from tree import Member, Tree, Writes, block  # noqa: E402

PATIENCE_S = 12		# until an array is as it should be
PASSES = 3		# daemon periods after which a bit that may go has gone
NAME = 'md0'


def numbers(text):
	"""ranges "3 7-9" or a list "3,7" as numbers; "-" is none"""
	out = []
	for piece in re.split('[ ,]', text):
		if piece != '-':
			first, _, last = piece.partition('-')
			out += range(int(first), int(last or first) + 1)
	return out


class Step:
	def __init__(self, line):
		line, _, self.why = line.partition('\t# ')
		self.label, self.verb, *rest = line.split(' ', 2)
		self.number = int(self.label.rstrip('-'))
		self.words = rest[0] if rest else ''
		self.changes, self.is_end = {}, False

	def change(self, line):
		name, _, value = line.strip().partition(' ')
		if name == 'gone':
			self.is_end = True
		elif name == 'bits':
			member, _, bits = value.partition(' ')
			self.changes[f'bits {member}'] = numbers(bits)
		else:
			self.changes[name] = None if value == 'gone' else json.loads(value)

	def __str__(self):
		return f'{self.label} {self.verb} {self.words}'.rstrip() + (f' ({self.why})' if self.why else '')


class Transcript:
	def __init__(self, path):
		self.facts, self.steps = {}, []
		with open(path, encoding='utf-8') as lines:
			for line in lines.read().splitlines():
				self.take(line)
		self.members = self.facts['members'].split(',')
		self.names = {self.kind(n) for s in self.steps for n in s.changes}

	def take(self, line):
		if line.startswith('\t'):
			self.steps[-1].change(line)
		elif line[0].isdigit():
			self.steps.append(Step(line))
		else:
			fact, _, value = line.partition(' ')
			self.facts[fact] = int(value) if value.isdigit() else value

	def kind(self, path):
		"""An attribute without the name of its member: what was recorded of one was recorded of all."""
		return re.sub(r'^dev-[^/]*/', 'dev-*/', path)


class Differences:
	"""What differs from Linux on purpose, or by the moment of looking: entries of differs.json for some "steps" [first, last].
	"umd" has facts with our own values, "any" patterns for facts where Linux was caught in a moment. "also" are orders that
	our array wants on top, "first" facts with our own values before they are given. "ends": the replay goes no further."""

	def __init__(self, name):
		with open(os.path.join(HERE, 'differs.json'), encoding='utf-8') as f:
			said = json.load(f)
		self.reasons, self.entries = said['reasons'], said['transcripts'].get(name, [])
		self.idle = []		# facts of entries that Linux shows as well

	def of(self, number, key):
		return [e[key] for e in self.entries if e['steps'][0] <= number <= e['steps'][1] and key in e]

	def take_over(self, number, facts, values):
		"""Our own values in the place of Linux's."""
		for fact, value in values.items():
			if facts.get(fact) == value:
				self.idle.append(f'{number} {fact}')
			facts[fact] = value
		return {f: v for f, v in facts.items() if v is not None}

	def wanted(self, number, facts):
		out = dict(facts)
		for patterns in self.of(number, 'any'):
			out.update({fact: re.compile(pattern) for fact, pattern in patterns.items()})
		for values in self.of(number, 'umd'):
			out = self.take_over(number, out, values)
		return out

	def wanted_first(self, number, facts):
		"""Facts before further orders are given; None when there are none to give."""
		values = self.of(number, 'first')
		return self.take_over(number, dict(facts), values[0]) if values else None

	def is_end(self, number):
		return bool(self.of(number, 'ends'))

	def without_reason(self):
		"""Entries whose reason is not told, and reasons said to be in the documents that are not there."""
		with open(os.path.join(HERE, '..', '..', 'docs', 'differences.md'), encoding='utf-8') as f:
			told = f.read()
		return [e['because'] for e in self.entries if e['because'] not in self.reasons] + \
			[r for r, where in self.reasons.items() if where.startswith('docs/differences.md') and f'**{r}:' not in told]


def is_like(wanted, got):
	if isinstance(wanted, re.Pattern):
		return bool(wanted.fullmatch(str(got)))
	return wanted == got


class Replay:
	"""The stage on which the steps are done. self.recorded: what Linux showed last of attributes and bits."""

	def __init__(self, scene, script, differences):
		self.scene, self.script, self.differences = scene, script, differences
		self.members = {m: Member(scene.path(m), script.facts) for m in script.members}
		self.writes = Writes([m.path for m in self.members.values()])
		self.recorded, self.is_there = {f'bits {m}': [] for m in self.members}, False
		self.uri = self.tree = self.writer = None

	# ---- what is seen ----

	def look(self):
		seen = {f'bits {name}': member.bits() for name, member in self.members.items()}
		if self.is_there:
			seen.update(self.tree.look(lambda path: self.script.kind(path) in self.script.names))
		return seen

	def unlike(self, wanted, seen):
		"""Facts that are not as wanted. An array that may rest may have begun to rest before we looked."""
		out = []
		for fact in sorted({*wanted, *seen}):
			got, want = seen.get(fact), wanted.get(fact)
			if is_like(want, got) or (fact, want, got) == ('array_state', 'active', 'active-idle'):
				continue
			out.append(f'{fact}: {got!r}, wanted {want.pattern if isinstance(want, re.Pattern) else want!r}')
		return out

	def settle(self, wanted, said):
		"""Wait until all is as wanted; returns what is not. @said: facts that the step itself has established."""
		rest = []

		def is_so():
			rest[:] = self.unlike(wanted, {**self.look(), **said()})
			return not rest

		self.tree.until(is_so, PATIENCE_S, [self.writes.fd])
		return rest

	# ---- the verbs: each returns the facts it wanted, and a function that says what came of it ----

	def new(self, _):
		if not self.uri:
			self.uri = self.scene.serve(NAME, '--inactive')
			self.tree = Tree(os.path.join(self.scene.env['UMD_RUNTIME_DIR'], NAME, 'control.sock'))
		self.is_there = True
		return {}, dict

	def note(self, _):
		return {}, dict

	def write(self, words):
		path, value, result = re.fullmatch(r'(\S+) (".*") (\w+)', words).groups()
		value, member = json.loads(value), None
		if path == 'new_dev' and re.fullmatch(r'98:\d+', value):
			member = self.members[self.script.members[int(value[3:]) // 16]].path
			value = member
		got = self.tree.set(path, value, member)
		return {'result': result}, lambda: {'result': got}

	def read(self, words):
		path, value, result = re.fullmatch(r'(\S+) (".*") (\w+)', words).groups()
		got = self.tree.get(path)
		return {'read': json.loads(value)}, lambda: {'read': got}

	def begin(self, words):
		chunks, seed, _, _ = words.split()
		self.writer = Writer(self.uri, numbers(chunks), self.script.facts['chunk_bytes'], int(seed))
		return {'write': 'waits'}, lambda: {'write': self.writer.result}

	def end(self, words):
		self.writer.join(PATIENCE_S)
		return {'write': words}, lambda: {'write': self.writer.result}

	def io(self, words):
		chunks, seed, result = words.split()
		self.begin(f'{chunks} {seed} - -')
		return self.end(result)

	def idle(self, _):
		return {'is idle': True}, lambda: {'is idle': self.tree.get('sync_action') in ('idle\n', 'frozen\n')}

	def pause(self, words):
		"""Bits that stayed must stay, so long that they would have gone; all other waiting is for what comes of it."""
		bits = [self.recorded[f'bits {m}'] for m in self.members]
		must_stay = not any(f'bits {m}' in self.step.changes for m in self.members)
		if float(words) >= PASSES and any(bits) and (must_stay or self.differences.of(self.step.number, 'first')):
			self.writes.forget()
			self.writes.wait(PASSES * float(self.recorded['bitmap/time_base']))
		return {}, dict

	def put(self, words):
		which, bits = words.split()
		for name, member in self.members.items():
			if which in ('*', name):
				member.put_bits(numbers(bits))
				self.recorded[f'bits {name}'] = numbers(bits)
		return {}, dict

	def spoil(self, words):
		self.members[words].spoil()
		return {}, dict

	def copied(self, words):
		name, _, blocks = words.partition(' ')
		return {'copied': numbers(blocks)}, lambda: {'copied': self.members[name].blocks_unspoilt()}

	# ---- one after the other ----

	def take(self, step):
		"""Do a step; returns what is not as it should be."""
		self.step = step
		asked, said = getattr(self, step.verb)(step.words)
		if step.is_end:
			self.is_there = False
			self.recorded = {f: v for f, v in self.recorded.items() if f.startswith('bits ')}
		self.recorded.update(step.changes)
		self.recorded = {f: v for f, v in self.recorded.items() if v is not None}
		if not self.tree:
			return []
		linux = {**self.recorded, **asked}
		wanted, first = self.differences.wanted(step.number, linux), self.differences.wanted_first(step.number, linux)
		rest = self.settle(first, said) if first else []
		for path, value in sum(self.differences.of(step.number, 'also'), []):
			got = self.tree.set(path, value)
			rest += [f'{path}: {value} is answered {got}'] if got != 'ok' else []
		return rest or self.settle(wanted, said)

	def run(self, last, goes_on):
		for step in self.script.steps:
			if step.number > last:
				break
			rest = self.take(step)
			if not self.scene.ok(not rest, str(step), *rest) and not goes_on:
				break
			if self.differences.is_end(step.number):
				break
		self.writes.close()


class Writer(threading.Thread):
	"""A client that writes the first 4 KiB of chunks, one after the other, and must perhaps wait."""

	def __init__(self, uri, chunks, chunk_bytes, seed):
		super().__init__(daemon=True)
		self.handle = nbd.NBD()
		self.handle.connect_uri(uri)
		self.chunks, self.chunk_bytes, self.seed, self.result = chunks, chunk_bytes, seed, 'waits'
		self.start()

	def write_all(self):
		try:
			for chunk in self.chunks:
				at = chunk * self.chunk_bytes
				self.handle.pwrite(block(self.seed, at // 4096), at, nbd.CMD_FLAG_FUA)
		except nbd.Error as refused:
			return errno.errorcode.get(refused.errnum, str(refused.errnum))
		return 'ok'

	def run(self):
		result = self.write_all()
		try:
			self.handle.shutdown()	# the array is no longer open when the result is known
		except nbd.Error:
			result = result if result != 'ok' else 'the connection broke'
		self.result = result


def main():
	args = argparse.ArgumentParser()
	args.add_argument('name')
	args.add_argument('--until', type=int, default=1 << 30, help='end after the step of this number')
	args.add_argument('--go-on', action='store_true', help='after a step that differs, too')
	args = args.parse_args()
	script, differences = Transcript(os.path.join(HERE, args.name + '.steps')), Differences(args.name)
	with Scene() as s:
		Replay(s, script, differences).run(args.until, args.go_on)
		s.same(differences.idle, [], 'every difference that is named is one')
		s.same(differences.without_reason(), [], 'every difference has a reason, and the documents tell it')


if __name__ == '__main__':
	main()
