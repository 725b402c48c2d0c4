#!/bin/bash
# `make bench`: umd beside its peers, as ratios. bench/run.sh [BUILD]; settings: ROUNDS, SECONDS_EACH, SIZE_MIB, LEGS.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec /usr/bin/python3 "$here/peers.py" "${1:-$here/../build}"
