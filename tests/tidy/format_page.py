#!/usr/bin/env python3
"""Is docs/format.md what its program prints, and is that a page? The program is built from the field tables, so a field
that was added or moved and not shown is found here. `make docs` renews the page."""
import difflib
import os
import subprocess
import sys

import tidylib

PAGE, TEMPLATE, PROGRAM = 'docs/format.md', 'tools/format.md.in', 'src/format/format-md'


def cells(line):
	return line.count('|') - 1


def torn_tables(lines):
	"""Rows with more or fewer cells than the row above them."""
	for n, (above, line) in enumerate(zip(lines, lines[1:]), 2):
		if above.startswith('|') and line.startswith('|') and cells(above) != cells(line):
			yield f'{PAGE}:{n}: {cells(line)} cells below {cells(above)}: {line}'


def main():
	root, build = sys.argv[1:3]
	printed = subprocess.run([os.path.join(build, PROGRAM), os.path.join(root, TEMPLATE)], capture_output=True, text=True, check=False)
	wanted, kept = printed.stdout.split('\n'), tidylib.lines(root, PAGE)
	differ = [l for l in difflib.unified_diff(kept, wanted, PAGE, 'what its program prints', lineterm='', n=0)]
	report = tidylib.Report()
	report.rule('the template and the tables agree', printed.stderr.splitlines() or ['it failed'] if printed.returncode else [])
	report.rule(f'{PAGE} is what its program prints (make docs renews it)', differ[:20])
	report.rule('the rows of its tables are whole', list(torn_tables(wanted)))
	report.rule('no name of the template is left', [l for l in wanted if '@@' in l])
	report.end()


main()
