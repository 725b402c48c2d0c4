"""Goal:   the plugin's threads share nothing without a lock while clients write, flush and read the same places.
Method: the recording plugin, compiled with the thread sanitizer, runs in nbdkit under the loads that need no commands, with
	faults in flushes and writes; the sanitizer speaks on stderr.
Law:    I1, I12 rest on it.
Source: issue "The simulator", 6. SEED= of the loads.
"""
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from scene import Scene  # noqa: E402

import load  # noqa: E402

SEED = int(os.environ.get('SEED', random.SystemRandom().randrange(1, 1 << 30)))
NAMES = ['calm', 'alone', 'flushes', 'writes', 'behind', 'bare']


def without_events(one):
	lives = [load.Life(life.end, life.faults, absent=life.absent) for life in one.lives]
	return load.Load(one.name, lives, one.members, one.create, one.metadata)


with Scene() as s:
	print(f'# SEED={SEED}', flush=True)
	library = subprocess.run(['gcc', '-print-file-name=libtsan.so'], check=True, capture_output=True, text=True).stdout.strip()
	stage = load.Stage(s.dir, s.tool, os.path.abspath(os.environ['UMD_RECORDING_PLUGIN']), library)
	for one in load.LOADS:
		if one.name in NAMES:
			try:
				words = load.run(stage, without_events(one), SEED)[2]
			except RuntimeError as e:
				words = f'ThreadSanitizer, perhaps: {e}'
			s.ok('ThreadSanitizer' not in words, f'{one.name}: no race is found', words)
