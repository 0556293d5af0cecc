#!/usr/bin/env bash
# Compares the time of a replay with that of the real ext4 of this machine on a
# memory-backed loop device: the family churn of gen.py, 390,000 operations.
#
# ROUNDS times (5) the two take turns, since a machine's speed changes from minute to
# minute, and the median of the ratios counts. The real one is timed while it performs
# the script and lists the files; mkfs, mount and unmount are not counted. mbsim is
# timed whole: it starts, lays the file system out, replays, and writes its files.
#
# Needs root and loop devices; skips, with a reason, where they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $1"; exit 0; }
[[ $(id -u) = 0 ]] || skip "needs root to mount"
[[ -e /dev/loop-control ]] || skip "needs loop devices"
shm=$(mktemp -d -p /dev/shm) || skip "needs /dev/shm"
trap 'umount "$shm/mnt" 2>/dev/null || true; rm -rf "$shm"' EXIT
(cd "$here/guest" && CGO_ENABLED=0 go build -o "$shm/guest" .)
(cd "$here/.." && go build -o "$shm/mbsim" ./cmd/mbsim)
python3 "$here/gen.py" churn 1 "$shm/case"
mkdir "$shm/mnt" "$shm/out"

milliseconds() { # of a command
  local t0 t1; t0=$(date +%s%N); "$@" >/dev/null; t1=$(date +%s%N)
  echo $(((t1 - t0) / 1000000))
}
echo "$(wc -l <"$shm/case/ops") operations, ext4 of Linux $(uname -r) and mbsim, seconds:"
for _ in $(seq "${ROUNDS:-5}"); do
  rm -f "$shm/disk"; truncate -s 2G "$shm/disk"
  mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 "$shm/disk"
  mount -o loop "$shm/disk" "$shm/mnt" || skip "cannot mount a loop device"
  sync
  real=$(milliseconds "$shm/guest" "$shm/mnt" "$shm/case/ops" "$shm/out")
  umount "$shm/mnt"
  sim=$(milliseconds "$shm/mbsim" replay "$shm/case" --mkfs --out "$shm/replayed")
  echo "$real $sim" >>"$shm/times"
  awk -v r="$real" -v s="$sim" 'BEGIN { printf "  %.2f  %.3f  1/%.1f\n", r/1e3, s/1e3, r/s }'
done
awk '{ print $1 / $2 }' "$shm/times" | sort -n | awk '{ x[NR] = $1 } END {
  m = (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2
  printf "median: 1/%.1f\n", m
  exit !(m > 20) }' || { echo "mbsim takes more than a twentieth" >&2; exit 1; }
