"""Goal:   umd create makes the clustered members that mdadm makes, byte for byte; umd grow changes the cluster of members that
	nobody uses; what cannot be is refused in one sentence, and no byte changes.
Method: a mirror of the golden set cm-c01 made again and compared; members changed, looked at and served by nodes; wishes that
	contradict a cluster, or members that are in use.
Law:    I7, I9
Source: tests/golden/cm-c01-created (mdadm 4.2 --bitmap=clustered --nodes=4), issue 6
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../golden'))
import goldenlib  # noqa: E402
from scene import MIB, Scene  # noqa: E402

SUPER, FIRST_SLOT, SLOT, NODES = 4096, 8192, 4096, 4
# Times, events, uuids of devices, checksum; of a slot events.
OWN_OF_SUPER = [(64, 72), (168, 184), (192, 208), (216, 220)]
OWN_OF_SLOT = [(24, 40)]


def area(path, at, length, own):
	with open(path, 'rb') as f:
		f.seek(at)
		data = bytearray(f.read(length))
	for first, end in own:
		data[first:end] = bytes(end - first)
	return bytes(data)


def like_mdadm(s):
	golden = goldenlib.Set('cm-c01-created')
	theirs = golden.unpack(s.dir)[:2]
	sb = golden.members[0]['superblock']
	ours = [s.image(n, 64 * MIB) for n in ('made-a', 'made-b')]
	s.must('create', '--bitmap=clustered', f'--nodes={NODES}', '--cluster-name=lab', '--bitmap-chunk=64K', f"--name={sb['name']}",
	       f"--uuid={sb['array_uuid']}", *ours)
	for our, their in zip(ours, theirs):
		mine, whose = area(our, SUPER, 4096, OWN_OF_SUPER), area(their, SUPER, 4096, OWN_OF_SUPER)
		# cm-c01 was synced since: then nothing is left to do, and a new one has everything
		s.same(mine[:208] + mine[216:], whose[:208] + whose[216:], 'the superblock is mdadm\'s')
		for slot in range(NODES):
			at = FIRST_SLOT + slot * SLOT
			s.same(area(our, at, SLOT, OWN_OF_SLOT), area(their, at, SLOT, OWN_OF_SLOT), f'slot {slot} is mdadm\'s')
		s.same(area(our, FIRST_SLOT + NODES * SLOT, MIB - FIRST_SLOT - NODES * SLOT, []),
		       bytes(MIB - FIRST_SLOT - NODES * SLOT), 'behind the slots is nothing')


def nodes_of(s, image):
	bitmap = s.json('examine', '--json', image)['members'][0]['bitmaps']
	return len(bitmap), bitmap[0].get('cluster_name')


def node(s, name, *members):
	s.must('serve', '--background', '--cluster=local', '--name=m', '--node=' + name, *members)
	s.servers.append('m@' + name)


def chunks(s, a, b):
	before = s.sums(a, b)
	said = s.must('grow', '--bitmap-chunk=4K', '--dry-run', a, b).stdout
	s.ok('would have' in said and '4096 bytes' in said and s.sums(a, b) == before, 'other chunks are planned', said)
	said = s.json('grow', '--bitmap-chunk=4K', '--json', a, b)
	s.same((said['chunk_bytes'], said['nodes'], said['cluster_name']), (4096, 6, 'other'), 'and made, told as JSON')
	for image in (a, b):
		bitmaps = s.json('examine', '--json', image)['members'][0]['bitmaps']
		s.same([bm['chunk_bytes'] for bm in bitmaps], [4096] * 6, 'in every slot')
	node(s, 'n1', a, b)
	s.stop('m@n1')
	s.must('grow', '--bitmap-chunk=64K', '--nodes=5', a, b)
	s.same(len(s.json('examine', '--json', a)['members'][0]['bitmaps']), 5, 'together with another number of nodes')


def changed(s, a, b):
	said = s.must('create', '--bitmap=clustered', '--cluster-name=lab', '--name=m', '--assume-clean', a, b).stdout
	s.ok('bitmaps for 4 nodes of cluster "lab"' in said, 'four nodes unless something else is said', said)
	before = s.sums(a, b)
	said = s.must('grow', '--nodes=6', '--dry-run', a, b).stdout
	s.ok('would have bitmaps for 6 nodes' in said and s.sums(a, b) == before, 'a dry run tells, and changes nothing', said)
	s.must('grow', '--nodes=6', '--cluster-name=other', a, b)
	s.same(nodes_of(s, a), (6, 'other'), 'six nodes of another cluster')
	s.same(nodes_of(s, b), (6, 'other'), 'on every member')
	node(s, 'n1', a, b)
	s.refused(s.umd('grow', '--nodes=5', a, b), 1, ['in use'], 'while a node is up nothing changes')
	s.stop('m@n1')
	chunks(s, a, b)
	s.must('grow', '--bitmap=internal', a, b)
	refuse(s, ['not clustered'], ['grow', '--bitmap-chunk=64K'], a, b)
	s.serve('m', a, b)
	s.stop('m')
	said = s.json('grow', '--bitmap=clustered', '--nodes=2', '--json', a, b)
	s.same((said['nodes'], said['cluster_name'], said['dry_run']), (2, '', False), 'a cluster again, told as JSON')
	node(s, 'n1', a, b)
	node(s, 'n2', a, b)
	s.stop('m@n1')
	s.stop('m@n2')


def refuse(s, words, args, *paths):
	before = s.sums(*paths)
	s.refused(s.umd(*args, *paths), 1 if words[-1] != 'usage' else 2, [w for w in words if w != 'usage'], ' '.join(args))
	s.same(s.sums(*paths), before, 'no byte changed')


def refusals(s, a, b):
	refuse(s, ['65 nodes', '2 to 64'], ['create', '--bitmap=clustered', '--nodes=65'], a, b)
	refuse(s, ['1 nodes', '2 to 64'], ['create', '--bitmap=clustered', '--nodes=1'], a, b)
	refuse(s, ['--nodes=0', 'usage'], ['create', '--bitmap=clustered', '--nodes=0'], a, b)
	refuse(s, ['--nodes=4294967298', 'usage'], ['create', '--bitmap=clustered', '--nodes=4294967298'], a, b)
	refuse(s, ['metadata 1.0', '1.2'], ['create', '--bitmap=clustered', '--metadata=1.0'], a, b)
	refuse(s, ['64 bytes', '63 fit'], ['create', '--bitmap=clustered', '--cluster-name=' + 'c' * 64], a, b)
	refuse(s, ['cluster name', 'blanks'], ['create', '--bitmap=clustered', '--cluster-name=two words'], a, b)
	refuse(s, ['internal', 'clustered'], ['create', '--nodes=4'], a, b)
	refuse(s, ['write-behind'], ['create', '--bitmap=clustered', '--write-behind'], a, b)
	refuse(s, ['no md superblock'], ['grow', '--nodes=4'], a, b)
	refuse(s, ['--bitmap-chunk', 'usage'], ['grow', '--bitmap=internal', '--bitmap-chunk=64K'], a, b)
	refuse(s, ['no md superblock'], ['grow', '--bitmap-chunk=64K'], a, b)
	refuse(s, ['--nodes=0', 'usage'], ['grow', '--nodes=0'], a, b)
	s.must('create', '--bitmap=clustered', '--nodes=4', '--assume-clean', a, b)
	refuse(s, ['give them too'], ['grow', '--nodes=5'], a)
	said = s.umd('grow', '--nodes=5', a).stderr
	s.ok('--run' not in said, 'and no option is offered that grow does not have', said)
	refuse(s, ['give them too'], ['grow', '--bitmap-chunk=64K'], a)
	refuse(s, ['6000', 'power of two'], ['grow', '--bitmap-chunk=6000'], a, b)
	refuse(s, ['--cluster=local starts it'], ['serve', '--background'], a, b)


with Scene() as s:
	like_mdadm(s)
	changed(s, s.image('a'), s.image('b'))
	refusals(s, s.image('c'), s.image('d'))
