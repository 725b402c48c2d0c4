"""A scenario file, read; and what every world that runs one has in common.

The grammar is that of tests/sim/event.def: a line is a word, what it asks for, and flags. This reader knows the
words that real worlds can carry out (worlds ALL there); the simulator has its own reader.

A world does the events in their order. Each event that states something (read, expect, refused) becomes a *fact*: line,
whether it held, and what was found. At each `compare` the members' images are copied to NN-a.img, NN-b.img, ... of the
world's folder; NN counts from 01, and 00 is the start, made by the simulator for all worlds.

A line may end with `# linux differs: ID`: there the opposite holds under Linux, and docs/differences.md tells why under that id.

The worlds wait for every request, and for states, never for a time. Where a statement holds only for a while (an array
is active for some time after a write, bits stay for a time) and the machine was slower than that, the world says TooSlow:
then it has shown nothing, and is run again.
"""
import os
import re
import shutil
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(1, os.path.join(HERE, '..', 'cli'))

SECTOR = 512
NAMES = 'abcdef'
UNITS = {'K': 1 << 10, 'M': 1 << 20}
WAIT_S = 60		# a state that does not come in this time does not come
FORMS = {		# word: members, numbers, flags it may have; None: words as they are
	'start': ('+', 0, {'run', 'readonly'}), 'refused': ('+', 0, {'run', 'readonly'}), 'write': (0, 2, {'fua'}),
	'zero': (0, 2, {'fua', 'punch'}), 'read': (0, 2, set()), 'flush': (0, 0, set()), 'fail': (1, 0, set()),
	'remove': (1, 0, set()), 're-add': (1, 0, set()), 'add': (1, 0, set()), 'new': (1, 0, set()), 'idle': (0, 0, set()),
	'stop': (0, 0, set()), 'cut': (0, 0, {'keep'}), 'apart': (1, 0, set()), 'expect': None, 'compare': None, 'grow': None,
}


class Wrong(Exception):
	"""A scenario file that cannot be read, or a step that no world takes back."""


class TooSlow(Exception):
	"""Time went by that was to be shorter; nothing is shown."""


