"""Goal:   the tool explains itself, and wrong words end before anything happens.
Method: every verb's --help; unknown verbs, options, values and numbers of words, some of them hostile bytes.
Law:    exit status 2 and one sentence on stderr for wrong usage; control bytes never reach the terminal.
Source: design, the command line: "Exit status: 0 done; 1 it failed; 2 usage".
"""
from scene import Scene

VERBS = ['create', 'serve', 'cluster', 'examine', 'why', 'map', 'detail', 'list', 'manage', 'grow', 'get', 'set', 'attrs',
	'monitor', 'stop', 'wait']

WRONG = [
	([], ['no verb']),
	(['frobnicate'], ['frobnicate', '--help']),
	(['create'], ['needs a member']),
	(['create', '--chunks=4K', 'a', 'b'], ['--chunks=4K', 'create --help']),
	(['create', '-f', 'a', 'b'], ['-f']),
	(['create', '--bitmap-chunk'], ['--bitmap-chunk needs a value']),
	(['create', '--bitmap-chunk=64Q', 'a', 'b'], ['64Q', 'bytes']),
	(['create', '--bitmap-chunk=-4096', 'a', 'b'], ['-4096']),
	(['create', '--bitmap-chunk=99999999999T', 'a', 'b'], ['99999999999T']),
	(['create', '--size=', 'a', 'b'], ['--size']),
	(['create', '--size=0', 'a', 'b'], ['--size', 'not "0"']),
	(['create', '--bitmap-chunk=0K', 'a', 'b'], ['--bitmap-chunk', 'not "0K"']),
	(['create', '--force=yes', 'a', 'b'], ['takes no value']),
	(['create', '--level=5', 'a', 'b'], ['level 5', 'mirror']),
	(['create', '--raid-devices=3', 'a', 'b'], ['=3', '2 members']),
	(['map', '--width=0', 'a'], ['0', '512']),
	(['detail', 'a', 'b'], ['"b"']),
	(['list', 'a'], ['"a"']),
	(['stop'], ['name of an array']),
	(['manage', 'home'], ['--re-add']),
	(['manage', 'home', 'x.img', '--fail'], ['x.img', 'before']),
	(['manage', 'home', '--fail'], ['--fail needs a member']),
	(['manage', 'home', '--fail', '--remove', 'x.img'], ['--fail needs a member']),
	(['grow', 'home'], ['--bitmap=clustered', '--bitmap-chunk=SIZE']),
	(['grow', 'home', '--nodes=3'], ['--nodes', 'go with --bitmap=clustered']),
	(['grow', 'home', '--bitmap=internal', '--cluster-name=lab'], ['--cluster-name', 'go with --bitmap=clustered']),
	(['grow', 'home', '--bitmap=thin'], ['"thin"', 'clustered']),
	(['examine', '--dry-run', 'a'], ['--dry-run']),
	(['get', 'home'], ['NAME PATH']),
	(['set', 'home', 'level'], ['NAME PATH VALUE']),
	(['set', 'home', 'level', 'raid1', 'raid10'], ['raid10']),
	(['set', '--now', 'home', 'level', '-1'], ['--now']),
	(['cluster'], ['the word lab']),
	(['cluster', 'zoo'], ['"zoo"', 'lab']),
	(['cluster', 'lab', '-n', '9'], ['2 to 8', 'not 9']),
	(['cluster', 'lab', '-n', '1'], ['2 to 8', 'not 1']),
	(['cluster', 'lab', '-n'], ['--nodes needs a value']),
	(['cluster', 'lab', '-x'], ['-x']),
	(['cluster', 'lab', '--seconds=3'], ['4 to 3600', 'not 3']),
	(['monitor'], ['name of an array']),
	(['serve'], ['needs a member']),
	(['serve', '--inactive'], ['--name']),
	(['serve', '--inactive', '--name=x', 'a'], ['"a"', 'new_dev']),
	(['\033[31mred'], ['\\x1b[31mred']),
	(['list', '--\033]0;title\007'], ['\\x1b]0;title\\x07']),
	(['list', '--\udcff\udcfe'], ['\\xff\\xfe']),
	(['list', '--\u202eevil'], ['\\xe2\\x80\\xae']),
]

# What mdadm has under the same verb: no slip of the user's, so exit status 1 and its name.
NOT_THERE = [
	['create', '--spare-devices=1', 'a', 'b'], ['grow', 'home', '--size=max'], ['grow', 'home', '--raid-devices', '3'],
	['manage', 'home', '--replace', 'a'],
]

with Scene() as s:
	helped = s.umd('--help')
	s.ok(helped.returncode == 0 and all(f'\n  {v} ' in helped.stdout for v in VERBS), 'help names every verb', helped.stdout)
	version = s.umd('--version').stdout
	s.ok(version.startswith('umd ') and version.count('.') == 2, 'version is printed', version)

	for verb in VERBS:
		run = s.umd(verb, '--help')
		s.ok(run.returncode == 0 and run.stdout.startswith(f'usage: umd {verb}') and run.stdout.count(f'  umd {verb} ') +
			run.stdout.count(f'  umd {verb}\n') == 2, f'{verb} --help has usage and two examples', run.stdout, run.stderr)
		s.ok(max(map(len, run.stdout.splitlines())) <= 100, f'{verb} --help fits 100 columns', run.stdout)

	for words, wanted in WRONG:
		s.refused(s.umd(*words), 2, wanted, 'refused: umd ' + ' '.join(words).encode('unicode_escape').decode())

	for words in NOT_THERE:
		option = next(w for w in words if w.startswith('--')).split('=')[0]
		s.refused(s.umd(*words), 1, [f'{words[0]} {option} is not supported'], 'not there: umd ' + ' '.join(words))

	run = s.umd('list', '--', '--json')
	s.refused(run, 2, ['--json'], 'what follows -- is a word, not an option')
