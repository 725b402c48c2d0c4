"""What the tidy checks share: the tree's files, the table of rooms, and a report in TAP.

A check is a program `check.py SOURCE_ROOT [BUILD_ROOT]`. It prints one TAP line per rule, the places
that break it as comments, and exits 1 when a rule is broken."""
import os
import subprocess
import sys

SKIP = {'.git', '__pycache__'}


class Report:
	def __init__(self):
		self.count = self.failed = 0

	def rule(self, text, places):
		"""One rule; places: list of strings naming what breaks it."""
		self.count += 1
		print(f"{'not ok' if places else 'ok'} {self.count} - {text}")
		for place in places:
			print(f'# {place}')
		self.failed += bool(places)

	def end(self):
		print(f'1..{self.count}')
		sys.exit(1 if self.failed else 0)


class Room:
	def __init__(self, line):
		self.name, prefixes, self.kind, doors, *allowed = line.split()
		self.prefixes = () if prefixes == '-' else tuple(prefixes.split(','))
		self.doors = doors
		self.allowed = [a for a in allowed if a != '-']
		self.folder = self.name if '/' in self.name else 'src/' + self.name

	def is_door(self, header):
		return self.doors == '*' or header in self.doors.split(',')


def rooms(root):
	with open(os.path.join(root, 'src/rooms.txt')) as f:
		lines = [l for l in f if l.strip() and not l.startswith('#')]
	return {r.name: r for r in map(Room, lines)}


def files(root, folders, endings):
	"""Paths below root, sorted; build folders are no part of the tree."""
	for folder in folders:
		for at, subs, names in os.walk(os.path.join(root, folder)):
			subs[:] = sorted(s for s in subs if s not in SKIP and not s.startswith('build'))
			for name in sorted(names):
				if name.endswith(endings):
					yield os.path.relpath(os.path.join(at, name), root)


def lines(root, path):
	with open(os.path.join(root, path), encoding='utf-8', errors='surrogateescape') as f:
		return f.read().split('\n')


def symbols(library, *options):
	"""Names nm prints for a static library; an archive of nothing has none."""
	out = subprocess.run(['nm', '-P', *options, library], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
			     text=True, check=False).stdout
	return [l.split() for l in out.splitlines() if len(l.split()) >= 2]


def library_of(build, room):
	return os.path.join(build, room.folder, f'libumd-{room.name}.a')
