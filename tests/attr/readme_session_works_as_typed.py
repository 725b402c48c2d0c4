#!/usr/bin/env python3
"""Goal:   what README.md tells owners to type works as it stands there, and prints what it says.
Method: the indented lines of that section are given to bash, in a folder where build is the build folder. A line that ends in
	a remark prints that; "..." stands for any rest.
Law:    none
Source: README.md, "For owners of foreign metadata\""""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'cli'))
from owned import fuse_is_missing  # noqa: E402
from scene import Scene  # noqa: E402

TITLE = '## For owners of foreign metadata\n'


def session():
	with open(os.path.join(HERE, '..', '..', 'README.md'), encoding='utf-8') as f:
		section = f.read().split(TITLE)[1].split('\n## ')[0]
	return [line[4:] for line in section.splitlines() if line.startswith('    ')]


def remarks(lines):
	return [m[1] for m in (re.search(r'\S +# (.+)$', line) for line in lines) if m]


def is_said(wanted, got):
	return got.startswith(wanted[:-3]) if wanted.endswith('...') else got == wanted


def run(s, lines):
	"""bash stops at the first command that fails, and its jobs end with it."""
	os.symlink(os.path.dirname(s.tool), s.path('build'))
	with open(s.path('session'), 'w', encoding='utf-8') as f:
		f.write('set -e\n' + '\n'.join(lines) + '\n')
	with subprocess.Popen(['timeout', '100', 'bash', s.path('session')], cwd=s.dir, env=s.env, text=True,
			stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as bash:
		return (*bash.communicate(), bash.returncode)


with Scene() as s:
	lines = session()
	wanted = remarks(lines)
	s.ok(len(lines) > 30 and len(wanted) > 5, 'there is a session with results', lines)
	if fuse_is_missing():
		s.skip('the session works', fuse_is_missing())
	else:
		out, words, status = run(s, lines)
		words = [line for line in words.splitlines() if not line.startswith('umd: nbdkit ')]
		s.same((status, words), (0, []), 'every command succeeds, and says nothing but what nbdkit cannot do')
		got = out.splitlines()
		s.ok(len(got) == len(wanted) and all(map(is_said, wanted, got)), 'and prints what the README says', wanted, got)
		s.umd('stop', 'box')
