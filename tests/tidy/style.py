#!/usr/bin/env python3
"""The look of the house: tabs, widths, heads, lengths, nothing left for later."""
import re
import sys

import tidylib

WIDTH = 120
FILE_LINES = 600
FUNCTION_LINES, FUNCTION_LINES_MOST, LONG_SHARE = 60, 100, 0.05
HEAD_BYTES = 150
LATER = re.compile(r'\b(' + '|'.join(('TO' + 'DO', 'FIX' + 'ME', 'X' * 3, 'HA' + 'CK')) + r')\b')
HEAD_WORDS = ('Goal:', 'Method:', 'Law:', 'Source:')


def columns(line):
	return len(line.expandtabs(8))


def indentation(root, paths):
	for path in paths:
		is_comment = False
		for n, line in enumerate(tidylib.lines(root, path), 1):
			if not is_comment and re.match(r'\t* {8,}\S|\t* +\t| +[^ *]', line):
				yield f'{path}:{n}: indented with spaces'
			opened, closed = line.rfind('/*'), line.rfind('*/')
			if opened != closed:
				is_comment = opened > closed


def widths(root, paths):
	for path in paths:
		for n, line in enumerate(tidylib.lines(root, path), 1):
			if columns(line) > WIDTH:
				yield f'{path}:{n}: {columns(line)} columns'


def blanks(root, paths):
	for path in paths:
		all_lines = tidylib.lines(root, path)
		for n, line in enumerate(all_lines, 1):
			if line != line.rstrip():
				yield f'{path}:{n}: blanks at the end'
		if all_lines[-1] or len(all_lines) > 1 and not all_lines[-2]:
			yield f'{path}: does not end with one newline'


def later(root, paths):
	for path in paths:
		for n, line in enumerate(tidylib.lines(root, path), 1):
			if LATER.search(line):
				yield f'{path}:{n}: {line.strip()}'


def sleeps(root, paths):
	for path in paths:
		for n, line in enumerate(tidylib.lines(root, path), 1):
			if re.search(r'\bu?sleep\s*\(', line):
				yield f'{path}:{n}: waits for time instead of an event'


def head(root, path):
	text = '\n'.join(tidylib.lines(root, path))
	return text[:text.find('*/')] if text.startswith('/*') else ''


def design_heads(root, paths):
	for path in paths:
		if len(head(root, path)) < HEAD_BYTES:
			yield f'{path}: no design comment at the top (purpose, words, laws, what is left out)'


def test_heads(root, paths):
	for path in paths:
		at = [head(root, path).find(word) for word in HEAD_WORDS]
		if -1 in at or at != sorted(at):
			yield f'{path}: does not open with {", ".join(HEAD_WORDS)}'


def functions(root, path):
	"""(line, length) of each function: braces in the first column, as the house writes them."""
	start = None
	for n, line in enumerate(tidylib.lines(root, path), 1):
		if line == '{':
			start = n
		elif line == '}' and start:
			yield start, n - start - 1
			start = None


def function_lengths(root, paths):
	lengths = [(length, f'{path}:{n}: {length} lines') for path in paths for n, length in functions(root, path)]
	long = [(length, place) for length, place in lengths if length > FUNCTION_LINES]
	if len(long) > LONG_SHARE * len(lengths):
		return [place for _, place in long]
	return [place for length, place in long if length > FUNCTION_LINES_MOST]


def file_lengths(root, paths):
	for path in paths:
		count = len(tidylib.lines(root, path)) - 1
		if count > FILE_LINES:
			yield f'{path}: {count} lines'


def main():
	root = sys.argv[1]
	report = tidylib.Report()
	c_files = list(tidylib.files(root, ['src', 'front', 'include', 'tests', 'examples', 'bench'], ('.c', '.h')))
	product = [p for p in c_files if p.endswith('.c') and p.startswith(('src/', 'front/'))]
	scripts = list(tidylib.files(root, ['tests', 'tools', 'bench', '.ci', 'front', 'src'],
				     ('.py', '.sh', '.def', 'meson.build')))
	unit = [p for p in c_files if p.startswith('tests/unit/') and p.endswith('.c')]
	report.rule('C is indented with tabs', list(indentation(root, c_files)))
	report.rule(f'C lines have at most {WIDTH} columns', list(widths(root, c_files)))
	report.rule('no blanks at line ends, one newline at the end', list(blanks(root, c_files + scripts)))
	report.rule('nothing is left for later', list(later(root, c_files + scripts)))
	report.rule('nothing in src and front waits for time alone', list(sleeps(root, product)))
	report.rule('each .c of src and front opens with its design', list(design_heads(root, product)))
	report.rule('each unit test opens with ' + ' '.join(HEAD_WORDS), list(test_heads(root, unit)))
	report.rule(f'functions: {1 - LONG_SHARE:.0%} have at most {FUNCTION_LINES} lines, all at most {FUNCTION_LINES_MOST}',
		    function_lengths(root, product))
	report.rule(f'files have at most {FILE_LINES} lines', list(file_lengths(root, c_files + scripts)))
	report.end()


main()
