"""Goal:   what a power cut leaves of a threaded run is an array to Linux, too: it starts, becomes whole and loses nothing.
Method: loads are recorded; at seeded places of their logs the images that a cut would leave are written to files; Linux
	assembles them, resyncs and checks; then the replayer, which has made them, judges what Linux has made of them:
	every sector holds what clients were promised, the members are equal, nothing outside of the areas has changed.
Law:    I1, I2, I3, I7; a bit that umd did not set would be a mismatch that Linux finds.
Source: issue "The simulator", 6; oracle. SEED= of loads and cuts.
"""
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'oracle'))
from lab import Lab  # noqa: E402

import load  # noqa: E402

SEED = int(os.environ.get('SEED', random.SystemRandom().randrange(1, 1 << 30)))
SAMPLES = [('calm', 2), ('three', 2), ('writes', 2), ('bare', 1)]	# 16 disks, as many as a guest has

# Between the end of a recovery and the resync behind it Linux is idle for a moment: whole it is when no resync is due.
ONE_ARRAY = '''
assemble /dev/md{number} --run {disks}
until idle md{number} && grep -qx none /sys/block/md{number}/md/resync_start; do :; done
check md{number} > {name}.mismatches
cat /sys/block/md{number}/md/degraded > {name}.degraded
mdadm --stop /dev/md{number} > /dev/null 2>&1
'''


class Sample:
	def __init__(self, s, name, members, logs, nth, of):
		self.name, self.logs, self.nth, self.of = f'{name}-{nth}', logs, nth, of
		self.folder = s.path('cut-' + self.name)
		os.mkdir(self.folder)
		self.images = [os.path.join(self.folder, os.path.basename(m)) for m in members]

	def replay(self, s, what):
		return subprocess.run([os.environ['UMD_REPLAY'], '--seed', str(SEED), '--sample', str(self.nth), str(self.of), what,
			self.folder, *self.logs], cwd=s.dir, check=False, capture_output=True, text=True, timeout=120)


def record(s, name, count):
	one = next(one for one in load.LOADS if one.name == name)
	stage = load.Stage(s.dir, s.tool, os.path.abspath(os.environ['UMD_RECORDING_PLUGIN']))
	members, logs, _ = load.run(stage, one, SEED)
	return [Sample(s, name, members, logs, nth, count) for nth in range(count)]


def script_of(samples):
	script, first = '', 0
	for number, sample in enumerate(samples):
		disks = ' '.join(f'$(disk {first + i})' for i in range(len(sample.images)))
		script += ONE_ARRAY.format(number=number, disks=disks, name=sample.name)
		first += len(sample.images)
	return script


with Lab() as s:
	print(f'# SEED={SEED}', flush=True)
	samples = [sample for name, count in SAMPLES for sample in record(s, name, count)]
	for sample in samples:
		made = sample.replay(s, '--save')
		differ = made.stdout.split()[0] if made.returncode == 0 else '?'
		s.ok(made.returncode == 0, f'{sample.name}: a cut is written to files, {differ} sectors differ', made.stdout, made.stderr)
	guest = s.guest(script_of(samples), *[image for sample in samples for image in sample.images])
	s.ok(guest.returncode == 0, 'Linux starts them all', guest.stdout, guest.stderr)
	for sample in samples:
		s.same((s.said(sample.name + '.mismatches'), s.said(sample.name + '.degraded')), ('0', '0'),
			f'{sample.name}: Linux makes it whole and finds no mismatch')
		judged = sample.replay(s, '--judge')
		s.ok(judged.returncode == 0, f'{sample.name}: every sector holds what was promised, and nothing else has changed',
			judged.stdout, judged.stderr)
	image = samples[0].images[-1]
	with open(image, 'r+b') as f:
		f.seek(s.geometry(image)[0] + 815 * 512)
		f.write(b'lost')
	s.ok(samples[0].replay(s, '--judge').returncode == 1, 'a sector that nobody wrote would be noticed')
