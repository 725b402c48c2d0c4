#!/usr/bin/env python3
"""Goal:   images made by Linux decode to the facts: every field of superblocks and bitmaps, every set chunk of every slot,
        every state; what the next start would copy is what Linux copied; maps and `why` point at the right bytes.
Method: `umd examine --json --all`, `map --json` and `why --json` on each set, compared with what an independent reader
        found in the raw bytes; sets umd cannot start must be refused with a sentence and be named in not-yet.txt.
Law:    I9 (every state is assembled or refused with a reason), I7 (looking changes no byte), I8 (what is copied).
Source: facts.json of each set.

    decode.py UMD [SET...]"""
import json
import os
import sys

import expect
import goldenlib
import judged
import mapped
import reader


def place_words(one):
	"""Options that say where an external bitmap lies."""
	place = one.facts.get('external')
	return ['--external', f"--location={place['location_bytes']}", f"--chunk={place['chunk_bytes']}", f"--size={place['size_bytes']}"] \
		if place else []


class Look:
	"""All that is asked of one set, while it is unpacked."""

	def __init__(self, umd, one):
		with goldenlib.Scratch(umd) as scratch:
			paths, place = one.unpack(scratch.folder), place_words(one)
			file_path = one.unpack_bitmap_file(scratch.folder)
			files = paths + ([file_path] if file_path else [])
			_, out, err = scratch.call('examine', '--json', '--all', *place, *files)
			self.said = json.loads(out) if out.strip() else {'members': [], 'arrays': [], 'stderr': err}
			self.wrong_maps = mapped.compare_map(scratch, one, paths, place)
			self.wrong_whys, self.asked = mapped.compare_why(scratch, one, paths, place, self.said)
			self.found = reader.read_images(one.facts, paths, file_path)
			self.is_untouched = one.hashes() == [reader.sha256(p) for p in files]


def check_second_reader(report, one, found):
	"""The facts are in the images: whoever edits one without the other is told."""
	wanted = {'members': [{k: m[k] for k in found['members'][0]} for m in one.members]}
	if one.facts.get('bitmap_file'):
		wanted['bitmap_file'] = one.facts['bitmap_file']['bitmap']
	wrong = [f'{a} is not {b}' for a, b in zip(wanted['members'], found['members']) if a != b]
	report.check(wanted == found, f'{one.name}: its facts are what the second reader finds', *wrong)


# ---- fields ----

def unlike(wanted, got, where):
	return [f'{where}.{k}: umd says {got.get(k)!r}, the image says {v!r}' for k, v in wanted.items() if got.get(k, '-') != v]


def trimmed(roles):
	while roles and roles[-1] == 'spare':
		roles = roles[:-1]
	return roles


def compare_superblock(fact, got, where):
	sb = fact['superblock']
	if not got:
		return [f'{where}: a superblock is there, umd shows none']
	wrong = unlike(expect.superblock(fact), got, where)
	if trimmed(got['roles']) != expect.roles(sb):
		wrong.append(f"{where}.roles: umd says {got['roles']}, the image says {expect.roles(sb)}")
	if sb['level'] == 1 and got['array_bytes'] != sb['size_sectors'] * 512:
		wrong.append(f"{where}.array_bytes: umd says {got['array_bytes']}")
	return wrong


def compare_bitmaps(fact, got, where):
	"""One that is refused is shown as found, and counted by nobody."""
	if not fact['superblock']['csum_ok']:
		return []		# nothing in it is believed, so its bitmap is not looked for
	if len(got['bitmaps']) != len(fact['bitmaps']):
		return [f"{where}: umd shows {len(got['bitmaps'])} bitmaps, the image has {len(fact['bitmaps'])}"]
	wrong, count = [], len(fact['bitmaps'])
	for slot, (b, g) in enumerate(zip(fact['bitmaps'], got['bitmaps'])):
		wanted = expect.head(slot, b) if got['error'] else expect.bitmap(slot, b, fact['superblock'], count)
		wrong += unlike(wanted, g, f'{where}.bitmap{slot}')
	return wrong


def compare_member(fact, got, where, place):
	if place:
		wanted, wrong = expect.external_bitmap(fact['external'], place), []
		return unlike(wanted, got['bitmaps'][0], where) if got['bitmaps'] else [f'{where}: no bitmap is shown']
	if not fact['superblock']:
		return [] if not got['superblock'] else [f'{where}: umd shows a superblock, there is none']
	wrong = compare_superblock(fact, got['superblock'], where)
	if not wrong:
		wrong = compare_bitmaps(fact, got, where)
	has_note = any('lies inside the' in note for note in got['notes'])
	if has_note != expect.has_log_inside_bitmap(fact):
		wrong.append(f"{where}: a log inside the bitmap is {'' if has_note else 'not '}noted: {got['notes']}")
	return wrong


