#!/bin/bash
# The pictures of the README, made from real arrays: tools/pictures.sh [BUILD]
#
# Three moments of a mirror that umd makes, serves and loses here, and one of a cluster that Linux made (a golden image
# of the tests). Everything but docs/pictures happens in one temporary directory; no root is needed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(realpath "${1:-$root/build}")
export PATH=/usr/bin:$build:$PATH
stage=$(mktemp -d "${TMPDIR:-/tmp}/umd-pictures.XXXXXX")
export UMD_RUNTIME_DIR=$stage/run
cd "$stage"

leave() {
	umd stop home > /dev/null 2>&1 || true
	rm -rf "$stage"
}
trap leave EXIT

draw() { # PICTURE [OPTIONS] NAME | MEMBER...
	local name=$1
	shift
	umd map --svg="$name.svg" --png="$name.png" "$@"
	mv "$name.svg" "$name.png" "$root/docs/pictures/"
}

serve() {
	umd serve --background a.img b.img 2> /dev/null | awk '/^ready/ { print $2 }'
}

make_mirror() {
	rm -f a.img b.img
	truncate -s 1G a.img b.img
	umd create --name=home --bitmap-chunk=1M --assume-clean a.img b.img > /dev/null
}

mkdir -p "$root/docs/pictures"
make_mirror
draw clean a.img b.img

uri=$(serve)
pid=$(umd detail --json home | python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])')
python3 "$root/tools/pictures_writes.py" "$uri" 1 "$pid"
draw after-a-crash a.img b.img

make_mirror
uri=$(serve)
umd manage home --fail b.img > /dev/null
python3 "$root/tools/pictures_writes.py" "$uri" 2
draw degraded home

for member in a b; do
	zstd -qd "$root/tests/golden/cm-c02-both-dirty/$member.img.zst" -o "node-$member.img"
done
draw four-slots --width=18 node-a.img node-b.img
ls -l "$root/docs/pictures"
