#!/usr/bin/env python3
"""Makes a transcript out of the log of a run of Linux's md: convert.py STEPS.JSON > NAME.steps

The log has everything that was to be seen after every step; the transcript has what changed, a line per fact, and each step
as a verb that tests/attr/transcript.py can do. The grammar is in tests/attr/README.md."""
import json
import re
import sys

FACTS = ('chunk_bytes', 'bits', 'bitmap_location_sectors', 'data_offset_sectors', 'component_kib', 'kernel')


def runs(numbers):
	"""Sorted numbers as "3 7-9", or "-" for none."""
	out = []
	for n in numbers:
		if out and out[-1][1] == n - 1:
			out[-1][1] = n
		else:
			out.append([n, n])
	return ' '.join(str(a) if a == b else f'{a}-{b}' for a, b in out) or '-'


def comma(numbers):
	return ','.join(str(n) for n in numbers)


class Converter:
	def __init__(self, log):
		self.log, self.steps = log, log['steps']
		self.bits = {member: [] for member in log['members']}
		self.attributes = {}
		self.has_begun = False	# an array write is held up

	def verb(self, at):
		step = self.steps[at]
		return getattr(self, step['do'].replace(' ', '_'))(at, step)

	def write(self, _, step):
		if step['attr'].startswith('/sys/module'):
			return 'new'
		return f'write {step["attr"]} {json.dumps(step["value"])} {step["result"]}'

	def read(self, _, step):
		return f'read {step["attr"]} {json.dumps(step["got"])} {step["result"]}'

	def array_write(self, _, step):
		what = 'end' if self.has_begun else f'io {comma(step["chunks"])} {step["seed"]}'
		self.has_begun = False
		return f'{what} {step["result"]}'

	def array_write_held_up(self, at, step):
		self.has_begun = True
		end = next(s for s in self.steps[at:] if s['do'] == 'array write')
		return f'begin {comma(step["chunks"])} {end["seed"]} {step["array_state"]} {comma(step["blocked"]) or "-"}'

	def wait(self, _, step):
		return f'pause {step["seconds"]}'

	def wait_for_idle(self, _, step):
		return 'idle'

	def blocks_no_longer_a5(self, _, step):
		return f'copied {step["member"]} ' + runs([n for a, c in step['ranges_4k'] for n in range(a, a + c)])

	def note(self, _, step):
		put = re.fullmatch(r'bits \[(.*)\] put into the bitmap area of every member by hand', step['text'])
		spoilt = re.fullmatch(r'data area of (\w+) overwritten with a5', step['text'])
		if put:
			return 'put * ' + (put[1].replace(', ', ',') or '-')
		return f'spoil {spoilt[1]}' if spoilt else 'note'

	def line(self, at):
		"""The step, and why the one who ran it did so."""
		step = self.steps[at]
		text = self.verb(at)
		why = step.get('why') or (step['text'] if text == 'note' else '')
		return f'{step["n"]} {text}' + (f'\t# {why}' if why else '')

	def put_without_a_word(self, step):
		"""Bits that changed while no array was there were put there by hand, also where the log has no word of it."""
		if not step['attr'].startswith('/sys/module') or self.attributes:
			return
		for member, bits in step['bits_on_disk'].items():
			if bits != self.bits[member]:
				yield f'{step["n"]}- put {member} {comma(bits) or "-"}'

	def seen(self, step):
		for name in step.get('attributes_gone', ()):
			del self.attributes[name]
		self.attributes.update(step['attributes_changed'])
		if 'array_state' in step.get('attributes_gone', ()):
			yield '\tgone'	# the array: all of its attributes
		else:
			yield from (f'\t{name} gone' for name in step.get('attributes_gone', ()))
		yield from (f'\t{name} {json.dumps(value)}' for name, value in step['attributes_changed'].items())
		for member, bits in step['bits_on_disk'].items():
			if bits != self.bits[member]:
				yield f'\tbits {member} {runs(bits)}'
		self.bits = step['bits_on_disk']

	def lines(self):
		yield f'scenario {self.log["scenario"]}'
		yield 'members ' + ','.join(self.log['members'])
		yield from (f'{fact} {self.log[fact]}' for fact in FACTS)
		for at, step in enumerate(self.steps):
			if step['do'] == 'write':
				yield from self.put_without_a_word(step)
			yield self.line(at)
			yield from self.seen(step)


if __name__ == '__main__':
	with open(sys.argv[1], encoding='utf-8') as log:
		print('\n'.join(Converter(json.load(log)).lines()))
