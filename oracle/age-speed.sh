#!/usr/bin/env bash
# Compares the time of ageing in the simulator, image included, with that of the same operations on the
# real ext4 of this machine on a memory-backed loop device.
#
# PROFILE (agrawal), SIZE (6G), USE (80%) and CHURN (3) say what is aged: see mbsim age --help. ROUNDS
# times (3) the two take turns, since a machine's speed changes from minute to minute, and the median
# of the ratios counts. The real one is timed while it performs the script and is unmounted, which writes
# everything; mkfs and mount are not counted. mbsim is timed whole: it starts, performs the ageing, and
# writes image and report.
#
# Needs root and loop devices, and memory for twice that size; skips, with a reason, where they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $1"; exit 0; }
[[ $(id -u) = 0 ]] || skip "needs root to mount"
[[ -e /dev/loop-control ]] || skip "needs loop devices"
shm=$(mktemp -d -p /dev/shm) || skip "needs /dev/shm"
trap 'umount "$shm/mnt" 2>/dev/null || true; rm -rf "$shm"' EXIT
(cd "$here/guest" && CGO_ENABLED=0 go build -o "$shm/guest" .)
(cd "$here/.." && go build -o "$shm/mbsim" ./cmd/mbsim)
SIZE=${SIZE:-6G}
plan=("${PROFILE:-agrawal}" --size "$SIZE" --use "${USE:-80%}" --churn "${CHURN:-3}" --writers 1 --kernel host)
mkdir "$shm/mnt" "$shm/out"
"$shm/mbsim" age "${plan[@]}" --print >"$shm/age.yaml"
"$shm/mbsim" script "$shm/age.yaml" -o "$shm/case" >/dev/null
# shellcheck disable=SC1091
source "$shm/case/case.env"
set -f; mkfs=($MKFS); set +f

milliseconds() { # of a command
  local t0 t1; t0=$(date +%s%N); "$@" >/dev/null 2>&1; t1=$(date +%s%N)
  echo $(((t1 - t0) / 1000000))
}
real() { "$shm/guest" "$shm/mnt" "$shm/case/ops" "$shm/out"; umount "$shm/mnt"; }
echo "$(wc -l <"$shm/case/ops") operations, ext4 of Linux $(uname -r) and mbsim with its image, seconds:"
for _ in $(seq "${ROUNDS:-3}"); do
  rm -f "$shm/disk"; truncate -s "$SIZE" "$shm/disk"
  mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 "${mkfs[@]}" "$shm/disk"
  mount -o loop "$shm/disk" "$shm/mnt" || skip "cannot mount a loop device"
  sync
  theirs=$(milliseconds real)
  rm -rf "$shm/disk"
  ours=$(milliseconds "$shm/mbsim" age "${plan[@]}" -o "$shm/image" --force --no-plots --progress never)
  rm -rf "$shm/image" "$shm/image.run"
  echo "$theirs $ours" >>"$shm/times"
  awk -v r="$theirs" -v s="$ours" 'BEGIN { printf "  %.2f  %.3f  1/%.1f\n", r/1e3, s/1e3, r/s }'
done
awk '{ print $1 / $2 }' "$shm/times" | sort -n | awk '{ x[NR] = $1 } END {
  m = (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2
  printf "median: 1/%.1f\n", m
  exit !(m > 30) }' || { echo "mbsim takes more than a thirtieth" >&2; exit 1; }
