"""The table of planted bugs (bugs.txt), and how one is planted into a copy of a source.

A block of the table:

    bug     clear_without_flush             its name
    law     I4                              the law or laws it breaks
    file    src/array/sweep.c               where
    hurts   one sentence: what a user would suffer
    caught  sim                             by whom: sim | csim | exhaust | scenario NAME | unit ROOM/NAME | cluster NAME | record [LOAD]...;
                                            and MUST or SIGNAL where that is how it shows, and no law can
    museum  a bug that others really had    (only where it is one)
     	context line
    -	the line as it is
    +	the line as planted

The lines below are a difference: context and the old line must stand in the file one below the other exactly once. One
line changes: it is replaced, left out, or a new one comes in. Nothing here writes below src: the caller gets a text."""
import os
import re

KEYS = ('bug', 'law', 'file', 'hurts', 'caught', 'museum')
CATCHERS = ('sim', 'csim', 'exhaust', 'scenario', 'unit', 'cluster', 'record')
SYMPTOMS = ('MUST', 'SIGNAL')	# that are no laws
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bugs.txt')


class TableError(Exception):
	pass


def unit_test(name):
	"""The source of a test that catches; those of engines are several processes, and have a folder of their own."""
	return f'tests/{name}.c' if name.startswith('engine/') else f'tests/unit/{name}.c'


class Bug:
	def __init__(self):
		self.name = self.file = self.hurts = self.caught = self.museum = ''
		self.laws, self.lines = [], []

	@property
	def room(self):
		return self.file.split('/')[1]

	@property
	def catcher(self):
		return self.caught.split()[0]

	@property
	def named(self):
		"""The scenario, the unit test, the loads."""
		return [word for word in self.caught.split()[1:] if word not in SYMPTOMS]

	def may_be_caught_by(self, what):
		return what not in SYMPTOMS or what in self.caught.split()

	def before(self):
		return [line[1:] for line in self.lines if line[0] in ' -']

	def after(self):
		return [line[1:] for line in self.lines if line[0] in ' +']

	def count(self, sigil):
		return sum(line[0] == sigil for line in self.lines)

	def faults(self):
		"""What is wrong with the entry itself, as sentences."""
		missing = [key for key in KEYS[2:5] if not getattr(self, key)]
		if missing or not self.laws:
			yield f'{self.name}: no {", ".join(missing or ["law"])}'
		elif self.catcher not in CATCHERS:
			yield f'{self.name}: caught by {self.caught}, which nobody knows'
		if self.count('-') > 1 or self.count('+') > 1 or self.before() == self.after():
			yield f'{self.name}: a planted bug is one changed line'

	def plant(self, text):
		"""The file's @text with the bug in it."""
		lines, before = text.split('\n'), self.before()
		places = [i for i in range(len(lines)) if lines[i:i + len(before)] == before]
		if len(places) != 1:
			raise TableError(f'{self.name}: its lines stand {len(places)} times in {self.file} instead of once')
		at = places[0]
		return '\n'.join(lines[:at] + self.after() + lines[at + len(before):])


def read(path=TABLE):
	"""All bugs of the table, in order."""
	bugs = []
	with open(path, encoding='utf-8') as f:
		for number, line in enumerate(f.read().split('\n'), 1):
			take_line(bugs, line, f'{path}:{number}')
	names = [bug.name for bug in bugs]
	for name in names:
		if names.count(name) > 1:
			raise TableError(f'{name} stands {names.count(name)} times in the table')
	return bugs


def take_line(bugs, line, where):
	if not line or line[0] == '#':
		return
	key, _, value = line.partition(' ')
	if key == 'bug':
		bugs.append(Bug())
		bugs[-1].name = value.strip()
	elif not bugs:
		raise TableError(f'{where}: a line before the first bug')
	elif line[0] in ' +-':
		bugs[-1].lines.append(line)
	elif key == 'law':
		bugs[-1].laws = value.split()
	elif key in KEYS:
		setattr(bugs[-1], key, (getattr(bugs[-1], key) + ' ' + value.strip()).strip())
	else:
		raise TableError(f'{where}: neither a key nor a line of a difference: {line}')


def laws(root):
	with open(os.path.join(root, 'src/base/law.def'), encoding='utf-8') as f:
		return re.findall(r'^L\((\w+),', f.read(), re.MULTILINE)
