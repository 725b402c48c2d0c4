#!/usr/bin/env python3
"""Goal:   on a machine without the packages tools/setup.sh installs what is missing, or names it and stops.
Method: the script runs with a PATH of stand-ins for dpkg-query, apt-get, sudo and id that record what they are asked.
Law:    none (make demo and make test do all set-up by themselves).
Source: tools/setup.sh, tools/packages.txt."""
import os
import shutil
import subprocess
import sys
import tempfile

import tidylib

ROOT = sys.argv[1]
STAND_INS = {
	'dpkg-query': 'for p; do :; done\ngrep -qx "$p" "$WORLD/installed" && echo "install ok installed"\n',
	'apt-get': 'echo "$*" >> "$WORLD/asked"\n[ ! -e "$WORLD/offline" ] || exit 100\n'
		   'case $1 in install) for w; do case $w in -*|install) ;; *) echo "$w" >> "$WORLD/installed";; esac; done;; esac\n',
	'id': 'cat "$WORLD/uid"\n',
	'sudo': '[ -e "$WORLD/may-sudo" ] || exit 1\n[ "$1" = -n ] || exit 99\nshift\nexec "$@"\n',
}
TOOLS = ['sh', 'awk', 'sort', 'grep', 'tr', 'sed', 'dirname', 'cat', 'env', 'true', 'echo']


class World:
	"""A machine: what is installed, who runs the script, whether sudo helps."""

	def __init__(self, uid, without, may_sudo=False, is_offline=False):
		self.folder = tempfile.mkdtemp()
		self.bin = os.path.join(self.folder, 'bin')
		os.mkdir(self.bin)
		for name, body in STAND_INS.items():
			self.write(os.path.join('bin', name), '#!/bin/sh\n' + body)
			os.chmod(os.path.join(self.bin, name), 0o755)
		for tool in TOOLS:
			os.symlink(shutil.which(tool), os.path.join(self.bin, tool))
		self.write('uid', f'{uid}\n')
		self.write('installed', '\n'.join(p for p in packages('build', 'test') if p not in without) + '\n')
		for name, is_there in (('may-sudo', may_sudo), ('offline', is_offline)):
			if is_there:
				self.write(name, '')

	def write(self, name, text):
		with open(os.path.join(self.folder, name), 'w', encoding='utf-8') as f:
			f.write(text)

	def run(self):
		"""(exit status, everything said, what apt-get was asked)"""
		done = subprocess.run([os.path.join(ROOT, 'tools/setup.sh'), 'build', 'test'], capture_output=True, text=True, check=False,
				      env={'PATH': self.bin, 'WORLD': self.folder})
		asked = os.path.join(self.folder, 'asked')
		lines = open(asked, encoding='utf-8').read().splitlines() if os.path.exists(asked) else []
		shutil.rmtree(self.folder)
		return done.returncode, done.stdout + done.stderr, lines


def packages(*purposes):
	with open(os.path.join(ROOT, 'tools/packages.txt'), encoding='utf-8') as f:
		lines = [l.split() for l in f if l.strip() and not l.startswith('#')]
	return sorted({l[1] for l in lines if l[0] in purposes})


def main():
	report = tidylib.Report()
	check = lambda is_good, text, *why: report.rule(text, [] if is_good else [repr(w) for w in why])

	rc, said, asked = World(1000, []).run()
	check(rc == 0 and not said and not asked, 'nothing missing: nothing is run, nothing is said', rc, said, asked)

	rc, said, asked = World(0, ['meson', 'zstd']).run()
	check(rc == 0 and asked[:1] == ['update -q'] and 'install' in asked[1] and asked[1].endswith('meson zstd'),
	      'root: the lists are refreshed first, then exactly what is missing is installed', rc, said, asked)

	rc, said, asked = World(1000, ['nbdkit'], may_sudo=True).run()
	check(rc == 0 and len(asked) == 2 and asked[1].endswith('nbdkit'), 'a sudo that asks nothing is used', rc, said, asked)

	rc, said, asked = World(1000, ['nbdkit', 'mdadm']).run()
	check(rc == 1 and not asked and len(said.splitlines()) == 1 and said.rstrip().endswith('apt-get install mdadm nbdkit'),
	      'without rights the packages are named in one sentence and nothing is run', rc, said, asked)

	rc, said, asked = World(0, ['meson'], is_offline=True).run()
	check(rc != 0 and asked, 'an apt-get that fails is a failure', rc, said, asked)

	nameless = [l for l in open(os.path.join(ROOT, 'tools/packages.txt'), encoding='utf-8')
		    if l.strip() and not l.startswith('#') and len(l.split()) < 4]
	check(not nameless, 'every package has a purpose and a reason', *nameless)
	report.end()


main()
