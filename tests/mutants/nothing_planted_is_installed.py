#!/usr/bin/env python3
"""What is installed holds no planted bug, no recorder, no fault to be ordered, and no law that can be weakened.

Goal: nothing that tests do to the product can reach a user.
Method: the build is installed into an empty folder. Names of planted bugs, of the recorder and of the switch that makes
  laws silent are looked for in every installed byte; the recorder's symbols in every installed program; the environment
  variables that programs read must be those of a list. Planting every bug leaves src as it was, and objects compiled
  anew from src are the ones that were installed.
Law: all.
Source: the design's demand that tests of the tests live outside of the product.

    nothing_planted_is_installed.py SOURCE_ROOT BUILD_ROOT"""
import glob
import hashlib
import json
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile

import program
import table

# Each with its reason: none of them touches what is written to a member.
ENVIRONMENT = {
	'UMD_RUNTIME_DIR': 'where the sockets of running arrays lie',
	'XDG_RUNTIME_DIR': 'the same, where the first is not set',
	'UMD_STATE_DIR': 'where umd remembers which array has its bitmap in which file',
	'XDG_STATE_HOME': 'the same, where the first is not set',
	'HOME': 'the same, where neither is',
	'NO_COLOR': 'the tool prints without colours',
	'TMPDIR': 'where umd cluster lab makes its folder',
}
SWITCHES = ['UMD_LAWS_ARE_SILENT', 'UMD_BREAK_LAW', 'UMD_RECORD', 'UMD_FAULT', 'UMD_SIM', 'umd-sim', 'mbr_record', '__wrap_']
OBJECTS = 8			# compiled anew and compared


def output(command, **more):
	return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more).stdout.decode(
		errors='replace')


class Installed:
	def __init__(self, build, folder):
		output(['meson', 'install', '-C', build, '--no-rebuild', '--destdir', folder])
		self.files = {}
		for at, _, names in os.walk(folder):
			for path in (os.path.join(at, name) for name in names):
				if not os.path.islink(path):
					with open(path, 'rb') as f:
						self.files[path] = f.read()
		self.programs = [path for path, data in self.files.items() if data.startswith(b'\x7fELF')]

	def holding(self, words):
		return [f'{os.path.basename(path)}: {word}' for path, data in self.files.items() for word in words
			if word.encode() in data]


def symbols(path, *options):
	lines = output(['nm', '-P', *options, path]).splitlines()
	return {line.split()[0].split('@')[0] for line in lines if len(line.split()) > 1}


def recorder_symbols(build):
	"""What the recording plugin's own objects bring along for others to call."""
	found = set()
	for pattern in ('*record.c.o', '*recording.c.o'):
		for obj in glob.glob(os.path.join(build, 'tests/**', pattern), recursive=True):
			found |= symbols(obj, '--defined-only', '--extern-only')
	return found


def installed_sources(root, build):
	"""The C files of everything that is installed, and of the rooms inside it."""
	targets = json.loads(output(['meson', 'introspect', '--targets', build]))
	chosen = [t for t in targets if t['installed'] or t['type'] == 'static library']
	sources = {s for t in chosen for group in t['target_sources'] for s in group['sources'] if s.endswith('.c')}
	return sorted(os.path.relpath(s, root) for s in sources)


def environment_of(root, sources):
	for source in sources:
		with open(os.path.join(root, source), encoding='utf-8') as f:
			text = f.read()
		for name in re.findall(r'\bgetenv\(([^)]*)\)', text):
			yield source, name.strip('"')
		for word in re.findall(r'\b(?:environ|\w+_getenv)\b', text):
			yield source, word


def digests(root):
	"""The tree's src, byte by byte."""
	paths = sorted(glob.glob(os.path.join(root, 'src/**'), recursive=True))
	told = {}
	for path in filter(os.path.isfile, paths):
		with open(path, 'rb') as f:
			told[path] = hashlib.sha256(f.read()).hexdigest()
	return told


def plant_all(root, folder, bugs):
	"""Every copy that mutants.py would compile."""
	world = program.World(root, folder, 1)
	for bug in bugs:
		world.copy(bug)
	return [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]


