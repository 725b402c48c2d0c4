#!/usr/bin/env python3
"""Goal:   a scenario that does not hold says so with its line, for every fact it can expect; images are what members hold
Method: small files, each with one true and one false statement; images of a written array looked at byte by byte
Law:    none; what scenarios prove rests on it
Source: tests/sim/scenario.h, expect.c

    scenarios_say_what_fails.py UMD-SIM"""
import os
import subprocess
import sys
import tempfile

HEAD = 'worlds all\narray slots 2 metadata 1.2 chunk 64K size 4M clean sleep 1\nstart a b\n'
MIB = 1 << 20

# What happens after "start a b"; what is so; what is not, and what is said then.
FACTS = [
	('', 'member b in_sync', 'member b faulty', 'member b is in_sync'),
	('fail b\n', 'member b faulty', 'member b none', 'member b is faulty'),
	('fail b\nremove b\n', 'member b none', 'member b in_sync', 'member b is none'),
	('new c\nadd c\n', 'member c spare', 'member c recovering', 'member c is spare'),
	('fail b\nnew c\nadd c\n', 'member c recovering', 'member c spare', 'member c is recovering'),
	('', 'degraded 0', 'degraded 1', '0 slots lack'),
	('fail b\n', 'degraded 1', 'degraded 0', '1 slots lack'),
	('write 0 8\nwrite 300 8\n', 'bits 0 2', 'bits 0', 'chunk 2 is set'),
	('write 0 8\nwrite 128 8\nwrite 300 8\n', 'bits 0-2', 'bits 0-3', 'chunk 3 is clear'),
	('write 0 8\nidle\n', 'bits none', 'bits 0', 'chunk 0 is clear'),
	('write 0 8\ncut keep\n', 'bits 0', 'bits none', 'chunk 0 is set'),
	('write 0 8\ncut keep\nstart a b\nidle\n', 'copied resync 65536', 'copied resync 65537', '65536 bytes'),
	('fail b\nremove b\nwrite 0 8\nadd b\nidle\n', 'copied recover 65536', 'copied resync 65536', 'was recover'),
	('write 0 8\nidle\n', 'copied nothing', 'copied resync 0', 'was nothing'),
	('write 0 8\nwrite 4 2\n', 'holds 4 2 2', 'holds 3 2 2', 'sector 3 on disk-a holds 1'),
	('write 0 8\nzero 4 2\n', 'holds 4 2 0', 'holds 4 2 1', 'sector 4 on disk-a holds 0'),
]

# Files that cannot hold, and what is said.
FAULTS = [
	('stop\nwrite 0 8\n', 5, '"write 0 8" does not apply here'),
	('remove b\n', 4, '"remove b" does not apply here'),
	('start a b\n', 4, '"start a b" does not apply here'),
	('stop\nrefused a b\n', 5, 'LAW I5 BROKEN'),
	('stop\nstart a\n', 5, 'LAW I9 BROKEN'),
	('expect\n', 4, 'nothing that can be expected'),
	('expect luck\n', 4, '"luck" is nothing that can be expected'),
	('expect member b\n', 4, 'a member and its state are wanted'),
	('expect member x in_sync\n', 4, 'a member and its state are wanted'),
	('expect bits 64\n', 4, 'no chunk or run of chunks of 64'),
	('expect bits\n', 4, 'no chunk is named'),
	('expect degraded\n', 4, 'a number of slots is wanted'),
	('expect holds 8190 8 0\n', 4, 'sectors of the array and a word are wanted'),
	('stop\nexpect degraded 0\n', 5, 'nothing runs'),
	('stop\nexpect copied nothing\n', 5, 'nothing runs'),
]


