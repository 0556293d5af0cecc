#!/usr/bin/env bash
# Records what ext4 of the kernel that is running here does with one case.
#
#   record-here.sh CASE_DIR OUT_DIR
#
# OUT_DIR becomes a case of its own: ops and case.env as they were performed here (with this
# machine's CPUs, and its mb_max_linear_groups), and the recording in OUT_DIR/host, with the
# files that record.sh makes. `mbsim verify OUT_DIR --kernel host` compares with it.
#
# The file system is on a loop device in a temporary folder: HERE_TMP, or /dev/shm. Needs root,
# loop devices, go and e2fsprogs. What this kernel does not offer (tracefs, files in /proc) is
# left out with a line that says so. While it runs, seconds mostly, writeback by age and by
# amount is off for the whole machine. That is put back, and everything unmounted and detached,
# however this script ends.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
refuse() { echo "record-here.sh: $1" >&2; exit 2; }
say() { echo "record-here.sh: $1" >&2; }
[[ $# = 2 ]] || refuse "usage: record-here.sh CASE_DIR OUT_DIR"
[[ -f $1/case.env && -f $1/ops ]] || refuse "$1 is no case: it needs case.env and ops"
case=$(cd "$1" && pwd)
! compgen -G "$case/ops.[0-9]*" >/dev/null || refuse "$1 has several writers at once: no two recordings of it agree, so there is nothing to compare"

SIZE=256M MKFS="" MOUNT="" TUNABLES="" MEM=2G PIDMOD=0
# shellcheck disable=SC1091
source "$case/case.env"
[[ -n $MKFS || -z ${MKFS_EXT2:-} ]] || refuse "$1 is a case of ext2"

# What cannot work is refused before anything is changed.
[[ $(id -u) = 0 ]] || refuse "needs root to mount: run it with sudo"
for tool in go losetup mke2fs dumpe2fs taskset flock; do
  command -v $tool >/dev/null || refuse "needs $tool"
done
[[ -e /dev/loop-control ]] || refuse "needs loop devices (modprobe loop), which a container may not have"
grep -qw ext4 /proc/filesystems || modprobe ext4 2>/dev/null || refuse "this kernel has no ext4"
exec 8>/run/mbsim-record-here.lock
flock -n 8 || refuse "another recording is under way"

# The process runs on the last CPU, as a replay assumes. A CPU that is not there is replaced.
online=$(nproc --all) possible=$(sed 's/.*[-,]//' /sys/devices/system/cpu/possible)
cpu=$((online - 1)) cpus=$((possible + 1))

mkdir -p "$2"; out=$(cd "$2" && pwd)
[[ $out != "$case" ]] || refuse "OUT_DIR must be another folder than CASE_DIR"
work=$(mktemp -d -p "${HERE_TMP:-/dev/shm}" mbsim-here.XXXXXX)
t=$work/tracing/instances/${work##*/} # a trace of its own, beside whatever else is traced
bound=/sys/bus/workqueue/devices/writeback/cpumask
mkdir "$work"/{mnt,old,out,tracing}

# clean_up puts everything back. It knows from files in $work what there is to do.
clean_up() {
  [[ ! -s $work/pid ]] || kill -9 "$(<"$work/pid")" 2>/dev/null
  local i f
  for ((i = 0; i < 50; i++)); do
    mountpoint -q "$work/mnt" || break
    umount "$work/mnt" 2>/dev/null || sleep 0.1
  done
  ! mountpoint -q "$work/mnt" || umount -l "$work/mnt"
  [[ ! -s $work/loop ]] || losetup -d "$(<"$work/loop")"
  if mountpoint -q "$work/tracing"; then
    [[ ! -d $t ]] || rmdir "$t"
    umount "$work/tracing"
  fi
  # Of a limit in bytes and the same in percent one is 0: the other one is in force.
  for f in "$work"/old/*; do
    [[ ! -e $f || $(<"$f") = 0 && $f != *centisecs ]] || cat "$f" >"/proc/sys/vm/${f##*/}"
  done
  [[ ! -s $work/cpumask ]] || cat "$work/cpumask" >$bound
  rm -rf --one-file-system "$work"
}
# It is called by a process that waits for this one to end: however that happens, its end of
# the pipe is closed. A process group of its own keeps it from dying together with this one.
mkfifo "$work/alive"
set -m
(trap '' INT TERM HUP; set +e; cat "$work/alive" >/dev/null; clean_up) &
set +m
cleaner=$!
exec 9>"$work/alive"
finish() { exec 9>&-; wait "$cleaner" || true; }
trap finish EXIT

# q: a word that a shell takes for $1.
q() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

make_disk() {
  truncate -s "$SIZE" "$work/disk"
  set -f; local mkfs=($MKFS); set +f # words, and no names of files
  # DISK is an image to begin with. Else a fixed UUID and hash seed, as in record.sh.
  [[ -z ${DISK:-} ]] || cp --sparse=always "$DISK" "$work/disk"
  [[ -n ${DISK:-} ]] || E2FSPROGS_FAKE_TIME=1000000000 mke2fs -q -F -t ext4 -U 6d627369-6d00-4000-8000-000000000001 \
    -E hash_seed=6d627369-6d00-4000-8000-000000000002,lazy_itable_init=0,lazy_journal_init=0 "${mkfs[@]}" "$work/disk"
  rm -rf "$out/host"; mkdir -p "$out/host"
  dumpe2fs "$work/disk" 2>/dev/null | gzip -9n >"$out/host/before.dumpe2fs.gz"
  loop=$(losetup -f --show "$work/disk") || refuse "cannot set up a loop device"
  echo "$loop" >"$work/loop"
  dev=${loop##*/}
}

# stop_writeback keeps what happens by the clock, or by amount, out of the recording, and has
# the flusher run on the writer's CPU.
stop_writeback() {
  local f
  for f in dirty_writeback_centisecs dirty_ratio dirty_bytes dirty_background_ratio dirty_background_bytes; do
    cat /proc/sys/vm/$f >"$work/old/$f"
  done
  echo 0 >/proc/sys/vm/dirty_writeback_centisecs
  echo 90 >/proc/sys/vm/dirty_ratio; echo 80 >/proc/sys/vm/dirty_background_ratio
  if [[ -w $bound ]]; then
    cat $bound >"$work/cpumask"
    local mask i; mask=$(printf %x $((1 << cpu % 32)))
    for ((i = 0; i < cpu / 32; i++)); do mask+=,00000000; done
    echo "$mask" >$bound
  else
    say "the flusher cannot be bound to a CPU: after sync, small files may lie elsewhere"
  fi
}

# mount_it mounts, waits until all bitmaps have been read in the background, where the kernel
# does that, and sets the tunables.
mount_it() {
  mount -t ext4 -o "${MOUNT:-defaults}" "$loop" "$work/mnt" || return
  local i=0 kv f=/sys/fs/ext4/$dev
  while ((i < 200)) && grep -qsx ext4lazyinit /proc/[0-9]*/comm; do sleep 0.1; i=$((i + 1)); done
  echo "awaited, $i tenths of a second" >>"$work/out/prefetch.txt"
  [[ ! -w $f/mb_stats ]] || echo 1 >"$f/mb_stats"
  set -f
  for kv in $TUNABLES; do echo "${kv#*=}" >"$f/${kv%%=*}" || return; done
  set +f
}

# start_trace turns the events on that record.sh records, those of this device only.
start_trace() {
  mount -t tracefs mbsim "$work/tracing" 2>/dev/null && mkdir "$t" 2>/dev/null || return
  local major minor e n lacking="" size=$((131072 / online))
  echo $((size < 4096 ? 4096 : size)) >"$t/buffer_size_kb"; echo counter >"$t/trace_clock"
  # The kernel keeps a device as one number.
  IFS=: read -r major minor <"/sys/block/$dev/dev"; n=$((major << 20 | minor))
  for e in $(<"$here/events.txt"); do
    [[ -d $t/events/ext4/ext4_$e ]] || { lacking+=" ext4_$e"; continue; }
    echo "dev == $n" >"$t/events/ext4/ext4_$e/filter"; echo 1 >"$t/events/ext4/ext4_$e/enable"
  done
  for e in jbd2_start_commit jbd2_end_commit; do
    [[ -d $t/events/jbd2/$e ]] || { lacking+=" $e"; continue; }
    echo "dev == $n" >"$t/events/jbd2/$e/filter"; echo 1 >"$t/events/jbd2/$e/enable"
  done
  [[ -z $lacking ]] || say "this kernel does not have the events$lacking"
  echo 1 >"$t/tracing_on"
}

# perform runs the script, again and again until the process has an id that suits.
perform() {
  local rc=75 tries=0 pidmod=$PIDMOD
  [[ $pidmod != -1 ]] || pidmod=
  printf '#!/usr/bin/env bash\numount %q && blockdev --flushbufs %q && mount_it\n' "$work/mnt" "$loop" >"$work/remount"
  chmod +x "$work/remount"
  while [[ $rc = 75 && $tries -lt 2000 ]]; do
    tries=$((tries + 1)) rc=0
    PIDMOD=$pidmod MARKER=$t/trace_marker GROUPS_FILE=/proc/fs/ext4/$dev/mb_groups REMOUNT=$work/remount \
      taskset -c "$cpu" "$work/guest" "$work/mnt" "$out/ops" "$work/out" 2>"$work/guest.err" 9>&- &
    echo $! >"$work/pid"
    wait $! || rc=$?
  done
  : >"$work/pid"
  [[ $rc = 0 ]] || { cat "$work/guest.err" >&2; refuse "the script could not be performed (exit code $rc)"; }
}

# read_trace keeps the trace, if it is whole.
read_trace() {
  [[ -d $t ]] || { say "this kernel offers no tracefs: requests are not compared"; return; }
  echo 0 >"$t/tracing_on"
  local lost; lost=$(cat "$t"/per_cpu/cpu*/stats | awk '/^(overrun|dropped events):/ { n += $NF } END { print n + 0 }')
  [[ $lost = 0 ]] || { say "$lost trace events were lost: requests are not compared"; return; }
  cat "$t/trace" | gzip -9n >"$work/out/trace.txt.gz"
}

# read_proc reads the kernel's files, in the order of record.sh.
read_proc() {
  local p=/proc/fs/ext4/$dev s=/sys/fs/ext4/$dev name
  for name in mb_groups es_shrinker_info mb_stats mb_structs_summary; do
    [[ -f $p/$name ]] || { say "this kernel has no $name"; continue; }
    cat "$p/$name" >"$work/out/${name/_summary/}.txt"
  done
  for name in "$s"/mb_* "$s"/max_writeback_mb_bump "$s"/reserved_clusters; do
    [[ ! -f $name ]] || echo "${name##*/}=$(<"$name")"
  done >"$work/out/tunables.txt"
  uname -r >"$work/out/uname.txt"
}

# write_case writes case.env as it holds here. How many groups are met one after the other
# follows from the device, which says whether it rotates.
write_case() {
  local linear; linear=$(sed -n 's/^mb_max_linear_groups=/&/p' "$work/out/tunables.txt")
  [[ $TUNABLES != *mb_max_linear_groups=* ]] || linear=""
  local kv; for kv in "SIZE=$SIZE" "MKFS=$MKFS" "MOUNT=$MOUNT" "SMP=$cpus" "MEM=$MEM" "PIDMOD=$PIDMOD" "TUNABLES=${TUNABLES:+$TUNABLES }$linear"; do
    echo "${kv%%=*}=$(q "${kv#*=}")"
  done >"$out/case.env"
}

(cd "$here/guest" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false go build -o "$work/guest" .)
awk -v n="$online" '$1 == "cpu" && $2 >= n { $2 %= n } 1' "$case/ops" >"$out/ops"
cmp -s "$case/ops" "$out/ops" || say "the script names more CPUs than the $online that are here: others take their place"
make_disk
export -f mount_it; export loop dev work MOUNT TUNABLES
mount_it || refuse "this kernel cannot mount the case's file system (dmesg may say why)"
stop_writeback
start_trace || true
perform
read_trace
read_proc
umount "$work/mnt"; losetup -d "$loop"; : >"$work/loop"
write_case
dumpe2fs "$work/disk" 2>/dev/null | gzip -9n >"$out/host/after.dumpe2fs.gz"
e2fsck -fn "$work/disk" >"$work/out/e2fsck.txt" 2>&1 || say "e2fsck finds something: see $out/host/e2fsck.txt"
cp "$work"/out/* "$out/host/"