def check_facts(report, one, said):
	wrong, silent, fields = [], [], 0
	file_fact = one.facts.get('bitmap_file')
	for i, (fact, got) in enumerate(zip(one.members, said['members'])):
		wrong += compare_member(fact, got, f'member{i}', one.facts.get('external'))
		fields += len(got['superblock'] or ()) + sum(len(b) for b in got['bitmaps'])
		if not got['superblock'] and not got['bitmaps'] and not goldenlib.is_sentence((got['error'] or {}).get('message')):
			silent.append(f'member{i}: {got}')
	if file_fact:
		got = said['members'][-1]
		wrong += unlike(expect.file_bitmap(file_fact['bitmap']), got['bitmaps'][0], 'bitmap file') if got['bitmaps'] else ['no bitmap file']
	is_complete = len(said['members']) == len(one.members) + bool(file_fact)
	report.check(is_complete and not wrong, f'{one.name} decodes to its facts ({fields} fields)', *wrong, said.get('stderr', ''))
	report.check(not silent, f'{one.name}: a member without anything known has a sentence', *silent)


# ---- what is covered ----

def sentences(said):
	"""Every reason umd gives for not starting."""
	found = [(m.get('error') or {}).get('message', '') for m in said['members']]
	for array in said['arrays']:
		if not array['can_start']:
			found += [array['next_start']['reason'], array['not_supported'] or '']
	return [s for s in found if s]


def can_start(said):
	"""By itself, or when the user insists: a missing member is no reason to call a set uncovered."""
	return len(said['arrays']) == 1 and (said['arrays'][0]['can_start'] or 'insist with --run' in said['arrays'][0]['next_start']['reason'])


def check_cover(report, one, said, not_yet):
	"""A set is started, refused as Linux refused it, or on the list with the reason umd gives."""
	if one.name in not_yet:
		fragment = not_yet[one.name]
		is_said = fragment == 'no superblock' and not said['arrays'] or any(fragment in s for s in sentences(said))
		report.check(not can_start(said) and is_said, f'{one.name} is not covered yet: {fragment}',
			     f'umd says: {sentences(said)}, can start: {can_start(said)}')
		return
	if can_start(said):
		report.check(True, f'{one.name} can be started')
		return
	report.check(any(map(goldenlib.is_sentence, sentences(said))) and not goldenlib.did_linux_start(one),
		     f'{one.name} is refused with a sentence, as Linux refused it',
		     f'umd says: {sentences(said)}', f'Linux started it: {goldenlib.did_linux_start(one)}')


def check_set(report, umd, one, not_yet, differs):
	look = Look(umd, one)
	check_second_reader(report, one, look.found)
	report.check(look.is_untouched, f'{one.name}: looking changes no byte')
	check_facts(report, one, look.said)
	check_cover(report, one, look.said, not_yet)
	wrong = judged.compare(one, look.said, differs.get(one.name, {}))
	report.check(not wrong, f'{one.name}: the next start is told as the facts have it', *wrong)
	report.check(not look.wrong_maps, f'{one.name}: the map has what is set', *look.wrong_maps)
	report.check(not look.wrong_whys, f'{one.name}: why names the right byte ({look.asked} times)', *look.wrong_whys)


def check_lists(report, sets, not_yet):
	promised = goldenlib.named_lines('sets.txt')
	report.check(sorted(promised) == [s.name for s in sets], f'{len(promised)} sets are here, none is left out',
		     sorted(set(promised) ^ {s.name for s in sets}))
	report.check(sum(s.is_promised for s in sets) == 38, 'the promised families are here')
	unknown = sorted(set(not_yet) - {s.name for s in sets})
	report.check(not unknown, 'not-yet.txt names only sets that are here', unknown)
	both = sorted(s.name for s in sets if s.is_promised and s.name in not_yet)
	report.check(not both, 'no promised set is on the list of those not covered', both)


def main():
	umd, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
	report, sets, not_yet = goldenlib.Report(), goldenlib.all_sets(), goldenlib.named_lines('not-yet.txt')
	differs = goldenlib.differs()
	check_lists(report, sets, not_yet)
	for one in sets:
		if not names or one.name in names:
			check_set(report, umd, one, not_yet, differs)
	return report.end()


sys.exit(main())
