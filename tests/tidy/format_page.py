#!/usr/bin/env python3
"""Are docs/format.md and docs/attributes.md what their programs print, and are those pages? The programs are built from the
tables of fields and of attributes, so a field that was added or moved and not shown is found here. `make docs` renews
the pages."""
import difflib
import os
import subprocess
import sys

import tidylib

PAGES = [('docs/format.md', 'tools/format.md.in', 'src/format/format-md'),
	 ('docs/attributes.md', 'tools/attributes.md.in', 'src/attrs/attributes-md')]


def cells(line):
	return line.count('|') - 1


def torn_tables(page, lines):
	"""Rows with more or fewer cells than the row above them."""
	for n, (above, line) in enumerate(zip(lines, lines[1:]), 2):
		if above.startswith('|') and line.startswith('|') and cells(above) != cells(line):
			yield f'{page}:{n}: {cells(line)} cells below {cells(above)}: {line}'


def check(report, root, build, page, template, program):
	printed = subprocess.run([os.path.join(build, program), os.path.join(root, template)], capture_output=True, text=True, check=False)
	wanted, kept = printed.stdout.split('\n'), tidylib.lines(root, page)
	differ = [l for l in difflib.unified_diff(kept, wanted, page, 'what its program prints', lineterm='', n=0)]
	report.rule(f'{template} and the tables agree', printed.stderr.splitlines() or ['it failed'] if printed.returncode else [])
	report.rule(f'{page} is what its program prints (make docs renews it)', differ[:20])
	report.rule(f'the rows of the tables of {page} are whole', list(torn_tables(page, wanted)))
	report.rule(f'no name of {template} is left', [l for l in wanted if '@@' in l])


def main():
	root, build = sys.argv[1:3]
	report = tidylib.Report()
	for page in PAGES:
		check(report, root, build, *page)
	report.end()


main()
