#!/usr/bin/env python3
"""Is the repository self-contained? Nothing in it names a path outside of it that its users do not have."""
import os
import re
import subprocess
import sys

import tidylib

# Written apart so that this file does not find itself.
OUTSIDE = re.compile('|'.join(('/wo' + 'rk/', r'\.\./sha' + 'red', r'\bsha' + r'red/(spec|fixtures|lab|bench|hooks|design|conventions)',
			       r'\bro' + 'ot/\\.')))


def tree(root):
	"""Files of the repository: git knows them; an unpacked archive has no others than its own."""
	git = subprocess.run(['git', '-C', root, 'ls-files', '-z', '--cached'], capture_output=True, text=True, check=False)
	if git.returncode == 0:
		return [p for p in git.stdout.split('\0') if p and os.path.isfile(os.path.join(root, p))]
	return list(tidylib.files(root, ['.'], ('',)))


def main():
	root = sys.argv[1]
	bad, paths = [], [p for p in tree(root) if not p.endswith('.zst')]
	for path in paths:
		for n, line in enumerate(tidylib.lines(root, path), 1):
			if OUTSIDE.search(line):
				bad.append(f'{path}:{n}: {line.strip()[:100]}')
	report = tidylib.Report()
	report.rule(f'{len(paths)} files name no path outside the repository', bad)
	report.rule('there are files to look at', [] if paths else [root])
	report.end()


main()
