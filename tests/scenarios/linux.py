"""Linux's own md plays scenarios: the host's side.

	groups of scenarios  ->  a boot per life (tests/lab/uml-run)  ->  linux_guest.py  ->  said-LIFE.json, NN-a.img  ->  facts

A boot costs seconds, so scenarios share boots; a cut kills the guest and with it all lives that share it. What one of them was
too slow for is played again in a boot of its own, from the images it began with.
"""
import json
import os
import shutil

from worlds import HERE, begin_images

DISKS_MAX, LIVES_MAX, TRIES = 14, 6, 4


class Linux:
	"""What became of one scenario."""

	def __init__(self, scenario, start, folder):
		self.scenario, self.folder, self.facts, self.compares, self.error = scenario, folder, [], 0, None
		os.makedirs(folder, exist_ok=True)
		begin_images(scenario, start, self)

	def path(self, name):
		return os.path.join(self.folder, name + '.img')

	def snapshot_path(self, name, count):
		return os.path.join(self.folder, f'{count:02}-{name}.img')

	def job(self, life, first_disk):
		names = self.scenario.members()
		return {'path': self.scenario.path, 'life': life, 'folder': self.folder, 'compares': self.compares,
			'is_cut': self.scenario.lives()[life][-1].word == 'cut',
			'disks': {n: f'/dev/ubd{chr(ord("a") + first_disk + i)}' for i, n in enumerate(names)}}

	def again(self, life):
		"""Back to where this life began."""
		self.error = None
		for image in map(self.path, self.scenario.members()):
			os.replace(image + '.before', image)

	def take(self, life):
		try:
			with open(os.path.join(self.folder, f'said-{life}.json'), encoding='utf-8') as f:
				said = json.load(f)
			self.error = said['error']
			if not self.error:
				self.facts += said['facts']
				self.compares = said['compares']
		except FileNotFoundError:
			self.error = f'life {life} said nothing'


def is_hasty(life):
	"""Members are managed between the first write and the cut: that takes long, and nobody else should wait for it."""
	words = [e.word for e in life]
	return words[-1] == 'cut' and 'write' in words and bool({'fail', 'remove', 'add', 're-add'} & set(words))


def groups_of(worlds):
	"""Scenarios that share their boots: those without a cut, those with, and by themselves those that are hasty."""
	kinds = [], []
	for world in worlds:
		lives = world.scenario.lives()
		if any(is_hasty(life) for life in lives):
			yield [world]
		else:
			kinds[len(lives) > 1].append(world)
	for kind in reversed(kinds):
		group, disks = [], 0
		for world in kind:
			more = len(world.scenario.members())
			if group and (disks + more > DISKS_MAX or len(group) == LIVES_MAX):
				yield group
				group, disks = [], 0
			group.append(world)
			disks += more
		if group:
			yield group


def run_boot(lab, group, life, path):
	jobs, images = [], []
	for world in group:
		jobs.append(world.job(life, len(images)))
		images += [world.path(n) for n in world.scenario.members()]
	for image in images:
		shutil.copyfile(image, image + '.before')
	with open(path, 'w', encoding='utf-8') as f:
		json.dump(jobs, f)
	script = f'exec /usr/bin/python3 {os.path.join(HERE, "linux_guest.py")} {path}\n'
	run = lab.guest(script, *images, limit=200, name=os.path.basename(path) + '.sh')
	for world in group:
		world.take(life)
		if world.error:
			world.error += '\n' + run.stdout + run.stderr


def run_group(lab, group, path):
	"""Life after life; those for which it was too slow have a boot of their own."""
	for life in range(max(len(w.scenario.lives()) for w in group)):
		alive = [w for w in group if not w.error and life < len(w.scenario.lives())]
		if alive:
			run_boot(lab, alive, life, f'{path}-{life}')
		for turn, world in ((t, w) for w in alive for t in range(TRIES)):
			if world.error and world.error.startswith('TooSlow'):
				world.again(life)
				run_boot(lab, [world], life, f'{path}-{life}-{world.scenario.name}-{turn}')
