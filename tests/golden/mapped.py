"""`umd map` and `umd why` against the facts: cells add up to the set chunks of each slot, and the byte that why names
holds, in the image, the value and the bit it says."""
import json

import expect
import goldenlib


def set_of(fact):
	"""(chunks, set runs, set chunks) of one bitmap as umd counts them, or None where its bytes mean nothing."""
	if 'lockless' in fact:
		if not fact['lockless']['initialised']:
			return None
		runs, count = expect.due_runs(fact['lockless'])
		return fact['lockless']['chunks'], runs, count
	return fact.get('bits', fact.get('chunks')), fact['set'], fact['set_chunks']


def facts_by_place(one, paths):
	"""{(path, slot): facts of that bitmap}"""
	found = {}
	for member, path in zip(one.members, paths):
		for slot, b in enumerate([member['external']] if member.get('external') else member['bitmaps']):
			found[path, slot] = b
	return found


def compare_cells(drawn, fact, where):
	known = set_of(fact)
	if not known:
		return [] if not drawn['set_chunks'] else [f'{where}: bytes that mean nothing are counted']
	wrong = []
	if sum(drawn['cells']) != drawn['set_chunks'] or drawn['set_chunks'] != known[2]:
		wrong.append(f"{where}: cells have {sum(drawn['cells'])}, the map says {drawn['set_chunks']}, the image {known[2]}")
	if len(drawn['cells']) != -(-drawn['chunks'] // drawn['cell_chunks']):
		wrong.append(f"{where}: {len(drawn['cells'])} cells of {drawn['cell_chunks']} for {drawn['chunks']} chunks")
	for state, cells in drawn.get('state_cells', {}).items():
		if sum(cells) != drawn['states'][state]:
			wrong.append(f"{where}: cells have {sum(cells)} {state}, the map says {drawn['states'][state]}")
	return wrong


def compare_map(scratch, one, paths, place):
	rc, out, err = scratch.call('map', '--json', *place, *paths)
	facts = facts_by_place(one, paths)
	if not out.strip():
		return [f'exit status {rc}: {err}'] if facts else []
	drawn = json.loads(out)['maps']
	wrong = [w for m in drawn for w in compare_cells(m, facts[m['path'], m['slot']], f"{m['path']} slot {m['slot']}")]
	return wrong


def chunk_of_each_kind(facts):
	"""One set chunk and one clear one, where there are such."""
	for fact in facts.values():
		known = set_of(fact)
		if known and known[1]:
			first, last = known[1][0]
			yield last
			if last + 1 < known[0]:
				yield last + 1
			return
	if any(set_of(f) for f in facts.values()):
		yield 0


def is_in(runs, chunk):
	return any(first <= chunk <= last for first, last in runs)


def compare_byte(said, fact, chunk, where):
	known = set_of(fact)
	if said.get('byte_offset') is None or not known:
		return []
	with open(said['path'], 'rb') as f:
		f.seek(said['byte_offset'])
		byte = f.read(1)[0]
	wrong = [] if byte == said['byte'] else [f"{where}: byte {said['byte_offset']} is {byte:#x}, why says {said['byte']:#x}"]
	is_set = byte >> said['bit'] & 1 if said['bit'] is not None else byte in expect.DUE or byte >= len(expect.STATES)
	if not said['set'] == bool(is_set) == is_in(known[1], chunk):
		wrong.append(f"{where}: why says set {said['set']}, the byte {bool(is_set)}, the facts {is_in(known[1], chunk)}")
	return wrong


def may_refuse(said):
	"""A chunk is one array's, and of a bitmap that is believed."""
	return len(said['arrays']) > 1 or any(a['next_start']['reason'].find('the bitmap superblock is refused') >= 0 for a in said['arrays'])


def compare_why(scratch, one, paths, place, said):
	"""(what is wrong, how many bytes were looked at)"""
	facts, wrong, asked = facts_by_place(one, paths), [], 0
	for chunk in chunk_of_each_kind(facts):
		rc, out, err = scratch.call('why', '--json', *place, *paths, str(chunk))
		if rc and may_refuse(said) and goldenlib.is_sentence(err):
			continue
		if not out.strip():
			wrong.append(f'why {chunk}: exit status {rc}: {err}')
			continue
		answers = [m for m in json.loads(out)['members'] if (m['path'], m['slot']) in facts]
		asked += len(answers)
		for m in answers:
			wrong += compare_byte(m, facts[m['path'], m['slot']], chunk, f"why {chunk}, {m['path']} slot {m['slot']}")
	return wrong, asked
