#!/usr/bin/env python3
"""Goal:   images made by Linux decode to the facts: every field of superblock and bitmap, every set chunk.
Method: `umd examine --json --all` on each set, compared with what an independent reader found in the raw bytes;
        sets umd cannot start must be refused with a sentence and be named in not-yet.txt, and nobody else.
Law:    I9 (every state is assembled or refused with a reason), I7 (looking changes no byte).
Source: facts.json of each set."""
import json
import os
import sys

import goldenlib
import reader

ROLES = {0xffff: 'spare', 0xfffe: 'faulty', 0xfffd: 'journal'}
FLAGS = [('devflags', 1, 'writemostly'), ('devflags', 2, 'failfast'), ('feature_map', 16, 'replacement'),
	 ('feature_map', 128, 'recovery_by_bitmap'), ('feature_map', 256, 'clustered')]


def role(number):
	return ROLES.get(number, number)


def expected_superblock(sb):
	"""The facts in the units and words of `umd examine`."""
	offset = sb['resync_offset']
	has_recovery = sb['feature_map'] & 2
	return {
		'metadata': sb['version'], 'array_uuid': sb['array_uuid'], 'device_uuid': sb['device_uuid'], 'name': sb['name'],
		'level': sb['level'], 'layout': sb['layout'], 'chunk_bytes': sb['chunk_sectors'] * 512, 'raid_devices': sb['raid_disks'],
		'component_bytes': sb['size_sectors'] * 512, 'super_offset_bytes': sb['super_pos'],
		'data_offset_bytes': sb['data_offset'] * 512, 'data_bytes': sb['data_size'] * 512, 'feature_map': sb['feature_map'],
		'events': sb['events'], 'state': 'clean' if offset == goldenlib.IN_SYNC else 'active',
		'resync_offset_bytes': None if offset == goldenlib.IN_SYNC else offset * 512,
		'recovery_offset_bytes': sb['recovery_offset'] * 512 if has_recovery else None,
		'device_number': sb['dev_number'], 'role': role(sb['role']) if isinstance(sb['role'], int) else sb['role'],
		'bad_blocks': [{'offset_bytes': at * 512, 'length_bytes': n * 512} for at, n in sb['bad_blocks']],
		'checksum': f"{sb['csum']:08x}", 'checksum_ok': sb['csum_ok'],
		'flags': [word for field, bit, word in FLAGS if sb[field] & bit],
	}


