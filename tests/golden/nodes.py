#!/usr/bin/env python3
"""Goal:   a node that is up alone has in doubt exactly what the slots of a real cluster say, whichever slot it takes.
Method: every set of a cluster, looked at by nodes.c as node 0, 1, ...; compared with the union of the facts' slots: the
        others' always, the own one's unless the array is clean and nobody ever wrote through it, or somebody is missing.
Law:    I2, C2.
Source: facts.json; md-cluster's own results are not to be believed (README.md).

    nodes.py PROGRAM"""
import json
import subprocess
import sys
import tempfile

import goldenlib


def believed(one):
	"""Superblock and slots of the member a node believes: in sync, at the highest event, in the lowest slot."""
	good = [m for m in one.members if m['superblock'] and isinstance(m['superblock']['role'], int)]
	return min(good, key=lambda m: (-m['superblock']['events'], m['superblock']['role']))


def chunks(bitmap):
	return {n for first, last in bitmap['set'] for n in range(first, last + 1)}


def union(one, slot):
	"""(chunks in doubt, is a resync due at the start)"""
	m = believed(one)
	sb = m['superblock']
	own = m['bitmaps'][slot]
	is_missing = sb['dev_roles'][:sb['raid_disks']] != list(range(sb['raid_disks']))
	is_clean = sb['resync_offset'] == goldenlib.IN_SYNC
	counts = not is_clean or bool(own['events_cleared']) or is_missing
	others = set().union(*(chunks(b) for i, b in enumerate(m['bitmaps']) if i != slot))
	mine = chunks(own) if counts else set()
	return others | mine, bool(mine) and not is_missing


def main(program):
	report = goldenlib.Report()
	sets = [s for s in goldenlib.all_sets() if s.name.startswith(('cm-', 'cl-'))]
	report.check(len(sets) >= 26, f'{len(sets)} sets of clusters')
	for one in sets:
		with tempfile.TemporaryDirectory(prefix='umd-nodes.') as folder:
			paths = [p for p, m in zip(one.unpack(folder), one.members) if m['superblock']]
			for slot in range(len(believed(one)['bitmaps'])):
				done = subprocess.run([program, str(slot), *paths], capture_output=True, text=True, check=True)
				said = json.loads(done.stdout)
				if one.facts['array']['level'] != 1:
					report.check('level 10 is not supported' in said.get('refused', ''), f'{one.name}: refused', said)
					continue
				wanted, due = union(one, slot)
				found = chunks({'set': said.get('needed', [])})
				report.check(found == wanted and said.get('due') == due, f'{one.name}: node {slot} has {len(wanted)} chunks in doubt',
					     said, f'missing {sorted(wanted - found)[:20]}, too many {sorted(found - wanted)[:20]}, due {due}')
	return report.end()


if __name__ == '__main__':
	sys.exit(main(sys.argv[1]))
