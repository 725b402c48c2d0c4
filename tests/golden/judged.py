"""What the next start would do, from the facts: what Linux copied when one member was poisoned before its start, or, where
its result is not to be believed, what the bitmap demands.

* lockless bitmaps: the chunks whose state is dirty, need_sync or syncing (Linux 7.2 left chunks out at one start);
* clusters: the chunks set in any slot while the superblock says active; after a clean stop those set in another slot than
  the first, which is the one of the node that starts, and its own ones if somebody wrote through it. Nobody who missed
  writes is brought back by a start: with one member in sync nothing is copied;
* parity levels: the set chunks, cut nowhere; Linux changes no more than that on any member;
* differs.json: `next_start` where umd differs from Linux on purpose, or where persons did more than start."""
import goldenlib
import expect


def all_bitmaps(one):
	return [b for m in one.members for b in m['bitmaps'] if b]


def superblocks(one):
	return [m['superblock'] for m in one.members if m['superblock'] and m['superblock']['csum_ok']]


def is_clean(sb):
	return sb['state'] & 1 if sb['version'].startswith('0') else sb['resync_offset'] == goldenlib.IN_SYNC


def is_rebuilding(sb):
	return sb.get('feature_map', 0) & 2 and sb['recovery_offset'] < sb['size_sectors']


def action(one):
	"""recover while the member of a slot is behind or half rebuilt, else resync after a cut, else nothing."""
	sbs = superblocks(one)
	newest = max(sbs, key=lambda sb: sb['events'])
	slots = [sb for sb in sbs if isinstance(sb['role'], int)]
	good = [sb for sb in slots if sb['events'] + 1 >= newest['events'] and not is_rebuilding(sb)]
	taken = {sb['role'] for sb in good}
	if any(sb not in good and (sb['role'] not in taken or sb['feature_map'] & 16) for sb in slots):
		return 'recover'
	return 'none' if is_clean(newest) or len(good) < 2 else 'resync'


def cut_at_end(runs, chunk_bytes, size_bytes):
	return sum(min((last + 1) * chunk_bytes, size_bytes) - first * chunk_bytes for first, last in runs)


def lockless_bytes(one):
	first = all_bitmaps(one)[0]
	if not first['lockless']['initialised']:
		return 0
	return cut_at_end(expect.due_runs(first['lockless'])[0], first['chunksize'] * 512, first['sync_size'] * 512)


def union_bytes(one, first_slot):
	used = [b for b in all_bitmaps(one) if b['nodes']]
	due = [b for m in one.members for b in m['bitmaps'][first_slot:] if b and b['nodes']]
	chunks = {n for b in due for first, last in b['set'] for n in range(first, last + 1)}
	return cut_at_end([[n, n] for n in chunks], used[0]['chunksize'], one.facts['array']['array_sectors'] * 512)


def copied_by_linux(one, differs):
	changed = differs.get('at_once_4k') or differs.get('blocks_changed_4k') or one.facts['linux_poison']['blocks_changed_4k']
	return [sum(count for _, count in member) * goldenlib.BLOCK for member in changed]


def is_lockless(one):
	return any('lockless' in b for b in all_bitmaps(one))


def is_cluster(one):
	return any(sb.get('feature_map', 0) & 256 for sb in superblocks(one))


def expected(one, differs):
	"""(action, bytes); what Linux refused starts nothing."""
	if 'next_start' in differs:
		return tuple(differs['next_start'])
	if is_cluster(one):
		is_fresh = not all_bitmaps(one)[0]['events_cleared']
		due = union_bytes(one, 1 if action(one) == 'none' and is_fresh else 0)
		if action(one) == 'recover':
			return 'none', 0
		return (action(one) if action(one) != 'none' else 'resync' if due else 'none'), due
	if not goldenlib.did_linux_start(one) and not differs.get('starts'):
		return 'none', 0
	if is_lockless(one):
		due = lockless_bytes(one)
		return (action(one) if action(one) == 'recover' else 'resync', due) if due else ('none', 0)
	if len(one.facts['linux_poison']['steps']) > 2:
		return action(one), 0 if action(one) == 'none' else None	# members were taken out and added: no start does that
	return action(one), sum(copied_by_linux(one, differs))


def compare_parity(one, array, differs):
	"""Bits of a parity array count in the members' address range: every member is touched there and nowhere else."""
	first, start = all_bitmaps(one)[0], array['next_start']
	linux = copied_by_linux(one, differs)
	wanted = first['set_chunks'] * first['chunksize'] if action(one) == 'resync' else 0
	wrong = [] if (start['action'], start['bytes']) == (action(one), wanted) else [f'umd says {start}, {wanted} bytes are due']
	return wrong + ([f'Linux changed {linux} bytes'] if max(linux) > start['bytes'] else [])


def compare(one, said, differs):
	"""What is wrong with next_start."""
	if len(said['arrays']) != 1:
		return [] if one.facts.get('external') or not goldenlib.did_linux_start(one) else [f"{len(said['arrays'])} arrays"]
	array = said['arrays'][0]
	start = array['next_start']
	if one.facts['array']['level'] in (4, 5, 6) and goldenlib.did_linux_start(one) and not is_lockless(one):
		return compare_parity(one, array, differs)
	wanted = expected(one, differs)
	if wanted[0] == start['action'] == 'recover' and 'at most' in start['reason']:
		return [] if wanted[1] <= start['bytes'] else [f'umd says {start}, Linux copied {wanted[1]} bytes']
	return [] if wanted == (start['action'], start['bytes']) else [f'umd says {start}, the facts say {wanted}']