def commands_of(root, build, sources):
	"""source -> (command, object) of the product's own objects."""
	with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as f:
		told = json.load(f)
	found = {}
	for entry in told:
		source = os.path.relpath(os.path.join(entry['directory'], entry['file']), root)
		if source in sources and not entry['output'].startswith('tests/'):
			found[source] = (shlex.split(entry['command']), os.path.join(entry['directory'], entry['output']))
	return found


def compiled_anew(build, folder, commands, sources):
	"""Those whose object is not what the build has."""
	for source in sources:
		command, obj = commands[source]
		again = os.path.join(folder, 'again.o')
		words = [again if word == command[command.index('-o') + 1] else word for word in command]
		output(words, cwd=build)
		with open(again, 'rb') as one, open(obj, 'rb') as other:
			if one.read() != other.read():
				yield f'{source}: its object is another one when compiled anew'


def sections_differ(build, installed, folder):
	for path in installed.programs:
		made = glob.glob(os.path.join(build, os.path.basename(path)))
		codes = []
		for place in [path, *made]:
			raw = os.path.join(folder, 'code')
			output(['objcopy', '-O', 'binary', '--only-section=.text', place, raw])
			with open(raw, 'rb') as f:
				codes.append(f.read())
		if len(codes) != 2 or not codes[0] or codes[0] != codes[1]:
			yield f'{os.path.basename(path)}: its code is not the build\'s'


def rules_of_what_is_installed(build, folder, bugs):
	installed, recorder = Installed(build, os.path.join(folder, 'installed')), recorder_symbols(build)
	taken = [f'{os.path.basename(path)}: {name}' for path in installed.programs
		 for name in sorted(recorder & (symbols(path, '--defined-only') | symbols(path, '-D')))]
	is_whole = len(installed.programs) >= 3 and len(installed.files) > 5
	yield 'programs, library, header and pages are installed', [] if is_whole else list(installed.files)
	yield ('no installed byte names a planted bug, or a switch of the tests',
	       installed.holding(SWITCHES + [bug.name for bug in bugs]))
	yield ('the recorder has symbols, and no installed program has one of them',
	       taken if recorder else ['no symbol of the recorder was found'])
	yield 'installed code is the code in the build', list(sections_differ(build, installed, folder))


def rules_of_sources(root, build, folder, bugs):
	sources, before = installed_sources(root, build), digests(root)
	recorder = {os.path.basename(path) for path in glob.glob(os.path.join(root, 'tests/record/*.c'))}
	commands, read = commands_of(root, build, sources), list(environment_of(root, sources))
	lot = random.Random(os.environ.get('SEED', '1'))
	chosen = lot.sample(sorted(commands), min(OBJECTS, len(commands)))
	copies = plant_all(root, os.path.join(folder, 'planted'), bugs)
	yield ('what is installed is made of src and front alone, without the recorder',
	       [s for s in sources if not s.startswith(('src/', 'front/')) or os.path.basename(s) in recorder or s not in commands])
	yield ('no command of the product silences laws or looks elsewhere for sources',
	       [s for s, (words, _) in commands.items() for w in words if 'SILENT' in w or 'mutants/' in w or '--wrap' in w])
	yield ('the environment variables that are read are those of the list',
	       [f'{s}: {name}' for s, name in read if name not in ENVIRONMENT] +
	       [f'nobody reads {name}' for name in ENVIRONMENT if name not in [n for _, n in read]])
	yield (f'planting all {len(bugs)} bugs leaves src as it was',
	       [path for path, digest in digests(root).items() if before.get(path) != digest] +
	       ([] if len(copies) == len(bugs) else [f'{len(copies)} copies were made']))
	yield (f'{len(chosen)} objects compiled anew from src are those of the build',
	       list(compiled_anew(build, folder, commands, chosen)))


def main():
	root, build = map(os.path.abspath, sys.argv[1:3])
	bugs = table.read()
	with tempfile.TemporaryDirectory() as folder:
		return report([*rules_of_what_is_installed(build, folder, bugs), *rules_of_sources(root, build, folder, bugs)])


def report(rules):
	print(f'1..{len(rules)}')
	for number, (text, places) in enumerate(rules, 1):
		print(f"{'not ok' if places else 'ok'} {number} - {text}")
		for place in places[:20]:
			print(f'# {place}')
	return 1 if any(places for _, places in rules) else 0


if __name__ == '__main__':
	sys.exit(main())
