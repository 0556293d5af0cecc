#!/usr/bin/env bash
# Measures the costs of package cost on the kernel and the machine at hand: ext4
# on a loop device in memory, its functions timed by sampling (perf, cpu-clock),
# its counters read from mb_stats. Each line is a cost's name and nanoseconds.
#
# What a function takes is its share of the samples, with what it calls, times
# the time sampled, over how often it was called. Shares below 1% are noisy: run
# it three times.
#
# Needs root, loop devices, perf, gcc, 6 GB of memory, two CPUs; takes two
# minutes. Skips, with a reason, where they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $1"; exit 0; }
[[ $(id -u) = 0 ]] || skip "needs root to mount"
[[ -e /dev/loop-control ]] || skip "needs loop devices"
command -v perf >/dev/null || skip "needs perf"
command -v gcc >/dev/null || skip "needs gcc"
if [[ -z ${MEASURE_NAMESPACE:-} ]]; then
  MEASURE_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
w=$(mktemp -d -p /dev/shm mbcost.XXXXXX)
device=
finish() { umount "$w/mnt" 2>/dev/null || true; [[ -z $device ]] || losetup -d "$device"; rm -rf "$w"; }
trap finish EXIT
mkdir "$w/mnt"
gcc -O2 -pthread -o "$w/load" "$here/load.c"

fresh() { # SIZE MKE2FS-OPTIONS MOUNT-OPTIONS: another file system
  umount "$w/mnt" 2>/dev/null || true
  [[ -z $device ]] || losetup -d "$device"
  rm -f "$w/image"
  truncate -s "$1" "$w/image"
  # shellcheck disable=SC2086
  mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 $2 "$w/image"
  device=$(losetup -f --show "$w/image")
  remount "$3"
}
remount() {
  umount "$w/mnt" 2>/dev/null || true
  mount -o "$1" "$device" "$w/mnt"
  disk=$(basename "$device")
  echo 1 >"/sys/fs/ext4/$disk/mb_stats"
}
load() { "$w/load" "$w/mnt" "$@"; }
sampled() { # the same, sampled
  perf record -q -e cpu-clock -F 4000 -g -o "$w/perf" -- "$w/load" "$w/mnt" "$@" >/dev/null
  perf report -i "$w/perf" --children --stdio -g none --no-inline 2>/dev/null >"$w/report"
}
each() { # NAME CALLS FUNCTION...: ns a call of all the functions together
  awk -v name="$1" -v calls="$2" -v fns=" ${*:3} " '
    /Event count/ { total = $NF }
    /^ / && index(fns, " " $NF " ") && !($NF in seen) { seen[$NF]; share += $1 }
    END { printf "%-18s %.0f\n", name, share / 100 * total / calls }' "$w/report"
}
counter() { # SECTION FIELD: of mb_stats
  awk -v s="$1" -v f="$2:" '/_stats:/ { section = $1 } /^\textents_scanned|goal_hits/ { section = "" }
    (s == "" || section == s "_stats:") && $1 == f { sum += $2 } END { print sum + 0 }' "/proc/fs/ext4/$disk/mb_stats"
}
considered() { counter "" groups_considered; }
line() { printf "%-18s %s\n" "$1" "$2"; }

line syscall "$(load syscall 3000000)"
line context_switch "$(load switch 300000)"
line lock_hand_over "$(load handover 3000000)"

fresh 4G "" defaults
sampled create 100000
each inode_allocate 100000 __ext4_new_inode
each directory_entry 100000 ext4_add_entry
sampled fchmod 1000000
each journal_start 1000000 jbd2__journal_start __ext4_journal_stop
each inode_update 1000000 __ext4_mark_inode_dirty

append=$(load write 60000 a 4096)
over=$(load write 60000 a 4096)
line new_page $((append - over))
line copy_page $(($(load write 1000 a 262144) / 64))
line submit_page $(($(load fsync 1 a) / 60000))
sampled append 10000 log
each submit_request 10000 ext4_io_submit

fresh 8G "" mb_optimize_scan=0
before=$(counter "" reqs)
sampled sparse 100000
calls=$(($(counter "" reqs) - before))
each extent_tree 100000 ext4_find_extent ext4_ext_insert_extent
each status_tree 100000 ext4_es_insert_extent
each buddy_update "$calls" mb_mark_used
each bitmap_update "$calls" ext4_mb_mark_context

# Every other block free: free extents of one block. Five groups stay empty.
fresh 4G "-O ^has_journal" mb_optimize_scan=0
cat "/proc/fs/ext4/$disk/mb_groups" >/dev/null
line buddy_generated $(($(counter "" buddies_time_used) / 32))
load fill 40 >/dev/null
load punch 430000 >/dev/null
sync
remount mb_optimize_scan=0
fragments=$(awk '/^#[0-9]/ { sub(/.*: /, ""); s += $2 } END { print s }' "/proc/fs/ext4/$disk/mb_groups")
line buddy_fragment $(($(counter "" buddies_time_used) / fragments))
load punch 520000 >/dev/null
load sparse 1500 crumbs 4096 >/dev/null || true
# A group is loaded when it is scanned, and that of the best once more.
loads() { echo $(($(counter "" groups_scanned) + $(counter "" reqs))); }
considered=$(considered) extents=$(counter "" extents_scanned) loads=$(loads)
sampled sparse 15000 scan 8192
each extent_examined $((($(counter "" extents_scanned) - extents) / 2)) ext4_mb_complex_scan_group
each group_considered $(($(considered) - considered)) ext4_mb_good_group ext4_mb_prefetch
each group_scanned $(($(loads) - loads)) ext4_mb_load_buddy_gfp

# CPU time of the journal's thread: many small commits, then few large ones.
fresh 4G "" defaults
journal() { # its CPU time and the blocks it has logged
  awk -v n="$(awk '{ print $1 }' "/proc/$(pgrep -f "jbd2/$disk-8" | head -1)/schedstat")" '
    / transactions/ { t = $1 } /blocks per transaction/ && !/logged/ { b = $1 } END { print n, t * b }' "/proc/fs/jbd2/$disk-8/info"
}
load append 10000 log >/dev/null
small=$(journal)
umount "$w/mnt" && remount defaults
load create 100000 >/dev/null
sync
large=$(journal)
awk -v s="$small" -v l="$large" 'BEGIN { split(s, a); split(l, b); each = b[1] / b[2]
  printf "%-18s %.0f\n%-18s %.0f\n", "journal_block", each, "journal_commit", (a[1] - each * a[2]) / 10000 }'
