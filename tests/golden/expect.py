"""The facts of a set in the units and words of `umd examine --json`: bytes instead of sectors, names instead of numbers.
Where a word is a judgement of umd's (which errors, which sentence) nothing is expected here."""
import goldenlib
import reader

SECTOR = 512
ROLES = {0xffff: 'spare', 0xfffe: 'faulty', 0xfffd: 'journal'}
FLAGS = [('devflags', 1, 'writemostly'), ('devflags', 2, 'failfast'), ('feature_map', 4, 'reshape'), ('feature_map', 16, 'replacement'),
	 ('feature_map', 128, 'recovery_by_bitmap'), ('feature_map', 256, 'clustered'), ('feature_map', 512, 'journal')]
FEATURES = ['bitmap', 'recovery_offset', 'reshape', 'bad_blocks', 'replacement', 'reshape_backwards', 'new_offset', 'recovery_bitmap',
	    'clustered', 'journal', 'ppl', 'multiple_ppls', 'raid0_layout']
DISK_FLAGS = [(0, 'faulty'), (1, 'active'), (2, 'sync'), (3, 'removed'), (9, 'writemostly')]
STATE_FLAGS = [(1, 'stale'), (2, 'write_error'), (3, 'first_use'), (4, 'clean'), (5, 'daemon_busy'), (15, 'host_endian')]
STATES = ['unwritten', 'clean', 'dirty', 'need_sync', 'syncing', 'need_sync_unwritten', 'syncing_unwritten', 'clean_unwritten']
DUE = (2, 3, 4)
LAYOUTS = {5: {2: 'left-symmetric'}, 6: {2: 'left-symmetric'}}
SECONDS = (1 << 40) - 1		# the rest of a time are microseconds


def role(number):
	return ROLES.get(number, number)


def names(value, table):
	return [word for bit, word in table if value >> bit & 1]


def layout_name(sb):
	if sb['level'] == 10:
		near, far, is_offset = sb['layout'] & 255, sb['layout'] >> 8 & 255, sb['layout'] >> 16 & 1
		return f'n{near}' if far == 1 else f'o{far}' if is_offset else f'f{far}'
	return LAYOUTS.get(sb['level'], {}).get(sb['layout'])


