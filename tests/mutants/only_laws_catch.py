#!/usr/bin/env python3
"""Goal:   nothing passes for caught but a law that the program without the bug keeps, or a statement of a named test
Method: shell scripts stand in for programs with a bug and without: they name a law, die, say nothing, or hang
Law:    all (who watches the watchers)
Source: tests/mutants/program.py, its first lines"""
import os
import sys
import tempfile

import mutants
import program
import table
from museum_files_catch_their_bugs import Tap

LAW = 'echo "LAW I3 BROKEN: a sentence"; echo "  seed 7, step 1: text"; exit 1'
MUST = 'echo "LAW - BROKEN: a sentence"; echo "  seed 7, step 1: text"; exit 1'
DIES = 'echo "seed 7 died by signal 11"; kill -SEGV $$'
EXPECTS = 'echo "/x/y.umd:12: expected: bits none, but one is set"; exit 1'
HANGS = 'exec sleep 60'
GOOD, BAD = 'exit 0', 'exit 1'


class Stand:
	"""Where the scripts are."""

	def __init__(self, folder):
		self.folder, self.count = folder, 0

	def script(self, text):
		self.count += 1
		path = os.path.join(self.folder, f'program-{self.count}')
		with open(path, 'w', encoding='utf-8') as f:
			f.write('#!/bin/sh\n' + text + '\n')
		os.chmod(path, 0o755)
		return path

	def outcome(self, caught, planted, plain):
		world, bug = program.World(self.folder, self.folder, 1), table.Bug()
		world.plain, bug.caught = self.script(plain), caught
		return world.breach_of(bug, self.script(planted), self.folder, 1, ('--seeds', '1', '10'))

	def does_not_fit(self):
		"""What is told of an entry whose line its source does not have."""
		world, bug = program.World(self.folder, self.folder, 1), table.Bug()
		bug.name, bug.file, bug.caught, bug.lines = 'odd', 'source.c', 'sim', ['-int gone;']
		with open(os.path.join(self.folder, bug.file), 'w', encoding='utf-8') as f:
			f.write('int here;\n')
		return mutants.try_one(world, bug, 1)[1]


def main():
	tap = Tap()
	with tempfile.TemporaryDirectory() as folder:
		stand = Stand(folder)
		for text, caught, planted, plain, law in (
			('a law that is kept without the bug', 'sim', LAW, GOOD, 'I3'),
			('a law that breaks without the bug as well', 'sim', LAW, BAD, None),
			('an assert', 'sim', MUST, GOOD, None),
			('an assert where the entry names it', 'sim MUST', MUST, GOOD, 'MUST'),
			('an assert that fails without the bug as well', 'sim MUST', MUST, BAD, None),
			('a signal', 'sim', DIES, GOOD, None),
			('a signal where the entry names it', 'sim SIGNAL', DIES, GOOD, 'SIGNAL'),
			('a signal that comes without the bug as well', 'sim SIGNAL', DIES, BAD, None),
			('a failed expectation of a scenario', 'scenario y', EXPECTS, GOOD, program.STATEMENT),
			('a status without a word', 'sim', BAD, GOOD, None),
			('a run that hangs', 'sim', HANGS, GOOD, None),
			('a run without fault', 'sim', GOOD, GOOD, None)):
			outcome = stand.outcome(caught, planted, plain)
			tap.ok((outcome.is_caught, outcome.law) == (law is not None, law or ''),
			       f'{text} is {"caught by " + law if law else "not caught"}', str(outcome))
		odd = stand.does_not_fit()
		tap.ok(not odd.is_caught and 'its lines stand 0 times in source.c' in odd.words,
		       'a bug that does not fit its source is missed with that sentence, and ends nothing', str(odd))
	print(f'1..{tap.count}')
	return 1 if tap.failed else 0


sys.exit(main())