def expected_bitmap(slot, b, sb):
	"""A mirror's bitmap covers the members' size, as in Linux, whatever size the bitmap itself claims."""
	chunks = -(-sb['size_sectors'] * 512 // b['chunksize']) if sb['level'] == 1 and b['chunksize'] else b['bits']
	return {
		'slot': slot, 'offset_bytes': b['pos'], 'version': b['version'], 'uuid': b['uuid'], 'events': b['events'],
		'events_cleared': b['events_cleared'], 'state': b['state'], 'chunk_bytes': b['chunksize'],
		'daemon_sleep_s': b['daemon_sleep'], 'write_behind': b['write_behind'], 'sync_size_bytes': b['sync_size'] * 512,
		'sectors_reserved': b['sectors_reserved'], 'nodes': b['nodes'], 'cluster_name': b['cluster_name'],
		'chunks': chunks, 'set_chunks': b['set_chunks'], 'set': b['set'], 'set_truncated': False,
	}


def unlike(wanted, got, where):
	return [f'{where}.{k}: umd says {got.get(k)!r}, the image says {v!r}' for k, v in wanted.items() if got.get(k, '-') != v]


def trimmed_roles(roles):
	while roles and roles[-1] == 'spare':
		roles = roles[:-1]
	return roles


def compare_superblock(fact, got, where):
	sb = fact['superblock']
	wrong = unlike(expected_superblock(sb), got, where)
	if trimmed_roles(got['roles']) != [role(r) for r in sb['dev_roles']]:
		wrong.append(f"{where}.roles: umd says {got['roles']}, the image says {sb['dev_roles']}")
	if sb['level'] == 1 and got['array_bytes'] != sb['size_sectors'] * 512:
		wrong.append(f"{where}.array_bytes: umd says {got['array_bytes']}")
	return wrong


def compare_member(fact, got, where):
	"""Places where umd's words differ from the facts of one version-1 member."""
	wrong = compare_superblock(fact, got['superblock'], where)
	if not fact['superblock']['csum_ok']:
		return wrong		# nothing in it is believed, so its bitmap is not looked for
	if len(got['bitmaps']) != len(fact['bitmaps']):
		return wrong + [f"{where}: umd shows {len(got['bitmaps'])} bitmaps, the image has {len(fact['bitmaps'])}"]
	for slot, (b, g) in enumerate(zip(fact['bitmaps'], got['bitmaps'])):
		wrong += unlike(expected_bitmap(slot, b, fact['superblock']), g, f'{where}.bitmap{slot}')
	return wrong


def examine(umd, one):
	"""What umd says of a set; what a second reader says; and whether every byte was left alone: the facts know the hashes."""
	with goldenlib.Scratch(umd) as scratch:
		paths = one.unpack(scratch.folder)
		file_path = one.unpack_bitmap_file(scratch.folder)
		_, out, err = scratch.call('examine', '--json', '--all', *paths)
		said = json.loads(out) if out.strip() else {'members': [], 'arrays': [], 'stderr': err}
		return said, reader.read_images(one.facts, paths, file_path), one.hashes() == [reader.sha256(p) for p in paths]


def check_second_reader(report, one, found):
	"""The facts are in the images: whoever edits one without the other is told."""
	wanted = {'members': [{k: m[k] for k in found['members'][0]} for m in one.members]}
	if one.facts.get('bitmap_file'):
		wanted['bitmap_file'] = one.facts['bitmap_file']['bitmap']
	wrong = [f'{a} is not {b}' for a, b in zip(wanted['members'], found['members']) if a != b]
	report.check(wanted == found, f'{one.name}: its facts are what the second reader finds', *wrong)


def has_version_1(fact):
	sb = fact['superblock']
	return bool(sb) and sb['version'].startswith('1.')


def check_facts(report, one, said):
	wrong, silent, fields = [], [], 0
	for i, (fact, got) in enumerate(zip(one.members, said['members'])):
		if has_version_1(fact) and got['superblock']:
			has_old_bitmap = all(b and 'set' in b and b['version'] in (4, 5) for b in fact['bitmaps'])
			if has_old_bitmap and not got['error']:
				wrong += compare_member(fact, got, f'member{i}')
			else:
				wrong += compare_superblock(fact, got['superblock'], f'member{i}')
			fields += len(got['superblock']) + sum(len(b) for b in got['bitmaps'])
		elif has_version_1(fact):
			wrong.append(f'member{i}: a version-1 superblock is there, umd shows none')
		if not got['superblock'] and not goldenlib.is_sentence((got['error'] or {}).get('message')):
			silent.append(f'member{i}: {got}')
	report.check(len(said['members']) == len(one.members) and not wrong, f'{one.name} decodes to its facts ({fields} fields)', *wrong)
	report.check(not silent, f'{one.name}: a member without superblock has a sentence', *silent)


def sentences(said):
	"""Every reason umd gives for not starting."""
	found = [(m.get('error') or {}).get('message', '') for m in said['members']]
	for array in said['arrays']:
		if not array['can_start']:
			found.append(array['next_start']['reason'])
	return [s for s in found if s]


def can_start(said):
	"""By itself, or when the user insists: a missing member is no reason to call a set uncovered."""
	return len(said['arrays']) == 1 and (said['arrays'][0]['can_start'] or 'insist with --run' in said['arrays'][0]['next_start']['reason'])


def did_linux_start(one):
	start = one.facts['linux_start']
	return bool(start and start['steps'] and start['steps'][0]['rc'] == 0)


def check_cover(report, one, said, not_yet):
	"""A set is started, refused as Linux refused it, or on the list with the reason umd gives."""
	if one.name in not_yet:
		fragment = not_yet[one.name]
		report.check(not can_start(said) and any(fragment in s for s in sentences(said)),
			     f'{one.name} is not covered yet: {fragment}', f'umd says: {sentences(said)}, can start: {can_start(said)}')
		return
	if can_start(said):
		report.check(True, f'{one.name} can be started')
		return
	report.check(any(map(goldenlib.is_sentence, sentences(said))) and not did_linux_start(one),
		     f'{one.name} is refused with a sentence, as Linux refused it',
		     f'umd says: {sentences(said)}', f'Linux started it: {did_linux_start(one)}')


def main():
	umd = os.path.abspath(sys.argv[1])
	report, sets, not_yet = goldenlib.Report(), goldenlib.all_sets(), goldenlib.named_lines('not-yet.txt')
	promised = goldenlib.named_lines('sets.txt')
	report.check(sorted(promised) == [s.name for s in sets], f'{len(promised)} sets are here, none is left out',
		     sorted(set(promised) ^ {s.name for s in sets}))
	report.check(sum(s.is_promised for s in sets) == 36, 'the promised families are here')
	for one in sets:
		said, found, is_untouched = examine(umd, one)
		check_second_reader(report, one, found)
		report.check(is_untouched, f'{one.name}: looking changes no byte')
		check_facts(report, one, said)
		check_cover(report, one, said, not_yet)
	unknown = sorted(set(not_yet) - {s.name for s in sets})
	report.check(not unknown, 'not-yet.txt names only sets that are here', unknown)
	promised = sorted(s.name for s in sets if s.is_promised and s.name in not_yet)
	report.check(not promised, 'no promised set is on the list of those not covered', promised)
	return report.end()


sys.exit(main())
