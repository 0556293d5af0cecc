#!/usr/bin/env bash
# Lets a real kernel take over from the simulator.
#
#   takeover.sh CASE_DIR KERNEL OUT_DIR
#
# The first half of CASE_DIR's script is performed by mbsim and written as an image (mbsim image). A
# real kernel, booted by record.sh (or, with KERNEL "host", the one that runs here, by
# record-here.sh), mounts that image and performs the second half. mbsim performs both halves with a
# remount between. Every file's inode, size and extents, and the buddies of every group, must then
# be the same, and e2fsck must find nothing in the image, nor in what the kernel leaves.
#
# OUT_DIR becomes a case: ops is the whole script, first/ops and second/ops are its halves, and the
# recording is in OUT_DIR/KERNEL. What differs is told, and the exit code is 1. MBSIM names the mbsim
# to use; otherwise it is built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[[ $# = 3 && -f $1/case.env && -f $1/ops ]] || { echo "usage: takeover.sh CASE_DIR KERNEL OUT_DIR" >&2; exit 2; }
case=$(cd "$1" && pwd) kernel=$2
mkdir -p "$3"; out=$(cd "$3" && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mbsim=${MBSIM:-}
if [[ -z $mbsim ]]; then
  mbsim=$work/mbsim
  (cd "$here/.." && go build -pgo=off -o "$mbsim" ./cmd/mbsim)
fi

# The script is divided where no file is open, as near to its middle as that is possible.
mkdir -p "$out"/{first,second}
cp "$case/case.env" "$out/case.env"
if [[ $kernel = host ]]; then
  # As record-here.sh has it: all CPUs of this machine, whose loop devices do not rotate.
  possible=$(sed 's/.*[-,]//' /sys/devices/system/cpu/possible)
  sed -i '/^SMP=/d; /^TUNABLES=/d' "$out/case.env"
  # shellcheck disable=SC1091
  (TUNABLES=""; source "$case/case.env"; echo "SMP=$((possible + 1))"
   [[ $TUNABLES == *mb_max_linear_groups=* ]] || echo "TUNABLES=\"${TUNABLES:+$TUNABLES }mb_max_linear_groups=0\"") >>"$out/case.env"
fi
cpus=1000000 # CPUs that the script may name; on this machine others take the place of those it lacks
[[ $kernel != host ]] || cpus=$(nproc --all)
awk -v n="$cpus" '$1 == "cpu" && $2 >= n { $2 %= n } 1' "$case/ops" >"$work/ops"
cp "$out/case.env" "$out/first/"; cp "$out/case.env" "$out/second/"
python3 - "$work/ops" "$out" <<'PY'
import sys
lines = [l.rstrip("\n") for l in open(sys.argv[1])]
held, cpu, places = set(), None, []
for i, line in enumerate(lines):
    word = line.split()
    if word and word[0] in ("creat", "open"):
        held.add(word[1])
    elif word and word[0] == "close":
        held.discard(word[1])
    elif word and word[0] == "cpu":
        cpu = line
    if not held:
        places.append((abs(i + 1 - len(lines) / 2), i + 1, cpu))
if not places:
    sys.exit("no line of the script at which no file is open")
_, at, cpu = min(places)
second = ([cpu] if cpu else []) + lines[at:]
def write(name, ops):
    open(sys.argv[2] + "/" + name, "w").write("\n".join(ops) + "\n")
write("first/ops", lines[:at])
write("second/ops", second)
write("ops", lines[:at] + ["remount"] + second)
PY

profile=$kernel
[[ $kernel != host ]] || profile=host
"$mbsim" image "$out/first" -o "$work/disk" --force --mkfs --kernel "$profile" >/dev/null
e2fsck -fn "$work/disk" >"$out/e2fsck.image.txt" 2>&1 || { echo "e2fsck finds something in the image:" >&2; cat "$out/e2fsck.image.txt" >&2; exit 1; }
if [[ $kernel = host ]]; then
  DISK=$work/disk "$here/record-here.sh" "$out/second" "$out/recorded"
  rm -rf "$out/host"; mv "$out/recorded/host" "$out/host"; rm -rf "$out/recorded"
else
  DISK=$work/disk "$here/record.sh" "$out/second" "$kernel"
  rm -rf "${out:?}/$kernel"; mv "$out/second/$kernel" "$out/$kernel"
fi
"$mbsim" replay "$out" --mkfs --kernel "$profile" -o "$work/replayed"
fail=0
for text in files.txt mb_groups.txt; do
  if ! diff "$out/$kernel/$text" "$work/replayed/$text" >"$work/diff"; then
    echo "$text differs ($(grep -c '^[<>]' "$work/diff") lines; < the kernel, > mbsim):"; head -6 "$work/diff"; fail=1
  fi
done
# What the second half's operations returned. The line numbers differ.
half=$(wc -l <"$out/second/ops")
if ! diff <(tail -n "$half" "$out/$kernel/results.txt" | awk '{print $2}') <(tail -n "$half" "$work/replayed/results.txt" | awk '{print $2}') >"$work/diff"; then
  echo "results differ:"; head -4 "$work/diff"; fail=1
fi
[[ ! -f $out/$kernel/e2fsck.txt ]] || grep -q "files (" "$out/$kernel/e2fsck.txt" || { echo "e2fsck of what the kernel left:"; cat "$out/$kernel/e2fsck.txt"; fail=1; }
[[ $fail = 0 ]] && echo "identical: $(wc -l <"$out/$kernel/files.txt") files"
exit $fail
