#!/bin/bash
# A mirror's life, told with real data: `make demo`.
#
#   tools/demo.sh [BUILD]
#
# An ext4 file system with real files goes into a served mirror; the server is killed in the middle of the copy, a member
# is lost and comes back, and at the end every file, every byte of both members, and the real Linux md (where
# user-mode-linux is installed) have to agree. Then three nodes of a cluster share a mirror, and one of them dies.
# Everything happens in one temporary directory; no root is needed.
# Exit status 1 when any of the checks at the end failed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(realpath "${1:-$root/build}")
export PATH=/usr/bin:$build:$PATH:/usr/sbin:/sbin
stage=$(mktemp -d "${TMPDIR:-/tmp}/umd-demo.XXXXXX")
export UMD_RUNTIME_DIR=$stage/run
cd "$stage"

PAYLOAD_MIB=220			# of files, at least
FS_MIB=900
NAME=home
begun=$SECONDS
table=() verdicts=() failed=0

leave() {
	umd stop $NAME > /dev/null 2>&1 || true
	rm -rf "$stage"
}
trap leave EXIT

chapter() {
	local bold='' plain=''
	if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
	printf '\n%s%s%s\n\n' "$bold" "$1" "$plain"
}
say() { printf '%s\n' "$*" | fold -s -w 100 | sed 's/ $//'; echo; }

# Show a command as it is typed, then run it.
run() {
	printf '$ %s\n' "$*"
	"$@"
}

