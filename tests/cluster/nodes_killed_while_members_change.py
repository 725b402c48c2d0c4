"""Goal:   a node that is killed while it, or another one, fails, removes, adds or re-adds a member leaves an array that the
	others go on with: nothing hangs, nothing is lost, and members can be changed again.
Method: three nodes, two members and a third disk; a command on one node, and after a moment of chance a node is killed (the
	same one or another); then what is left comes to rest, has all that was written, and takes a command. TURNS= and SEED=
	come from the environment.
Law:    I5, I9, C6.
Source: issue of clusters: death of the token holder in mid-message, of one whom others wait for.
"""
import os
import random
import subprocess
import time

from clusterscene import ARRAY, LONGEST_S, MIB, Cluster

TURNS = int(os.environ.get('TURNS', '10'))
SEED = int(os.environ.get('SEED', '0')) or random.randrange(1, 1 << 30)
NAMES = ['n1', 'n2', 'n3']


def table(c, node):
	return {m['path']: m['state'] for m in c.detail(node)['members']}


def in_use(c, node):
	"""Without faulty ones: a node that starts later never had them."""
	return sorted((p, s) for p, s in table(c, node).items() if s != 'faulty')


def next_command(c, node, disks, rnd):
	"""What can be asked for now, by what the node knows."""
	there = table(c, node)
	away = [d for d in disks if d not in there]
	faulty = [d for d, s in there.items() if s == 'faulty']
	good = [d for d, s in there.items() if s == 'in_sync']
	choices = [['--remove', d] for d in faulty] + [['--add', d] for d in away] + [['--re-add', d] for d in away]
	if len(good) > 1:
		choices += [['--fail', rnd.choice(good)]] * 2
	return rnd.choice(choices or [['--fail', disks[0]]])


with Cluster(nodes=4) as c:
	print(f'# SEED={SEED} TURNS={TURNS}', flush=True)
	rnd = random.Random(SEED)
	disks = [*c.members, c.image('third.img')]
	uris = {n: c.node(n) for n in NAMES}
	stamp = 0
	for turn in range(TURNS):
		node, victim = rnd.choice(NAMES), rnd.choice(NAMES)
		command = next_command(c, node, disks, rnd)
		child = subprocess.Popen([c.tool, 'manage', f'{ARRAY}@{node}', *command], env=c.env, stdout=subprocess.DEVNULL,
			stderr=subprocess.PIPE, text=True)
		time.sleep(rnd.random() * 0.04)
		c.kill_node(victim)
		said = child.communicate(timeout=LONGEST_S)[1].strip()
		left = [n for n in NAMES if n != victim]
		slot_is_free = lambda d: all(p['state'] in ('us', 'up', 'none') for p in d['cluster']['peers'])
		good = all(c.until(n, slot_is_free) for n in left)
		c.ok(good and c.until(left[0], lambda d: in_use(c, left[0]) == in_use(c, left[1])),
			f'turn {turn}: {node} {" ".join(command[:1])}, {victim} is killed: the others agree', said,
			*[c.detail(n) for n in left])
		stamp += 1
		handle = c.connect(uris[left[0]])
		handle.pwrite(stamp.to_bytes(8, 'little') * 512, (turn % 20) * MIB, 1)
		handle.shutdown()
		c.members = [d for d, _ in in_use(c, left[0])]
		uris[victim] = c.node(victim)
		other = c.connect(uris[victim])
		if not c.ok(bytes(other.pread(4096, (turn % 20) * MIB)) == stamp.to_bytes(8, 'little') * 512,
				f'turn {turn}: {victim} is back and reads what was written', c.detail(victim)):
			break
		other.shutdown()
	for name in NAMES:
		c.until(name, lambda d: d['sync_action'] == 'idle' and slot_is_free(d))
	states = table(c, 'n1')
	c.members = [d for d, s in states.items() if s == 'in_sync']
	c.stop_all()
	c.ok(c.members and c.are_equal(), f'members in sync are equal: {[os.path.basename(m) for m in c.members]}', states)
