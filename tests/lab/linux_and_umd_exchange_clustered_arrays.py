#!/usr/bin/env python3
"""Goal:   a clustered array that stands still belongs to either world: umd starts what Linux' md-cluster left, dirty slots of killed
        nodes included, and the reverse; and they do not run it at the same time.
Method: two guests. Linux creates and both nodes write, both are killed; umd starts it and recovers the slots; umd's nodes write and
        are killed; Linux starts it and recovers. The live array is tried from the other world each time. Data is compared.
Law:    C1, I2.
Source: issue 6; design section 7; the cluster specification, sections 2, 5, 8 (20), 11."""
from nodes import CHUNK, DISKS, MIB, Mirror, Node
from stage import play

DEVICES = ' '.join(DISKS)
MEMBERS = 'test "$(dlm_tool status | grep -c "^node . M")" = 2'


def linux_starts(c, node, how='--assemble'):
	c.must(node, f'mdadm {how} /dev/md0 {DEVICES} 2>&1')
	c.must(node, 'mdadm -w /dev/md0 2>&1 || true')


def linux_is_idle(c, node):
	c.wait('Linux is done', 90, lambda: c.on(node, '! grep -qE "resync|recovery|REMOTE|PENDING|DELAYED" /proc/mdstat').returncode == 0)


def linux_writes(c, node, at, text, length):
	c.must(node, f"yes '{text}' | head -c {length} | dd of=/dev/md0 bs=64k seek={at} oflag=direct,seek_bytes iflag=fullblock "
		'conv=notrunc status=none')


def linux_reads(c, node, at, length):
	return c.must(node, f'dd if=/dev/md0 bs=4k skip={at} count={length} iflag=direct,skip_bytes,count_bytes status=none')


def reboot(c):
	for n in c.nodes:
		c.kill(n)
	for n in c.nodes:
		c.command('boot-node', '-w', '0', str(n))
	c.wait('they boot', 120, lambda: all(c.on(n, MEMBERS).returncode == 0 for n in c.nodes))



def from_linux(c):
	c.must(1, f'mdadm --create /dev/md0 --run --bitmap=clustered --nodes=4 --level=1 -n 2 --bitmap-chunk=64K --delay=5 {DEVICES} 2>&1')
	linux_is_idle(c, 1)
	linux_starts(c, 2)
	linux_is_idle(c, 2)
	c.wait('the bits age', 60, lambda: c.on(1, 'mdadm -X /dev/ubda | grep -qE " [1-9][0-9]* dirty"').returncode == 1)
	live = Node(c, 1).umd(f'serve --background --name=m --cluster=dlm {DEVICES}')
	c.ok(live.returncode == 1 and len(live.stderr.splitlines()) == 1, 'umd is refused where Linux runs it: ' + live.stderr.strip())
	linux_writes(c, 1, 0, 'linux-one', 2 * MIB)
	linux_writes(c, 2, 32 * MIB, 'linux-two', MIB)
	for n in c.nodes:
		c.kill(n)
	mirror = Mirror(c, made_by=None)
	super_block = mirror.examine()['members'][0]['superblock']
	mirror.data_at, mirror.bytes = super_block['data_offset_bytes'], super_block['component_bytes']
	left = mirror.set_chunks(0) | mirror.set_chunks(1)
	c.ok(len(left) >= 48, f'Linux\' nodes died with {len(left)} chunks set in two slots')
	for n in c.nodes:
		c.command('boot-node', '-w', '0', str(n))
	c.wait('they boot', 120, lambda: all(c.on(n, MEMBERS).returncode == 0 for n in c.nodes))
	one = Node(c, 1).serve()
	d = one.is_up()
	c.same(d['last_sync']['bytes_copied'], len(left) * CHUNK, 'umd starts it and copies what both slots say')
	c.ok(one.read(0).startswith('linux-one\n') and one.read(32 * MIB).startswith('linux-two\n'), 'and reads what Linux wrote')
	return mirror, one


def to_linux(c, mirror, one):
	two = Node(c, 2).serve()
	two.is_up()
	one.is_quiet()
	two.is_quiet()
	c.same(mirror.differing(), [], 'the members are equal')
	live = c.on(2, f'mdadm --assemble /dev/md0 {DEVICES} 2>&1; grep md0 /proc/mdstat')
	c.ok(' active ' not in live.stdout and 'busy' in live.stdout, 'Linux is refused where umd runs it: ' +
	     ' '.join(live.stdout.split())[:160])
	one.write(4 * MIB, 'umd-one.', MIB)
	two.write(40 * MIB, 'umd-two.', MIB)
	reboot(c)
	left = mirror.set_chunks(0) | mirror.set_chunks(1)
	c.ok(len(left) >= 32, f'umd\'s nodes died with {len(left)} chunks set in two slots')
	linux_starts(c, 2)
	linux_is_idle(c, 2)
	c.ok(linux_reads(c, 2, 4 * MIB, 4096).startswith('umd-one.') and linux_reads(c, 2, 40 * MIB, 4096).startswith('umd-two.'),
	     'Linux starts it and reads what umd wrote')
	linux_starts(c, 1)
	linux_is_idle(c, 1)
	c.must(1, 'echo check > /sys/block/md0/md/sync_action')
	linux_is_idle(c, 1)
	c.same(c.must(1, 'cat /sys/block/md0/md/mismatch_cnt').strip(), '0', 'and finds the members equal')
	remote = Node(c, 1).umd('detail m@node1')
	c.ok(remote.returncode == 1, 'no umd runs meanwhile')
	for n in c.nodes:
		c.must(n, 'mdadm --stop /dev/md0 2>&1')


def beside_umd(c):
	"""umd on one node, Linux on the other: the DLM keeps it out."""
	one = Node(c, 1).serve()
	one.is_up()
	live = c.on(2, f'mdadm --assemble /dev/md0 {DEVICES} 2>&1; grep md0 /proc/mdstat')
	c.ok(' active ' not in live.stdout, 'and so it is where umd runs it on the other node: ' + ' '.join(live.stdout.split())[:160])
	c.on(2, 'mdadm --stop /dev/md0')
	one.stop()


def from_linux_in_order(c, mirror):
	two = Node(c, 2).serve()
	d = two.is_up()
	c.same((d['last_sync'] or {}).get('bytes_copied', 0), 0, 'what Linux stopped in order umd starts without copying anything')
	c.ok(two.read(40 * MIB).startswith('umd-two.'), 'and reads')
	two.stop()
	linux_starts(c, 1)
	linux_is_idle(c, 1)
	c.ok(linux_reads(c, 1, 40 * MIB, 4096).startswith('umd-two.'), 'and what umd stopped in order Linux starts')


def scenario(c):
	mirror, one = from_linux(c)
	to_linux(c, mirror, one)
	beside_umd(c)
	from_linux_in_order(c, mirror)


play(scenario, nodes=2, limit=380)
