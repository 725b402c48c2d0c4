"""Goal:   one scenario file means the same in the simulator, on real files and under Linux's own md.
Method: each *.umd runs in every world it names; what it states must hold there, and at each `compare` the members' images
	are compared byte by byte with the simulator's, under mask.txt; every entry of the mask must have been needed. Then
	a byte, a bit and the order of members are changed by hand, and the comparison must see each.
Law:    on-disk compatibility; I1, I2, I4, I8 as each file says.
Source: issue "The simulator", item 3. Usage: SIMULATOR [FILE...]; KEEP=FOLDER keeps the images there.
"""
import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'oracle')]
import compare  # noqa: E402
import linux  # noqa: E402
from files import run_on_files  # noqa: E402
from lab import Lab  # noqa: E402
from scene import Scene  # noqa: E402
from worlds import Scenario, Wrong  # noqa: E402

GUESTS, SERVERS = 2, 4


class Stage(Lab):
	__enter__ = Scene.__enter__	# without Linux two worlds are left

	has_linux = all(shutil.which(p, path=os.environ['PATH'] + ':/usr/sbin:/sbin') for p in ('linux.uml', 'mdadm'))


class Run:
	"""One scenario: its simulator's images, and its other worlds as they get ready."""

	def __init__(self, stage, simulator, path):
		self.scenario, self.worlds, self.error = Scenario(path), {}, None
		self.folder = stage.path(self.scenario.name)
		self.start = os.path.join(self.folder, 'sim')
		os.makedirs(self.start)
		run = subprocess.run([simulator, '--scenario', path, '--images', self.start], capture_output=True, text=True)
		if run.returncode:
			self.error = run.stdout + run.stderr

	def run_files(self, stage):
		try:
			self.worlds['files'] = run_on_files(self.scenario, self.start, os.path.join(self.folder, 'files'), stage)
		except Exception as e:	# a world that breaks off is one failed statement of this scenario, not the end of all
			self.error = f'{type(e).__name__}: {e}'


def members(folder, count):
	return {os.path.basename(p)[3]: compare.Member(p) for p in glob.glob(os.path.join(folder, f'{count:02}-?.img'))}


def areas_named(event):
	"""`compare but AREA...`"""
	return set(event.words[1:]) if event.words[:1] == ['but'] else set()


def state_facts(stage, name, world):
	stage.ok(not [f for f in world.facts if not f[1]], f'{name}: its {len(world.facts)} facts hold',
		*[f'line {line}: {text}: {shown}' for line, holds, text, shown in world.facts if not holds])


def state_images(stage, run, kind, folder, mask):
	for count, event in enumerate((e for e in run.scenario.events if e.word == 'compare'), 1):
		wanted, got = members(run.start, count), members(folder, count)
		said = compare.differences(wanted, got, kind, mask, areas_named(event)) if wanted else ['no images']
		stage.ok(not said, f'{run.scenario.name}: {kind}, line {event.line}: the members are those of the simulator', *said)


def state(stage, run, mask):
	name = run.scenario.name
	if not stage.ok(not run.error, f'{name}: {run.scenario.head}', run.error):
		return
	for kind, world in run.worlds.items():
		error = getattr(world, 'error', None)
		if stage.ok(not error, f'{name}: {kind} carry out every line' if kind == 'files' else f'{name}: {kind} carries out every line', error):
			state_facts(stage, f'{name}: {kind}', world)
			state_images(stage, run, kind, world.folder, mask)


def run_linux(stage, runs):
	worlds = []
	for run in runs:
		if run.scenario.runs_in('linux') and not run.error:
			run.worlds['linux'] = linux.Linux(run.scenario, run.start, os.path.join(run.folder, 'linux'))
			worlds.append(run.worlds['linux'])
	with concurrent.futures.ThreadPoolExecutor(GUESTS) as pool:
		list(pool.map(lambda g: linux.run_group(stage, g[1], stage.path(f'boot-{g[0]}')), enumerate(linux.groups_of(worlds))))


def run_files(stage, runs):
	with concurrent.futures.ThreadPoolExecutor(SERVERS) as pool:
		list(pool.map(lambda run: run.run_files(stage), [r for r in runs if r.scenario.runs_in('files') and not r.error]))


# ---- the comparison is tested ----

def state_sight(stage, run, mask):
	"""Changes made by hand in copies of one image: every one must be seen."""
	count = sum(e.word == 'compare' for e in run.scenario.events)
	wanted, path = members(run.start, count), stage.path('changed')

	def seen(at, flip, text, area):
		raw = bytearray(wanted['b'].raw)
		raw[at] ^= flip
		with open(path, 'wb') as f:
			f.write(raw)
		said = compare.differences(wanted, {**wanted, 'b': compare.Member(path)}, 'linux', mask)
		stage.ok(any(line.startswith(f'b {area}') for line in said), f'the comparison sees {text}', *said)

	b = wanted['b']
	data = b.number('super.data_offset_sectors') * compare.SECTOR
	bits = b.super_at + b.number('super.bitmap_offset_sectors', signed=True) * compare.SECTOR + 256
	seen(data + 12345, 1, 'one changed bit of the data', 'data')
	seen(bits, 4, 'one changed bit of the bitmap', 'bits')
	seen(b.super_at + 216, 1, 'a wrong checksum', 'super.csum: the sum is wrong')
	seen(b.super_at + 256 + 2 * b.number('super.dev_number'), 2, 'another role', 'super.role')
	seen(len(b.raw) - 1 if data < len(b.raw) // 2 else 70000, 1, 'a byte outside of every area', 'elsewhere')
	seen(b.super_at + 201, 1, 'another order of events', 'super.events: order')
	with open(path, 'w', encoding='utf-8') as f:
		f.write('super.utime linux ignored because\n')
	try:
		stage.ok(not compare.Mask(path).entries, 'an entry of the mask without a reason is refused')
	except ValueError as e:
		stage.ok('reason' in str(e), 'an entry of the mask without a reason is refused', e)
	swapped = compare.differences(wanted, {**wanted, 'a': wanted['b'], 'b': wanted['a']}, 'linux', mask)
	stage.ok(swapped, 'the comparison sees two members that changed places')


def main(simulator, paths):
	with Stage() as stage:
		mask = compare.Mask()
		files = paths or sorted(glob.glob(os.path.join(HERE, '*.umd')))
		runs = [Run(stage, simulator, p) for p in files if 'sim' not in Scenario(p).worlds or len(Scenario(p).worlds) > 1]
		servers = threading.Thread(target=run_files, args=(stage, runs))
		servers.start()
		if Stage.has_linux:
			run_linux(stage, runs)
		servers.join()
		for run in runs:
			state(stage, run, mask)
		if not paths:
			state_sight(stage, next(r for r in runs if r.scenario.name == 'clean_life'), mask)
		if Stage.has_linux and not paths:
			stage.same(mask.unused(), [], 'every entry of the mask was needed')
		elif not Stage.has_linux:
			stage.skip('the same under Linux', 'linux.uml or mdadm is not installed')
		if 'KEEP' in os.environ:
			shutil.copytree(stage.dir, os.environ['KEEP'], dirs_exist_ok=True, ignore=shutil.ignore_patterns('*.sock'))


if __name__ == '__main__':
	try:
		main(sys.argv[1], sys.argv[2:])
	except Wrong as e:
		print(f'Bail out! {e}')
		sys.exit(1)
