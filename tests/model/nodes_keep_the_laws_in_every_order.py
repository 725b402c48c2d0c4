#!/usr/bin/env python3
"""Goal:   nodes that share a mirror keep C1 to C5 and I9 in whatever order things happen to them.
Method: spin visits every state of the model cluster.pml; then one mistake at a time is planted into it, and spin must find
        an order in which the mistake breaks the law that is named here.
Law:    C1 to C5, I9.
Source: the model's head; the cluster's design (docs/cluster.md).

    nodes_keep_the_laws_in_every_order.py MODEL WORK"""
import os
import re
import shutil
import subprocess
import sys

# What is planted, the law it breaks, and what it means.
MISTAKES = [
	('FORGETFUL', 'I9', 'a joiner does not load the bits of its slot'),
	('UNKNOWN_IS_NOBODY', 'C3', 'a newcomer writes before it knows what became of the owner of every slot'),
	('GONE_OWE_NOTHING', 'C3', 'a window opens although a node that is gone may still write'),
	('NO_SUSPEND', 'C3', 'nodes acknowledge a window and do not leave it alone'),
	('NO_RESYNC_LOCK', 'C3', 'whoever has bits copies'),
	('CLEAR_FIRST', 'C2', "a dead node's slot is cleared before its bits are durable in ours"),
	('EARLY_SLOT', 'C4', 'a slot is given out when its owner has left the group, before it is fenced'),
	('NO_FENCE_WAIT', 'C4', 'locks of a node that is gone are granted before it is fenced'),
	('WRITE_AFTER_LOSS', 'C5', 'a node goes on writing after it has heard of its loss'),
	('DEATH_OVERTAKES', 'I9', 'that a node is dead is acted on before what it said last'),
	('SWEEP_EARLY', 'C1', 'bits are swept while a write is out'),
]
DEPTH = 200000


class Work:
	def __init__(self, model, folder):
		self.model, self.folder = os.path.abspath(model), os.path.abspath(folder)
		shutil.rmtree(self.folder, ignore_errors=True)
		os.makedirs(self.folder)

	def must(self, *command):
		done = subprocess.run(command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
		if done.returncode:
			print(f'Bail out! {" ".join(command)}: {done.stdout}', flush=True)
			sys.exit(1)
		return done.stdout

	def search(self, *defines):
		"""(what pan said, laws that broke, states). A mistake is found soon: there the compiler takes longer than the search."""
		self.must('spin', *defines, '-a', self.model)
		self.must('gcc', '-O1' if defines else '-O2', '-w', '-DSAFETY', '-DCOLLAPSE', '-DMEMLIM=4000', '-o', 'pan', 'pan.c')
		said = self.must('./pan', f'-m{DEPTH}')
		laws = re.findall(r'\|\|\s*([CI]\d)\)', ''.join(l for l in said.splitlines() if 'assertion violated' in l))
		states = re.search(r'(\d+) states, stored', said)
		return said, laws, int(states.group(1)) if states else 0


class Tap:
	count = failed = 0

	def ok(self, condition, text, said=''):
		self.count += 1
		self.failed += not condition
		print(f"{'ok' if condition else 'not ok'} {self.count} - {text}", flush=True)
		for line in () if condition else said.splitlines():
			print('#', line[:300], flush=True)


def main():
	if not shutil.which('spin'):
		print('1..0 # SKIP the package spin is not installed')
		return 77
	work, tap = Work(*sys.argv[1:3]), Tap()
	said, laws, states = work.search()
	whole = 'errors: 0' in said and 'Search not completed' not in said and 'max search depth too small' not in said
	tap.ok(whole and not laws and states > 1000000, f'no law breaks in any of {states} states', said)
	for define, law, meaning in MISTAKES:
		said, laws, states = work.search('-D' + define)
		tap.ok(laws[:1] == [law], f'{law} breaks when {meaning} (state {states})', said)
	print(f'1..{tap.count}')
	return 1 if tap.failed else 0


if __name__ == '__main__':
	sys.exit(main())
