"""Goal:   whoever polls an attribute wakes when md would wake it, soon, and not otherwise.
Method: poll, select and epoll on files of a running mirror while its state changes by writes of an NBD client, by stores,
	by umd set and by umd manage; a poller of a file that nothing happens to must stay asleep meanwhile. Twenty
	processes read while values change. Wake-ups are awaited; only what must stay asleep costs time.
Law:    POLLPRI|POLLERR since this open file's last read of a value that was notified; nothing is lost between two polls.
Source: sysfs_notify as observed with Linux 6.1; issue "Externally managed metadata", the tree.
"""
import multiprocessing
import os
import select
import threading
import time

from treescene import Poller, TreeScene, error_of, read, store

SOON_S, QUIET_S = 5, 0.3


def first_polls(s, md):
	p = Poller(os.path.join(md, 'array_state'))
	s.ok(p.woken(0) & select.POLLPRI, 'a file that was never read is news')
	p.read()
	s.same(p.woken(QUIET_S), 0, 'one that was read is not')
	p.close()


def every_way(s, md):
	path = os.path.join(md, 'sync_action')
	fds = [os.open(path, os.O_RDONLY) for _ in range(4)]
	for fd in fds:
		os.pread(fd, 100, 0)
	by_poll, by_epoll, by_edge = select.poll(), select.epoll(), select.epoll()
	by_poll.register(fds[0], select.POLLPRI | select.POLLERR)
	by_epoll.register(fds[1], select.EPOLLPRI | select.EPOLLERR)
	by_edge.register(fds[2], select.EPOLLPRI | select.EPOLLERR | select.EPOLLET)
	ways = {'poll': lambda s: by_poll.poll(s * 1000), 'epoll': by_epoll.poll, 'epoll by edges': by_edge.poll,
		'select': lambda s: select.select([], [], [fds[3]], s)[2]}
	ways['epoll by edges'](0)
	for round in range(2):
		s.same([name for name, wait in ways.items() if wait(QUIET_S / 4)], [], f'round {round}: all sleep')
		timer = threading.Timer(0.05, store, (path, 'frozen' if round == 0 else 'idle'))
		timer.start()
		for name, wait in ways.items():
			s.ok(wait(SOON_S), f'round {round}: {name} wakes')
		timer.join()
		for fd in fds:
			os.pread(fd, 100, 0)
	for fd in fds:
		os.close(fd)


def state_follows_writes(s, md, uri):
	state, slot = Poller(os.path.join(md, 'array_state')), Poller(os.path.join(md, 'dev-home-0.img/state'))
	s.same(state.read(), 'clean\n', 'the array is clean')
	slot.read()
	h = s.connect(uri)
	seen = []
	h.pwrite(b'x' * 4096, 0)
	deadline = time.monotonic() + SOON_S
	while time.monotonic() < deadline and seen[-1:] != ['clean']:
		if state.woken(SOON_S):
			seen.append(state.read().strip())
	s.ok(seen[-1:] == ['clean'] and set(seen) <= {'write-pending', 'active', 'active-idle', 'clean'} and len(seen) >= 1,
		'a write wakes whoever polls array_state, and again when the array is clean', seen)
	s.same(state.woken(QUIET_S), 0, 'then it is quiet')
	s.same(slot.woken(0), 0, 'a member\'s state did not wake anybody')
	h.shutdown()
	state.close()
	slot.close()


def nothing_is_lost(s, md):
	p = Poller(os.path.join(md, 'sync_action'))
	store(os.path.join(md, 'sync_action'), 'idle')
	p.read()
	for i in range(50):
		store(os.path.join(md, 'sync_action'), 'frozen' if i % 2 == 0 else 'idle')
		if not p.woken(SOON_S):
			s.ok(False, f'wake-up {i} was lost')
			break
		p.read()
	else:
		s.ok(True, 'fifty changes are fifty wake-ups')
	woken = 0
	for i in range(200):
		store(os.path.join(md, 'sync_action'), 'frozen' if i % 2 == 0 else 'idle')
		p.read()
		woken += bool(p.woken(0))
	s.same(woken, 0, 'nobody is woken for what it has read already')
	s.must('set', 'home', 'sync_action', 'frozen')
	s.ok(p.woken(SOON_S), 'a change by umd set wakes as well')
	s.same(p.read(), 'frozen\n', 'and is read')
	store(os.path.join(md, 'sync_action'), 'idle')
	s.ok(p.woken(SOON_S) and p.woken(SOON_S), 'a poller that does not read is woken again')
	p.close()


def read_for_a_while(md, until, bad):
	allowed = {'frozen\n', 'idle\n', 'resync\n', 'recover\n', 'check\n'}
	while not until.is_set():
		value = read(os.path.join(md, 'sync_action'))
		if value not in allowed:
			bad.put(value)
		os.listdir(md)


def twenty_readers(s, md):
	until, bad = multiprocessing.Event(), multiprocessing.Queue()
	readers = [multiprocessing.Process(target=read_for_a_while, args=(md, until, bad)) for _ in range(20)]
	p = Poller(os.path.join(md, 'sync_action'))
	p.read()
	for r in readers:
		r.start()
	woken = 0
	for i in range(50):
		store(os.path.join(md, 'sync_action'), 'frozen' if i % 2 == 0 else 'idle')
		woken += bool(p.woken(SOON_S))
		p.read()
	until.set()
	for r in readers:
		r.join(30)
	s.same([r.exitcode for r in readers], [0] * 20, 'twenty processes read and list while values change')
	s.ok(bad.empty(), 'and see whole values', bad)
	s.same(woken, 50, 'the poller beside them misses nothing')
	p.close()


def gone(s, md):
	p, other = Poller(os.path.join(md, 'dev-home-1.img/state')), Poller(os.path.join(md, 'dev-home-0.img/state'))
	quiet = Poller(os.path.join(md, 'dev-home-1.img/slot'))
	for q in (p, other, quiet):
		q.read()
	s.must('manage', 'home', '--fail', s.path('home-1.img'))
	s.ok(p.woken(SOON_S), 'umd manage --fail wakes whoever polls the member\'s state')
	s.ok('faulty' in p.read(), 'which is faulty')
	s.must('manage', 'home', '--remove', s.path('home-1.img'))
	s.ok(p.woken(SOON_S) and p.woken(SOON_S), 'when it is removed its pollers wake, again and again')
	s.ok(quiet.woken(SOON_S), 'those of its other files, too')
	s.same([error_of(q.read) for q in (p, quiet)], ['ENODEV', 'ENODEV'], 'and read that there is no such device')
	s.same(other.woken(QUIET_S), 0, 'those of the other member sleep on')
	s.must('manage', 'home', '--re-add', s.path('home-1.img'))
	s.must('wait', 'home')
	s.same(read(os.path.join(md, 'dev-home-1.img/state')), 'in_sync\n', 'a member that comes back has a folder again')
	s.same(error_of(p.read), 'ENODEV', 'to an old file of it it is another')
	for q in (p, other, quiet):
		q.close()


with TreeScene() as s:
	s.mirror('home')
	uri = s.umd('detail', '--json', 'home').stdout and f'nbd+unix:///home?socket={s.env["UMD_RUNTIME_DIR"]}/home/nbd.sock'
	process, md = s.mount('home')
	first_polls(s, md)
	every_way(s, md)
	state_follows_writes(s, md, uri)
	nothing_is_lost(s, md)
	twenty_readers(s, md)
	gone(s, md)
	s.end_tree(process)