def has_log_inside_bitmap(member):
	"""mdadm 4.6 puts the bad-block log inside a lockless bitmap, mdadm 4.2 inside slot 1 of a member added to a cluster."""
	sb, first = member['superblock'], (member['bitmaps'] or [None])[0]
	if not first or not sb.get('bblog_offset') or not sb['bblog_size']:
		return False
	if first['version'] == 6:
		end = first['pos'] + max(first['sectors_reserved'] * SECTOR, reader.LOCKLESS_HEAD)
	elif first['version'] == 5 and first['nodes']:
		end = member['bitmaps'][-1]['pos'] + reader.BITMAP_HEAD + -(-first['bits'] // 8)
	else:
		return False
	log = sb['super_pos'] + sb['bblog_offset'] * SECTOR
	return first['pos'] < log + sb['bblog_size'] * SECTOR and log < end


def superblock_1(member):
	sb = member['superblock']
	offset, has_bitmap = sb['resync_offset'], sb['feature_map'] & 1
	log = {'offset_bytes': sb['super_pos'] + sb['bblog_offset'] * SECTOR, 'length_bytes': sb['bblog_size'] * SECTOR}
	bad = [] if has_log_inside_bitmap(member) else sb['bad_blocks']
	return {
		'metadata': sb['version'], 'byte_order': 'little', 'array_uuid': sb['array_uuid'], 'device_uuid': sb['device_uuid'],
		'name': sb['name'], 'level': sb['level'], 'layout': sb['layout'], 'layout_name': layout_name(sb),
		'chunk_bytes': sb['chunk_sectors'] * SECTOR, 'raid_devices': sb['raid_disks'],
		'component_bytes': sb['size_sectors'] * SECTOR, 'super_offset_bytes': sb['super_pos'],
		'data_offset_bytes': sb['data_offset'] * SECTOR, 'data_bytes': sb['data_size'] * SECTOR, 'feature_map': sb['feature_map'],
		'features': [name for bit, name in enumerate(FEATURES) if sb['feature_map'] >> bit & 1],
		'events': sb['events'], 'state': 'clean' if offset == goldenlib.IN_SYNC else 'active',
		'resync_offset_bytes': None if offset == goldenlib.IN_SYNC else offset * SECTOR,
		'recovery_offset_bytes': sb['recovery_offset'] * SECTOR if sb['feature_map'] & 2 else None,
		'created_s': sb['ctime'] & SECONDS, 'updated_s': sb['utime'] & SECONDS, 'corrected_reads': sb['corrected_reads'],
		'logical_block_bytes': sb['logical_block_size'], 'bitmap_offset_bytes': sb['bitmap_offset'] * SECTOR if has_bitmap else None,
		'bad_block_log': log if sb['bblog_offset'] and sb['bblog_size'] and sb['csum_ok'] else None, 'reshape': None,
		'device_number': sb['dev_number'], 'role': role(sb['role']) if isinstance(sb['role'], int) else sb['role'],
		'bad_blocks': [{'offset_bytes': at * SECTOR, 'length_bytes': n * SECTOR} for at, n in bad],
		'checksum': f"{sb['csum']:08x}", 'checksum_ok': sb['csum_ok'],
		'flags': [word for field, bit, word in FLAGS if sb[field] & bit],
	}


def superblock_0(member):
	sb = member['superblock']
	is_clean = sb['state'] & 1
	disks = [{'number': d['number'], 'major': d['major'], 'minor': d['minor'], 'slot': d['raid_disk'],
		  'flags': names(d['state'], DISK_FLAGS)} for d in sb['disks']]
	return {
		'metadata': '0.90', 'byte_order': 'little', 'array_uuid': sb['array_uuid'], 'device_uuid': None, 'name': '', 'level': sb['level'],
		'layout': sb['layout'], 'chunk_bytes': sb['chunk_bytes'], 'raid_devices': sb['raid_disks'],
		'component_bytes': sb['size_sectors'] * SECTOR, 'super_offset_bytes': sb['super_pos'], 'data_offset_bytes': 0,
		'data_bytes': sb['super_pos'], 'feature_map': 0, 'features': [], 'bad_blocks': [], 'bad_block_log': None, 'reshape': None,
		'bitmap_offset_bytes': 4096 if sb['state'] & 256 else None, 'events': sb['events'], 'created_s': sb['ctime'],
		'updated_s': sb['utime'], 'state': 'clean' if is_clean else 'active',
		'resync_offset_bytes': None if is_clean else sb['recovery_cp'] * SECTOR, 'device_number': sb['this_disk']['number'],
		'role': sb['this_disk']['raid_disk'], 'disks': disks, 'checksum': f"{sb['csum']:08x}", 'checksum_ok': sb['csum_ok'],
		'md_minor': sb['md_minor'], 'active_disks': sb['active_disks'], 'working_disks': sb['working_disks'],
		'failed_disks': sb['failed_disks'], 'spare_disks': sb['spare_disks'],
	}


def superblock(member):
	return superblock_0(member) if member['superblock']['version'].startswith('0') else superblock_1(member)


def roles(sb):
	"""The role table without the spares at its end."""
	if sb['version'].startswith('0'):
		found = {d['number']: 'faulty' if d['state'] & 1 else d['raid_disk'] if d['state'] & 6 else 'spare' for d in sb['disks']}
		return [found.get(n, 'spare') for n in range(max(found, default=-1) + 1)]
	return [role(r) for r in sb['dev_roles']]


def head(slot, b):
	"""What the bitmap's own superblock says, believed or not."""
	unit = SECTOR if b['version'] == 6 else 1
	return {
		'slot': slot, 'offset_bytes': b['pos'], 'version': b['version'], 'uuid': b['uuid'], 'events': b['events'],
		'events_cleared': b['events_cleared'], 'state': b['state'], 'state_flags': names(b['state'], STATE_FLAGS),
		'chunk_bytes': b['chunksize'] * unit, 'daemon_sleep_s': b['daemon_sleep'], 'write_behind': b['write_behind'],
		'sync_size_bytes': b['sync_size'] * SECTOR, 'sectors_reserved': b['sectors_reserved'], 'nodes': b['nodes'],
		'cluster_name': b['cluster_name'],
	}


def runs_of_states(lockless):
	return [[first, first + count - 1, STATES[byte] if byte < len(STATES) else 'invalid'] for first, count, byte in lockless['states']]


def due_runs(lockless):
	numbers = [n for first, count, byte in lockless['states'] if byte in DUE or byte >= len(STATES) for n in range(first, first + count)]
	return reader.runs_of(numbers), len(numbers)


def lockless(slot, b):
	wanted = dict(head(slot, b), kind='lockless', used=True, initialised=b['lockless']['initialised'])
	if not wanted['initialised']:
		return dict(wanted, chunks=None, set_chunks=None, set=[])
	runs, count = due_runs(b['lockless'])
	counts = {word: b['lockless']['state_counts'].get(str(byte), 0) for byte, word in enumerate(STATES)}
	invalid = sum(n for byte, n in b['lockless']['state_counts'].items() if int(byte) >= len(STATES))
	return dict(wanted, chunks=b['lockless']['chunks'], set=runs, set_chunks=count, states=dict(counts, invalid=invalid),
		    state_runs=runs_of_states(b['lockless']), state_runs_truncated=False)


def bitmap(slot, b, sb, slot_count):
	"""A mirror's bitmap covers the members' size, as in Linux, whatever size the bitmap itself claims."""
	if 'lockless' in b:
		return lockless(slot, b)
	is_used = b['magic'] == reader.BITMAP_MAGIC
	chunks = -(-sb['size_sectors'] * SECTOR // b['chunksize']) if sb['level'] == 1 and b['chunksize'] else b['bits']
	kind = 'clustered' if slot_count > 1 else 'internal'
	return dict(head(slot, b), kind=kind, used=is_used, initialised=True, chunks=chunks, set_chunks=b['set_chunks'], set=b['set'],
		    set_truncated=False)


def file_bitmap(b):
	return dict(head(0, b), kind='file', chunks=b['bits'], set_chunks=b['set_chunks'], set=b['set'], set_truncated=False)


def external_bitmap(fact, place):
	nothing = ('version', 'uuid', 'events', 'events_cleared', 'state', 'daemon_sleep_s', 'write_behind', 'sectors_reserved', 'nodes', 'cluster_name')
	return dict({key: None for key in nothing}, slot=0, kind='external', offset_bytes=place['location_bytes'],
		    chunk_bytes=place['chunk_bytes'], chunks=fact['chunks'], set_chunks=fact['set_chunks'], set=fact['set'], set_truncated=False)