class Event:
	def __init__(self, line, word, words, remark=''):
		self.line, self.word, self.words, self.content = line, word, words, None
		differs = re.search(r'linux differs: ([\w-]+)', remark)
		self.differs = differs and differs[1]
		self.members, self.numbers, self.flags, self.prefer = [], [], set(), None
		if word not in FORMS:
			raise Wrong(f'line {line}: "{word}" is a word of no world but the simulator')
		if FORMS[word] is not None:
			self.read_words(*FORMS[word])

	def read_words(self, members, numbers, flags):
		for word in self.words:
			if word in NAMES:
				self.members.append(word)
			elif word.isdigit():
				self.numbers.append(int(word))
			elif word.startswith('prefer='):
				self.prefer = word[7:]
			elif word in flags:
				self.flags.add(word)
			elif not word.startswith('lot='):
				raise Wrong(f'line {self.line}: "{word}" does not go with "{self.word}" in every world')
		if len(self.members) != members and members != '+' or len(self.numbers) != numbers:
			raise Wrong(f'line {self.line}: "{self.word}" has too few or too many words')

	@property
	def at(self):
		return self.numbers[0] * SECTOR

	@property
	def length(self):
		return self.numbers[1] * SECTOR

	def data(self):
		return struct.pack('<Q', self.content) * (self.length // 8)


class Scenario:
	def __init__(self, path):
		self.path, self.name = os.path.abspath(path), os.path.splitext(os.path.basename(path))[0]
		self.worlds, self.events, self.setup = ['all'], [], None
		with open(path, encoding='utf-8') as f:
			lines = f.read().splitlines()
		comments = [line[1:].strip() for line in lines if line.startswith('#')]
		self.head = re.split(r'(?<=[.?!]) ', ' '.join(comments), maxsplit=1)[0]
		for number, line in enumerate(lines, 1):
			text, _, remark = line.partition('#')
			words = text.split()
			if words[:1] == ['worlds']:
				self.worlds = words[1:]
			elif words[:1] == ['array']:
				self.setup = read_setup(words[1:])
			elif words and self.worlds != ['sim']:
				self.events.append(Event(number, words[0], words[1:], remark))
		self.count_writes()

	def runs_in(self, world):
		return 'all' in self.worlds or world in self.worlds

	def count_writes(self):
		writes = [e for e in self.events if e.word in ('write', 'zero')]
		for number, event in enumerate(writes, 1):
			event.content = number if event.word == 'write' else 0

	def members(self):
		"""Every name the file knows, in order: those of the array, then those that are made."""
		return list(NAMES[:self.setup['slots']]) + [e.members[0] for e in self.events if e.word == 'new']

	def lives(self):
		"""The events, cut after each `cut`: what one run of a kernel or a server can do."""
		lives = [[]]
		for event in self.events:
			lives[-1].append(event)
			if event.word == 'cut':
				lives.append([])
		return [life for life in lives if life]

	def is_met_in_a_sync(self):
		return any(e.words[:1] == ['syncing'] for e in self.events)

	def is_on_its_own_between(self, event):
		"""Does a sync that begins at @event meet a cut, a stop or a statement before anyone waits for its end?"""
		later = self.events[self.events.index(event) + 1:]
		for e in later:
			if e.word == 'idle':
				return False
			if e.word in ('cut', 'stop') or e.word == 'expect' and e.words[0] == 'syncing':
				return True
		return True


def read_setup(words):
	setup = {'metadata': '1.2', 'sleep': 5, 'clean': False, 'chunk': 65536, 'size': 4 << 20, 'slots': 2, 'mostly': None}
	words = list(words)
	while words:
		word = words.pop(0)
		if word == 'clean':
			setup['clean'] = True
		elif word == 'metadata':
			setup[word] = words.pop(0)
		elif word in setup:
			setup[word] = number(words.pop(0))
	return setup


def number(word):
	return 0 if word == 'none' else int(word[:-1]) * UNITS[word[-1]] if word[-1] in UNITS else int(word)


def bit_numbers(words):
	"""`none` or `0 3 7-9` as a list."""
	runs = [word.split('-') for word in words if word != 'none']
	return [n for run in runs for n in range(int(run[0]), int(run[-1]) + 1)]


class World:
	"""What a world is asked; subclasses have one method do_WORD per word that they carry out in their own way."""

	def __init__(self, scenario, folder):
		self.scenario, self.folder = scenario, folder
		self.facts, self.compares, self.contents = [], 0, {}
		self.busy_since = self.busy_until = None	# first and last request since the array was idle
		os.makedirs(folder, exist_ok=True)

	def path(self, name):
		return os.path.join(self.folder, name + '.img')

	def snapshot_path(self, name, count=None):
		return os.path.join(self.folder, f'{self.compares if count is None else count:02}-{name}.img')

	def do(self, event):
		getattr(self, 'do_' + event.word.replace('-', '_'))(event)

	def fact(self, event, holds, shown=''):
		self.facts.append((event.line, bool(holds), ' '.join([event.word, *event.words]), str(shown)))

	# ---- requests ----

	def note_request(self, event, asked):
		"""The array counts its rest from some moment after @asked: the answer may have been on its way for long."""
		self.busy_until = asked
		self.busy_since = self.busy_since or self.busy_until
		if event.content is not None:
			first, count = event.numbers
			self.contents.update({s: event.content for s in range(first, first + count)})

	def do_write(self, event):
		asked = time.monotonic()
		self.write(event, 'fua' in event.flags)
		self.note_request(event, asked)

	def do_zero(self, event):
		asked = time.monotonic()
		self.zero(event, 'fua' in event.flags, 'punch' in event.flags)
		self.note_request(event, asked)

	def do_flush(self, event):
		self.flush()

	def do_new(self, event):
		pass	# begin_images() made it

	def do_apart(self, event):
		pass	# said to the simulator's judge

	def do_read(self, event):
		"""Sectors that were written hold the last write; what the others held first is not known here."""
		data, first = self.read(event), event.numbers[0]
		wrong = [s for s in range(first, first + event.numbers[1]) if s in self.contents and
			data[(s - first) * SECTOR:(s - first + 1) * SECTOR] != struct.pack('<Q', self.contents[s]) * 64]
		self.fact(event, not wrong, f'sectors with another content: {wrong[:8]}')

	def do_refused(self, event):
		"""One sentence or an honest start; what started is stopped again, and nothing after it would mean anything."""
		started, said = self.try_start(event)
		self.fact(event, not started, said or 'it started')

	def still_in_time(self):
		"""The bits of what was written since the array was idle are there for one sleep at least."""
		if self.scenario.setup['chunk'] and self.busy_since and time.monotonic() - self.busy_since > 0.9 * self.scenario.setup['sleep']:
			raise TooSlow(f'{time.monotonic() - self.busy_since:.1f} s since the first write')

	# ---- statements ----

	def do_compare(self, event):
		self.still_in_time()
		self.compares += 1
		self.snapshot()

	def do_expect(self, event):
		kind, words = event.words[0], event.words[1:]
		found = getattr(self, 'found_' + kind)(words)
		wanted = bit_numbers(words) if kind == 'bits' else words[1:] if kind == 'member' else words
		self.fact(event, found == wanted, f'found {found}')

	def found_bits(self, words):
		self.still_in_time()
		return self.set_bits()

	def found_degraded(self, words):
		return [str(self.degraded())]

	def found_member(self, words):
		return [self.member_state(words[0])]

	def found_syncing(self, words):
		return [self.sync_action()]


def until(ready, what):
	"""Asks again and again, since neither sysfs nor a server tells of every change; the state is waited for, not a time."""
	end = time.monotonic() + WAIT_S
	while not ready():
		if time.monotonic() > end:
			raise Wrong(f'{what} did not come in {WAIT_S} s')
		time.sleep(0.02)


def begin_images(scenario, start, world):
	"""Copies of the start's images, and an empty one for each member that is made later."""
	for name in scenario.members():
		first = os.path.join(start, f'00-{name}.img')
		if os.path.exists(first):
			shutil.copyfile(first, world.path(name))
		else:
			with open(world.path(name), 'wb') as f:
				f.truncate(os.path.getsize(os.path.join(start, '00-a.img')))