# A value out of JSON on stdin: field last_sync.bytes_copied
field() { python3 -c 'import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."): value = value[int(key) if key.isdigit() else key]
print(value)' "$1"; }
detail() { umd detail --json $NAME | field "$1"; }
mib() { awk -v b="$1" 'BEGIN { printf "%.1f MiB", b / 1048576 }'; }

# What a sync copied, and what would have been copied without a bitmap.
row() { # MOMENT BYTES WHOLE
	table+=("$(printf '%-44s %12s %12s %8s' "$1" "$(mib "$2")" "$(mib "$3")" "$(awk -v a="$2" -v b="$3" \
		'BEGIN { printf "%.1f %%", 100 * a / b }')")")
}

# A check that has to hold: check "what" command...
check() {
	local what=$1
	shift
	if "$@" > check.log 2>&1; then
		verdicts+=("  holds   $what")
	else
		verdicts+=("  FAILED  $what") failed=1
		sed 's/^/    /' check.log | tail -5
	fi
}

# The project's own tree, and the biggest files of this machine until there is enough.
gather_files() {
	local total=0 size path
	mkdir payload
	tar -C "$root" --exclude='./build*' --exclude=./.git -cf - . | tar -C payload -xf - --one-top-level=umd
	mkdir payload/machine
	while read -r size path; do
		[ $total -lt $((PAYLOAD_MIB << 20)) ] || break
		cp --no-preserve=all "$path" "payload/machine/$(basename "$path").$((total >> 10))" && total=$((total + size))
	done < <(find /usr/lib /usr/share /usr/bin -xdev -type f -readable -size +64k -size -96M -printf '%s %p\n' 2> /dev/null |
		sort -rn | sed 4000q)
	say "$(find payload -type f | wc -l) files, $(du -sm --apparent-size payload | cut -f1) MiB: this project and the biggest files" \
		"of this machine."
	[ "$(du -sm --apparent-size payload | cut -f1)" -ge 200 ] || { say "This machine has less than 200 MiB of files."; exit 1; }
}

make_file_system() {
	truncate -s "${FS_MIB}M" fs.img
	mke2fs -q -F -t ext4 -d payload fs.img
}

serve() {
	run umd serve --background "$@" 2> note | tee ready
	if [ ! -e noted ]; then mv note noted; cat noted; fi
	uri=$(awk '/^ready/ { print $2 }' ready)
}

# Copy until 45 of 100 parts are done, then pull the plug: SIGKILL, while writes are under way.
copy_and_kill() {
	local copier server part
	server=$(detail pid)
	mkfifo progress
	nbdcopy --progress=3 fs.img "$uri" 3> progress 2> /dev/null &
	copier=$!
	while IFS=/ read -r part _; do
		[ "$part" -lt 45 ] || break
	done < progress
	kill -KILL "$server"
	{ wait "$copier" || true; } 2> /dev/null	# nbdcopy aborts when its server dies, and the shell would tell
	say "(nbdcopy was at $part of 100; the server, pid $server, got SIGKILL)"
}

# A mirror at rest has no bit set: the bits age out in two sweeps, five seconds apart.
wait_for_rest() {
	local i
	for i in $(seq 60); do
		[ "$(detail bitmap.set_chunks)" -gt 0 ] || return 0
		sleep 0.5
	done
}

# Everything the array holds, as a file; then the files in it.
read_back() {
	nbdcopy "$uri" back.img
	truncate -s "${FS_MIB}M" back.img
	mkdir back
	debugfs -R 'rdump / back' back.img 2> /dev/null
	rmdir back/lost+found
}

equal_members() {
	local offset length
	offset=$(umd examine --json left.img | field members.0.superblock.data_offset_bytes)
	length=$(umd examine --json left.img | field members.0.superblock.component_bytes)
	cmp -i "$offset" -n "$length" left.img right.img
}

# In the guest: the kernel's md assembles the members, reads everything, and compares the legs.
linux_looks() {
	cat > guest.sh <<-'GUEST'
		#!/bin/bash
		echo 0 > /sys/module/md_mod/parameters/start_ro
		mdadm --assemble /dev/md0 /dev/ubda /dev/ubdb > linux.log 2>&1 || exit 1
		head -c "$1" /dev/md0 | sha256sum | cut -d' ' -f1 > linux.sum
		cp /sys/block/md0/md/array_state linux.state
		echo check > /sys/block/md0/md/sync_action
		mdadm --wait /dev/md0 || true
		cp /sys/block/md0/md/mismatch_cnt linux.mismatches
		mdadm --stop /dev/md0 >> linux.log 2>&1
	GUEST
	chmod +x guest.sh
	"$root/tests/lab/uml-run" -t 180 -d left.img -d right.img -- ./guest.sh $((FS_MIB << 20))
}

chapter "1. A mirror of two sparse files"
truncate -s 1G left.img right.img
run umd create --name=$NAME --bitmap-chunk=64K --assume-clean left.img right.img
say "Both files are all holes, so they are equal already: --assume-clean. From now on every write first sets the bit of" \
	"its 64 KiB chunk in a bitmap on both members; after a crash only chunks whose bit is set may differ."
serve left.img right.img
whole=$(detail size_bytes)

chapter "2. A file system goes in, and the power goes out"
gather_files
make_file_system
say "nbdcopy writes the file system into the array ..."
copy_and_kill
say "What the two members say of themselves, and where they may differ:"
run umd examine left.img right.img
run umd map left.img

chapter "3. Started again: only what may differ is copied"
serve left.img right.img
run umd wait $NAME
row "power cut in the middle of a copy" "$(detail last_sync.bytes_copied)" "$whole"
run umd map $NAME
echo
say "The members are equal again; the bits go out when nobody has written there for some seconds. The copy is made once" \
	"more, to its end, and the mirror comes to rest:"
run nbdcopy fs.img "$uri"
wait_for_rest
run umd map $NAME

chapter "4. A member is lost, and life goes on"
run umd manage $NAME --fail right.img --remove right.img
umd detail --test $NAME > /dev/null || say "(umd detail --test: exit status $?, degraded)"
say "A file is written into the file system. The bitmap of the member that stayed remembers what the other one misses:"
cp --sparse=always fs.img later.img
seq 4000000 > payload/written-while-alone
debugfs -w -R 'write payload/written-while-alone written-while-alone' later.img > /dev/null 2>&1
python3 "$root/tools/write_changes.py" fs.img later.img "$uri"
run umd map $NAME

chapter "5. It comes back, and is told what it missed"
run umd manage $NAME --re-add right.img
run umd wait $NAME
row "member away while a file was written" "$(detail last_sync.bytes_copied)" "$whole"
run umd detail $NAME
echo
wait_for_rest
say "The same once more, from rest, with nothing written in between:"
run umd manage $NAME --fail right.img --remove right.img --re-add right.img
run umd wait $NAME
row "member away, nothing was written" "$(detail last_sync.bytes_copied)" "$whole"

chapter "6. Is everything there?"
read_back
run umd stop $NAME
run umd map left.img right.img
echo
check "the array's content is byte for byte the image that went in" cmp back.img later.img
check "e2fsck -fn finds nothing to repair" e2fsck -fn back.img
check "every file read back equals the one put in" diff -r payload back
check "both members are equal in the whole data area" equal_members
if command -v linux.uml > /dev/null; then
	say "The real Linux md takes the same members, reads them and compares the legs (in user-mode-linux) ..."
	check "Linux md assembles the members" linux_looks
	check "Linux md reads the same content" grep -q "$(sha256sum < later.img | cut -d' ' -f1)" linux.sum
	check "its check of the two legs finds 0 differences" grep -qx 0 linux.mismatches
else
	verdicts+=("  not run the real Linux md: user-mode-linux is not installed")
fi

chapter "7. Three nodes, one mirror"
say "Three servers of this machine share two members, and each has a bitmap of its own on them. All write; one is killed:"
TMPDIR=$stage run umd cluster lab -n 3 --seconds=8 2>&1 | tee lab.log || true
taken=$(sed -n 's/.*has taken .* copied \([0-9]*\)\.0 MiB$/\1/p' lab.log)
[ -z "$taken" ] || row "one of three nodes killed while all wrote" $((taken << 20)) $((64 << 20))
check "what one node wrote every other node reads" grep -q 'every other node reads it' lab.log
check "another node took the dead one's slot, and copied what it left" test -n "$taken"
check "the members are equal again" grep -q '^the members are equal' lab.log

chapter "What was copied, and what a full copy would have been"
printf '  %-44s %12s %12s %8s\n' "moment" "copied" "full copy" "share"
printf '  %s\n' "${table[@]}"
echo
printf '%s\n' "${verdicts[@]}"
printf '\n%d seconds.\n' $((SECONDS - begun))
exit $failed