class Test:
	def __init__(self, sim, folder):
		self.sim, self.folder, self.count, self.failed = sim, folder, 0, 0

	def ok(self, is_good, text, why=''):
		self.count += 1
		self.failed += not is_good
		print(f'{"" if is_good else "not "}ok {self.count} - {text}')
		if not is_good:
			print('\n'.join('# ' + line for line in why.strip().split('\n')), flush=True)

	def file(self, text):
		path = os.path.join(self.folder, 'file.umd')
		with open(path, 'w', encoding='utf-8') as f:
			f.write(text)
		return path

	def run(self, text, *words):
		"""(status, output) of a file with this text."""
		done = subprocess.run([self.sim, '--scenario', self.file(text), *words], check=False, text=True,
				      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
		return done.returncode, done.stdout

	def facts(self):
		for events, so, not_so, told in FACTS:
			status, output = self.run(f'{HEAD}{events}expect {so}\n')
			self.ok(status == 0, f'"{so}" is so', output)
			status, output = self.run(f'{HEAD}{events}expect {not_so}\n')
			line = HEAD.count('\n') + events.count('\n') + 1
			self.ok(status == 1 and f'file.umd:{line}: expected: {not_so}' in output and told in output,
				f'"{not_so}" is not, and {told} is said in line {line}', output)

	def faults(self):
		for events, line, told in FAULTS:
			status, output = self.run(HEAD + events)
			self.ok(status == 1 and f'file.umd:{line}: ' in output and told in output,
				f'{told!r} is said in line {line}', output)
		status, output = self.run(HEAD + 'wirte 0 8\n')
		self.ok(status == 2 and 'file.umd:4: "wirte"' in output, 'a file that cannot be read is status 2', output)
		status, output = self.run(HEAD.replace('all', 'sim') + 'remove b\nwrite 0 8\nexpect bits 0\n')
		self.ok(status == 0, 'in a file for the simulator an event that does not apply is skipped', output)

	def image(self, name):
		with open(os.path.join(self.folder, name), 'rb') as f:
			return f.read()

	def images(self):
		events = 'write 8 2\ncompare\nzero 8 1\nflush\nstop\ncompare\n'
		status, output = self.run(HEAD + events, '--images', self.folder)
		self.ok(status == 0, 'images are written', output)
		names = sorted(name for name in os.listdir(self.folder) if name.endswith('.img'))
		self.ok(names == [f'0{n}-{m}.img' for n in range(3) for m in 'ab'], 'at the start and at each compare',
			' '.join(names))
		begin, written, zeroed = (self.image(f'0{n}-b.img') for n in range(3))
		word = (1).to_bytes(8, 'little') * 64
		at = written.find(word * 2)
		self.ok(word not in begin and len(begin) == len(written) >= 4 * MIB, 'the array was new at the start')
		self.ok(at > 0 and at == self.image('01-a.img').find(word * 2), 'the first write fills its sectors with 1')
		self.ok(zeroed[at:at + 1024] == bytes(512) + word, 'the zeroing left the second of them')
		status, output = self.run(HEAD + 'compare\n', '--images', self.folder + '/nowhere')
		self.ok(status == 1 and 'cannot be written' in output, 'a folder that is not there is told', output)

	def shrinking(self):
		noise = ''.join(f'write {n} 3 &\nwork\nflush\nfail b\nremove b\nadd b\nidle\n' for n in range(12))
		path = self.file(HEAD.replace('all', 'sim') + noise + 'cut\nrefused a b run\n')
		done = subprocess.run([self.sim, '--shrink', path], check=False, text=True, stdout=subprocess.PIPE)
		with open(path + '.shorter', encoding='utf-8') as f:
			shorter = f.read()
		self.ok(done.returncode == 0 and '87 events shrunk to' in done.stdout, 'a file that breaks a law is shrunk',
			done.stdout)
		self.ok('worlds sim\n' in shorter and shorter.endswith('sleep 1\nrefused a b\n'), 'to what breaks it', shorter)
		status, output = self.run(shorter)
		self.ok(status == 1 and 'LAW I5 BROKEN' in output, 'and that breaks it again', output)


def main():
	with tempfile.TemporaryDirectory() as folder:
		test = Test(sys.argv[1], folder)
		test.facts()
		test.faults()
		test.images()
		test.shrinking()
	print(f'1..{test.count}')
	return 1 if test.failed else 0


if __name__ == '__main__':
	sys.exit(main())
