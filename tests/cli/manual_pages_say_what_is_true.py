"""Goal:   the manual pages and the completion know what the tool and the plugin take: no less and no more.
Method: the pages are set with warnings on; every verb and option of --help is looked up in umd(1) and every option of
	umd(1) in --help; parameters of the plugin likewise. The completion is loaded into bash and its function is called.
	Each example of the table is parsed by the tool, on members that are not there.
Law:    one table makes parser, help, manual page and completion.
Source: design, the command line; conventions, "tables are the truth".
"""
import os
import re
import shutil
import subprocess

from scene import MIB, Scene

BUILD = os.path.dirname(os.path.abspath(os.environ['UMD']))
# man and its formatters are no programs of ours: a sanitizer that is put in front of all programs only disturbs them.
WITHOUT_SANITIZER = {key: value for key, value in os.environ.items() if key != 'LD_PRELOAD'}
PAGE, PLUGIN_PAGE = os.path.join(BUILD, 'front/cli/umd.1'), os.path.join(BUILD, 'front/nbdkit/nbdkit-umd-plugin.1')
TREE_PAGE = os.path.join(BUILD, 'front/tree/umd-tree.1')
COMPLETION = os.path.join(BUILD, 'front/cli/umd')


def page(path):
	"""The page as a person reads it, on very long lines; and what man had to warn of."""
	run = subprocess.run(['man', '--warnings=w', '-l', path], capture_output=True, text=True,
		env={**WITHOUT_SANITIZER, 'MANWIDTH': '400', 'LC_ALL': 'C.UTF-8', 'MAN_KEEP_FORMATTING': '', 'PAGER': 'cat'})
	return re.sub('.\b', '', run.stdout), run.stderr


def complete(s, *words):
	"""What bash offers for the last of @words."""
	script = f'source {COMPLETION}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _umd; printf "%s\\n" "${{COMPREPLY[@]}}"'
	env = {**s.env, 'PATH': os.path.dirname(s.tool) + ':' + os.environ['PATH']}
	run = subprocess.run(['bash', '-c', script, 'bash', *words], capture_output=True, text=True, env=env, cwd=s.dir)
	return run.stdout.split('\n')[:-1] if not run.stderr else ['stderr: ' + run.stderr]


def options_of(text):
	return set(re.findall(r'^\s+--([a-z-]+)', text, re.M))


def section(text, verb, verbs):
	"""Of umd(1): the lines of one verb."""
	lines, wanted = [], False
	for line in text.splitlines():
		if re.fullmatch(r'   umd [a-z]+', line):
			wanted = line == f'   umd {verb}'
		elif line and not line[0].isspace():
			wanted = False
		if wanted:
			lines.append(line)
	return '\n'.join(lines)


with Scene() as s:
	verbs = re.findall(r'^  ([a-z]+) ', s.umd('--help').stdout, re.M)
	s.ok(len(verbs) >= 9, 'help names the verbs', verbs)
	helps = {v: s.umd(v, '--help').stdout for v in verbs}

	if not shutil.which('man'):
		s.skip('umd(1) and nbdkit-umd-plugin(1) can be read', 'there is no man')
	else:
		text, warned = page(PAGE)
		s.same(warned, '', 'umd(1) is set without a warning')
		s.same(re.findall(r'^   umd ([a-z]+)$', text, re.M), verbs, 'umd(1) has a section for every verb, in the order of help')
		for verb in verbs:
			s.same(options_of(section(text, verb, verbs)), options_of(helps[verb]) - {'help'}, f'umd(1) has the options of {verb}')
			examples = [line.strip() for line in helps[verb].split('Examples:')[1].splitlines() if line.strip()]
			s.ok(len(examples) == 2 and all(e in section(text, verb, verbs) for e in examples), f'and the examples of {verb}',
				examples, section(text, verb, verbs))

		text, warned = page(PLUGIN_PAGE)
		s.same(warned, '', 'nbdkit-umd-plugin(1) is set without a warning')
		known = subprocess.run(['nbdkit', os.path.join(BUILD, 'nbdkit-umd-plugin.so'), '--help'], capture_output=True, text=True)
		known = set(re.findall(r'^([a-z-]+)=[A-Z]', known.stdout, re.M))
		s.ok('member' in known, 'the plugin names its parameters', known)
		s.same(set(re.findall(r'^ {7}([a-z-]+)=[A-Z]+$', text, re.M)) - {'report-fd'}, known, 'the page has the same')

		text, warned = page(TREE_PAGE)
		s.same(warned, '', 'umd-tree(1) is set without a warning')
		known = subprocess.run([os.path.join(BUILD, 'umd-tree'), '--help'], capture_output=True, text=True).stdout
		s.same(set(re.findall(r'--([a-z]+)', text.split('OPTIONS')[1].split('ENDING')[0])), set(re.findall(r'^  --([a-z]+)', known, re.M)),
			'umd-tree(1) has the options of umd-tree --help')

	# ---- the examples are true ----

	# A laboratory runs for as long as it says: it gets a folder where it cannot begin.
	os.mkdir(s.path('taken'))
	s.image('taken/a.img', MIB)
	never_runs = {'cluster': ['--dir=taken']}
	for verb in verbs:
		for example in re.findall(rf'^  umd ({verb}\b.*)$', helps[verb].split('Examples:')[1], re.M):
			run = s.umd(*example.split(), *never_runs.get(verb, []))
			s.ok(run.returncode != 2, f'umd {example} is a form that is taken', run.stderr)

	shutil.rmtree(s.path('taken'))

	# ---- completion ----

	s.same(sorted(complete(s, 'umd', '')), sorted(verbs + ['--help', '--version']), 'bash offers the verbs')
	s.same(complete(s, 'umd', 'exa'), ['examine'], 'a verb is completed')
	for verb in verbs:
		got = {w.rstrip('=').removeprefix('--') for w in complete(s, 'umd', verb, '--')}
		s.same(got, options_of(helps[verb]), f'bash offers the options of {verb}')
	s.same(complete(s, 'umd', 'create', '--metadata', '=', '1'), ['1.0', '1.1', '1.2'], 'bash offers the values of an option')
	s.same(complete(s, 'umd', 'create', '--metadata', '='), ['1.0', '1.1', '1.2'], 'also right behind the =')
	s.same(complete(s, 'umd', 'create', '--size', '=', ''), [''], 'and none where any number goes')

	a, b = s.image('a.img', 32 * MIB), s.image('with blank.img', 32 * MIB)
	s.must('create', '--assume-clean', '--name=safe', a, b)
	s.same(complete(s, 'umd', 'stop', ''), [''], 'no name is offered when no array runs')
	s.serve('safe', a, b)
	for verb in ('stop', 'wait', 'detail', 'manage'):
		s.same(complete(s, 'umd', verb, 's'), ['safe'], f'the running array is offered to {verb}')
	s.same(sorted(complete(s, 'umd', 'map', '')), ['a.img', 'run', 'safe', 'with blank.img'], 'map is offered arrays and files')
	s.same(complete(s, 'umd', 'manage', 'safe', ''), [''], 'members are left to the completion of files')
	s.stop('safe')
