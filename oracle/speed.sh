#!/usr/bin/env bash
# Compares the time of a replay with that of the real ext4 of this machine on a
# memory-backed loop device: the family churn of gen.py, 390,000 operations. Both
# are timed in one run, one after the other.
#
# Needs root and loop devices; skips, with a reason, where they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $1"; exit 0; }
[[ $(id -u) = 0 ]] || skip "needs root to mount"
[[ -e /dev/loop-control ]] || skip "needs loop devices"
shm=$(mktemp -d -p /dev/shm) || skip "needs /dev/shm"
trap 'umount "$shm/mnt" 2>/dev/null; rm -rf "$shm"' EXIT
(cd "$here/guest" && CGO_ENABLED=0 go build -o "$shm/guest" .)
(cd "$here/.." && go build -o "$shm/mbsim" ./cmd/mbsim)
python3 "$here/gen.py" churn 1 "$shm/case"
mkdir "$shm/mnt" "$shm/out"
truncate -s 2G "$shm/disk"
mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 "$shm/disk"
mount -o loop "$shm/disk" "$shm/mnt" || skip "cannot mount a loop device"

seconds() { # of a command
  local t0 t1; t0=$(date +%s%N); "$@" >/dev/null; t1=$(date +%s%N)
  echo $(((t1 - t0) / 1000)) # microseconds
}
sync
real=$(seconds "$shm/guest" "$shm/mnt" "$shm/case/ops" "$shm/out")
sim=$(seconds "$shm/mbsim" replay "$shm/case" --mkfs --out "$shm/replayed")
awk -v n="$(wc -l <"$shm/case/ops")" -v r="$real" -v s="$sim" -v k="$(uname -r)" 'BEGIN {
  printf "%d operations: ext4 of Linux %s %.2f s, mbsim %.2f s: 1/%.1f\n", n, k, r/1e6, s/1e6, r/s
  exit !(s * 20 < r) }' || { echo "mbsim takes more than a twentieth" >&2; exit 1; }
