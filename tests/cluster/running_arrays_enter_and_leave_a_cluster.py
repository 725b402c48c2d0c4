"""Goal:   a running array becomes one node of a cluster, gets other chunks and comes out of it again, by umd grow, while its server stays; what
	must not be is refused, and the array goes on as it was.
Method: a plain mirror is written, grown to a clustered bitmap, joined by a second node, and back, over every kind of
	bitmap; refusals: a client is connected, a second node is up, an engine that is not there, more nodes than fit.
Law:    C4, I2.
Source: mdadm's clustermd test 01 Grow_bitmap-switch.
"""
from clusterscene import MIB, Cluster


class Plain(Cluster):
	"""As many members, but a mirror of one host."""

	def __init__(self):
		super().__init__()
		self.members = []

	def __enter__(self):
		super(Cluster, self).__enter__()
		self.members = [self.image('a.img'), self.image('b.img')]
		self.must('create', '--name=home', '--bitmap-chunk=64K', '--assume-clean', *self.members)
		return self


def kind(c):
	d = c.json('detail', '--json', 'home')
	return d['bitmap'] and d['bitmap']['kind'], d['cluster'] and d['cluster']['state'], d['pid']


with Plain() as c:
	uri = c.serve('home', *c.members)
	client = c.connect(uri)
	client.pwrite(b'\x5a' * MIB, 3 * MIB)
	pid = kind(c)[2]
	c.refused(c.umd('grow', 'home', '--bitmap=clustered', '--cluster=local'), 1, ['1 client'], 'not while somebody has it open')
	client.shutdown()
	c.refused(c.umd('grow', 'home', '--bitmap=clustered', '--cluster-name=nowhere'), 1, ['nowhere', '--cluster=local'],
		'not without an engine')
	c.refused(c.umd('grow', 'home', '--bitmap=clustered', '--cluster=local', '--nodes=65'), 1, ['65'], 'nor for more nodes than there can be')
	c.refused(c.umd('grow', 'home', '--bitmap=clustered', '--nodes=1'), 1, ['1 nodes', '2 to 64'], 'nor for one, whatever runs here')
	c.refused(c.umd('grow', 'home', '--bitmap=clustered', '--cluster=zoo'), 1, ['local and dlm', 'zoo'], 'nor with an engine that nobody knows')
	c.same(kind(c), ('internal', None, pid), 'it is as it was')
	c.ok(bytes(c.connect(uri).pread(MIB, 3 * MIB)) == b'\x5a' * MIB, 'and runs')

	c.until_no_client('home')
	run = c.umd('grow', 'home', '--bitmap=clustered', '--cluster=local', '--nodes=3', '--cluster-name=lab')
	c.ok(run.returncode == 0, 'it enters a cluster', run.stderr)
	c.same(kind(c), ('clustered', 'up', pid), 'the same server is a node now')
	c.same(c.must('get', 'home', 'cluster/cluster_name').stdout, 'lab\n', 'of that cluster')
	c.must('serve', '--background', '--cluster=local', '--node=n2', *c.members)
	c.servers.append('home@n2')
	other = c.connect(f"nbd+unix:///?socket={c.env['UMD_RUNTIME_DIR']}/home@n2/nbd.sock")
	c.ok(bytes(other.pread(MIB, 3 * MIB)) == b'\x5a' * MIB, 'a second node joins and reads what was written')
	other.pwrite(b'\xa5' * MIB, 9 * MIB)
	other.shutdown()
	c.refused(c.umd('grow', 'home', '--bitmap=none'), 1, ['n2', 'up'], 'it does not leave while another node is up')
	c.refused(c.umd('grow', 'home', '--bitmap-chunk=128K'), 1, ['n2', 'up'], 'nor do its chunks change')
	c.stop('home@n2')
	c.until_peers_are_gone('home')
	c.refused(c.umd('grow', 'home', '--bitmap-chunk=100000'), 1, ['100000', 'power of two'], 'chunks that cannot be are refused')
	run = c.umd('grow', 'home', '--bitmap-chunk=128K', '--dry-run')
	c.ok(run.returncode == 0 and c.must('get', 'home', 'bitmap/chunksize').stdout == '65536\n', 'a dry run changes nothing', run.stderr)
	client = c.connect(uri)
	c.refused(c.umd('grow', 'home', '--bitmap-chunk=128K'), 1, ['1 client'], 'nor while somebody has it open')
	client.shutdown()
	c.until_no_client('home')
	run = c.umd('grow', 'home', '--bitmap-chunk=128K')
	c.ok(run.returncode == 0, 'every slot gets other chunks', run.stderr)
	c.same(kind(c), ('clustered', 'up', pid), 'the same server is a node again')
	c.same(c.must('get', 'home', 'bitmap/chunksize').stdout, '131072\n', 'with those chunks')
	client = c.connect(uri)
	c.ok(bytes(client.pread(MIB, 9 * MIB)) == b'\xa5' * MIB, 'and what was written')
	client.pwrite(b'\xa5' * MIB, 9 * MIB)
	client.shutdown()
	c.until_no_client('home')
	run = c.umd('grow', 'home', '--bitmap=internal')
	c.ok(run.returncode == 0, 'it leaves, alone', run.stderr)
	c.same(kind(c), ('internal', None, pid), 'and has an internal bitmap')
	c.refused(c.umd('serve', '--cluster=local', *c.members), 1, ['in use'], 'which no node can join')

	c.must('grow', 'home', '--bitmap=none')
	c.must('grow', 'home', '--bitmap=clustered', '--cluster=local')
	c.same(kind(c), ('clustered', 'up', pid), 'from no bitmap into a cluster')
	c.must('grow', 'home', '--bitmap=none')
	c.same(kind(c), (None, None, pid), 'and back to none')
	client = c.connect(uri)
	c.ok([bytes(client.pread(MIB, at * MIB)) for at in (3, 9)] == [b'\x5a' * MIB, b'\xa5' * MIB], 'all that was written is there')
	client.shutdown()
	c.stop('home')
	c.ok(c.are_equal(), 'the members are equal')
