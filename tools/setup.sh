#!/bin/sh
# Make sure that the Debian packages for some purposes are there.
#
#   tools/setup.sh PURPOSE...       purposes: build, demo, test, cluster, bench, fuzz (the first column of packages.txt)
#
# Installs what is missing with apt-get, as root or through sudo that asks nothing; otherwise names it and stops.
# Where nothing is missing, nothing is run and no network is needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }

wanted() {
	for purpose; do
		awk -v purpose="$purpose" '$1 == purpose { print $2 }' "$here/packages.txt"
	done | sort -u
}

is_installed() {
	dpkg-query -W -f '${Status}\n' "$1" 2> /dev/null | grep -q ' installed$'
}

if ! command -v dpkg-query > /dev/null; then
	echo "setup: this is no Debian; please install what these Debian packages hold: $(wanted "$@" | tr '\n' ' ')" >&2
	exit 1
fi

missing=
for package in $(wanted "$@"); do
	is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
	as_root='sudo -n'
else
	echo "setup: these packages are missing and only root may install them: apt-get install$missing" >&2
	exit 1
fi

echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q || echo "setup: the package lists could not be refreshed, going on with those here" >&2
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing

for package in $missing; do
	is_installed "$package" || { echo "setup: $package is still missing after apt-get install" >&2; exit 1; }
done
