"""What the golden tests share: the sets and their facts, members unpacked, umd called, a report in TAP."""
import json
import os
import re
import shutil
import subprocess
import tempfile

import reader

HERE = os.path.dirname(os.path.abspath(__file__))
BLOCK = 4096
IN_SYNC = 2**64 - 1

# The families umd promises: plain mirrors with an internal bitmap or none.
FAMILY = re.compile(r'r1-(10|11|12)-(4k|64k|1m|64m|none)-')
OTHER = re.compile(r'-(replacing|bad-blocks)')


class Report:
	def __init__(self):
		self.count = self.failed = 0

	def check(self, is_good, text, *why):
		self.count += 1
		print(f"{'ok' if is_good else 'not ok'} {self.count} - {text}", flush=True)
		for line in () if is_good else why:
			for part in str(line).splitlines():
				print('# ' + part[:2000], flush=True)
		self.failed += not is_good
		return is_good

	def end(self):
		print(f'1..{self.count}')
		return 1 if self.failed else 0


class Set:
	"""One array of the corpus."""

	def __init__(self, name):
		self.name = name
		with open(os.path.join(HERE, name, 'facts.json'), encoding='utf-8') as f:
			self.facts = json.load(f)
		self.members = self.facts['members']
		self.is_promised = bool(FAMILY.match(name)) and not OTHER.search(name)

	def unpack(self, folder):
		"""The members as sparse files; their paths."""
		paths = []
		for m in self.members:
			paths.append(reader.unpack(os.path.join(HERE, self.name), m['file'], folder))
		return paths

	def unpack_bitmap_file(self, folder):
		"""The bitmap file of the set, or None."""
		fact = self.facts.get('bitmap_file')
		return reader.unpack(os.path.join(HERE, self.name), fact['file'], folder) if fact else None

	def hashes(self):
		"""Of the members, then of the bitmap file."""
		file_fact = self.facts.get('bitmap_file')
		return [m['sha256'] for m in self.members] + ([file_fact['sha256']] if file_fact else [])

	def data_area(self, member):
		"""(first byte, length) of a version-1 member's data."""
		sb = self.members[member]['superblock']
		return sb['data_offset'] * 512, sb['size_sectors'] * 512


def all_sets():
	return [Set(n) for n in sorted(os.listdir(HERE)) if os.path.exists(os.path.join(HERE, n, 'facts.json'))]


def did_linux_start(one):
	start = one.facts['linux_start']
	return bool(start and start['steps'] and start['steps'][0]['rc'] == 0)


def differs():
	"""Where umd goes another way than Linux, set by set."""
	with open(os.path.join(HERE, 'differs.json'), encoding='utf-8') as f:
		return json.load(f)


class Scratch:
	"""A folder of one set's members with a run-time directory of its own."""

	def __init__(self, umd):
		self.umd = umd

	def __enter__(self):
		self.folder = tempfile.mkdtemp(prefix='umd-golden.')
		self.env = dict(os.environ, UMD_RUNTIME_DIR=os.path.join(self.folder, 'run'),
				UMD_STATE_DIR=os.path.join(self.folder, 'state'))
		return self

	def __exit__(self, *_):
		shutil.rmtree(self.folder, ignore_errors=True)

	def call(self, *words, timeout=120):
		"""(exit status, stdout, stderr) of one umd command. Output goes to files: a server that stays behind must not
		keep a pipe open that somebody reads to its end."""
		out, err = os.path.join(self.folder, 'out'), os.path.join(self.folder, 'err')
		with open(out, 'w', encoding='utf-8') as o, open(err, 'w', encoding='utf-8') as e:
			rc = subprocess.run([self.umd, *words], env=self.env, stdin=subprocess.DEVNULL, stdout=o, stderr=e,
					    timeout=timeout, check=False).returncode
		with open(out, encoding='utf-8') as o, open(err, encoding='utf-8') as e:
			return rc, o.read(), e.read()


def uuid(text):
	return text.replace('-', ':') if text else text


def is_sentence(text):
	"""A reason a person can read: some words, one line."""
	return bool(text) and len(text.split()) >= 4 and '\n' not in text.strip()


def named_lines(path):
	"""name -> rest of the line, of a list with # comments."""
	with open(os.path.join(HERE, path), encoding='utf-8') as f:
		lines = [l.strip() for l in f if l.strip() and not l.startswith('#')]
	return {name: rest.strip() for name, _, rest in (l.partition(':') for l in lines)}
