"""How fast is umd behind NBD, beside what one can use today? 4 KiB random writes and reads over a unix socket.

Peers:
  null    nbdkit's null plugin: the protocol alone
  file    nbdkit's file plugin: one leg, no mirror
  quorum  qemu-storage-daemon's quorum of two files: a mirror without a bitmap; the baseline
  umd     two legs, internal bitmap, 64 KiB chunks (the worst case: many bits)
  umd-0   two legs, no bitmap
All peers run at the same time and are measured in turn inside each round, so that the machine's noise falls on all.
What is printed are medians over the rounds, as ratios to quorum: figures of one machine at one moment mean nothing else.
Settings (environment): ROUNDS (2), SECONDS_EACH (1), SIZE_MIB (256) of a leg, LEGS (/dev/shm) where legs are made.
"""
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

ROUNDS = int(os.environ.get('ROUNDS', 2))
SECONDS_EACH = float(os.environ.get('SECONDS_EACH', 1))
SIZE_MIB = int(os.environ.get('SIZE_MIB', 256))
LEGS = os.environ.get('LEGS', '/dev/shm')
BASELINE = 'quorum'
WORKLOADS = [(rw, depth, connections) for rw in ('randwrite', 'randread') for depth, connections in
	((1, 1), (16, 1), (1, 4), (16, 4))]


class Stage:
	def __init__(self, folder, umd):
		self.folder, self.umd = folder, umd
		self.env = {**os.environ, 'UMD_RUNTIME_DIR': self.path('run')}
		self.ends = contextlib.ExitStack()
		with open('/dev/urandom', 'rb') as noise, open(self.path('noise'), 'wb') as f:
			for _ in range(SIZE_MIB):
				f.write(noise.read(1 << 20))

	def path(self, name):
		return os.path.join(self.folder, name)

	def leg(self, name):
		return shutil.copyfile(self.path('noise'), self.path(name))

	def server(self, command, socket):
		"""Start a server that stays in the foreground; ready when its socket takes a client."""
		process = subprocess.Popen(command, env=self.env, stderr=subprocess.DEVNULL)
		self.ends.callback(process.wait)
		self.ends.callback(process.terminate)
		uri = f'nbd+unix:///?socket={socket}'
		for _ in range(100):
			if subprocess.run(['nbdinfo', '--size', uri], capture_output=True).returncode == 0:
				return uri
			if process.poll() is not None:
				break
		sys.exit(f'this server did not start: {" ".join(command)}')

	def null(self):
		socket = self.path('null.sock')
		return self.server(['nbdkit', '-f', '-U', socket, 'null', f'size={SIZE_MIB}M'], socket)

	def file(self):
		socket = self.path('file.sock')
		return self.server(['nbdkit', '-f', '-U', socket, 'file', self.leg('file')], socket)

	def quorum(self):
		socket = self.path('quorum.sock')
		command = ['qemu-storage-daemon']
		for n in '01':
			leg = self.leg('quorum' + n)
			command += ['--blockdev', f'driver=file,node-name=f{n},filename={leg}',
				'--blockdev', f'driver=raw,node-name=r{n},file=f{n}']
		quorum = {'driver': 'quorum', 'node-name': 'q', 'vote-threshold': 1, 'children': ['r0', 'r1'], 'read-pattern': 'fifo'}
		return self.server([*command, '--blockdev', json.dumps(quorum),
			'--nbd-server', f'addr.type=unix,addr.path={socket},max-connections=16',
			'--export', 'type=nbd,id=x,node-name=q,name=,writable=on'], socket)

	def mirror(self, name, *options):
		legs = [self.leg(name + '0'), self.leg(name + '1')]
		run = dict(env=self.env, check=True, stdout=subprocess.PIPE, text=True)
		subprocess.run([self.umd, 'create', '--force', '--assume-clean', f'--name={name}', *options, *legs], **run)
		ready = subprocess.run([self.umd, 'serve', '--background', f'--name={name}', *legs], **run)
		self.ends.callback(subprocess.run, [self.umd, 'stop', name], **run)
		return ready.stdout.split()[-1]


def measure(uri, rw, depth, connections):
	"""IOPS of one workload, by fio's own NBD client."""
	run = subprocess.run(['fio', '--name=b', '--ioengine=nbd', f'--uri={uri}', f'--rw={rw}', '--bs=4k', f'--iodepth={depth}',
		f'--numjobs={connections}', '--thread', '--time_based', f'--runtime={int(SECONDS_EACH * 1000)}ms', '--size=100%',
		'--norandommap', '--randrepeat=0', '--group_reporting', '--output-format=json'], capture_output=True, text=True)
	if run.returncode:
		sys.exit(f'fio failed on {uri}: {run.stderr}')
	job = json.loads(run.stdout[run.stdout.index('{'):])['jobs'][0]
	return job['read']['iops'] + job['write']['iops']


def bench(stage):
	peers = {'null': stage.null(), 'file': stage.file(), BASELINE: stage.quorum(),
		'umd': stage.mirror('umd', '--bitmap-chunk=64K'), 'umd-0': stage.mirror('umd-0', '--bitmap=none')}
	print(f'IOPS as ratio to {BASELINE}, median of {ROUNDS} rounds of {SECONDS_EACH:g} s; 4 KiB; legs of {SIZE_MIB} MiB in {LEGS}')
	print(f'{"workload":<32}' + ''.join(f'{p:>10}' for p in peers), flush=True)
	for workload in WORKLOADS:
		seen = {p: [] for p in peers}
		for _ in range(ROUNDS):
			for p, uri in peers.items():
				seen[p].append(measure(uri, *workload))
		base = statistics.median(seen[BASELINE])
		rw, depth, connections = workload
		print(f'{rw:<10} depth {depth:<3} connections {connections:<2}' +
			''.join(f'{statistics.median(seen[p]) / base:>10.2f}' for p in peers), flush=True)


def main():
	umd = os.path.join(os.path.abspath(sys.argv[1]), 'umd')
	with tempfile.TemporaryDirectory(prefix='umd-bench.', dir=LEGS) as folder:
		stage = Stage(folder, umd)
		with stage.ends:
			bench(stage)


main()
