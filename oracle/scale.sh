#!/bin/bash
# scale.sh measures what a run costs against the size of the device and the number of files: seconds,
# peak memory, and the size of the output folder, as rows of the table in docs/MODEL.md.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/mbsim" ./cmd/mbsim

# row NAME: runs $dir/NAME.yaml and prints its row.
row() {
	local t
	t=$({ /usr/bin/time -f '%e s | %M' "$dir/mbsim" run "$dir/$1.yaml" -q --check=none -o "$dir/out" >/dev/null; } 2>&1) || { echo "$t" >&2; exit 1; }
	t=$(tail -1 <<<"$t")
	printf '| %s | %s | %d MB | %s |\n' "$2" "${t% |*}" $((${t##*| } / 1024)) "$(du -sh "$dir/out" | cut -f1)"
	rm -rf "$dir/out"
}

# fresh SIZE MKFS: 1000 files on a new file system.
fresh() {
	cat >"$dir/fresh.yaml" <<-END
		device: {mkfs: {size: $1, options: "$2"}}
		workload:
		  phases:
		    - name: build
		      classes:
		        - name: builder
		          mix: {create: 100}
		          file_size: {lognormal: {median: 20K, sigma: 1.3, min: 1, max: 2M}}
		          directories: {count: 10}
		      until: {operations: 1000}
	END
	row fresh "1000 files on a fresh ${1}B ${2:+($2)}"
}

# aged SIZE MEDIAN OPERATIONS: filled to 75%, and so many operations that keep it there.
aged() {
	local sizes="file_size: {lognormal: {median: $2, sigma: 2, min: 1, max: 1G}}, directories: {count: 2000, depth: 3}"
	cat >"$dir/aged.yaml" <<-END
		device: {mkfs: {size: $1}}
		workload:
		  phases:
		    - name: fill
		      classes:
		        - {name: filler, mix: {create: 100}, $sizes}
		      until: {used: 75%}
		    - name: churn
		      classes:
		        - {name: churner, target_used: 75%, mix: {create: 40, delete: 40, append: 20}, append_size: {loguniform: {min: 1K, max: 256K}}, $sizes}
		      until: {operations: $3}
	END
	row aged "$1 filled to 75%, then $3 operations"
}

# files COUNT: so many small files.
files() {
	cat >"$dir/files.yaml" <<-END
		device: {mkfs: {size: 1T}}
		workload:
		  phases:
		    - name: build
		      classes:
		        - {name: builder, mix: {create: 100}, file_size: {lognormal: {median: 8K, sigma: 1, min: 1, max: 1M}}, directories: {count: 1000, depth: 2}}
		      until: {operations: $1}
	END
	row files "$1 small files"
}

echo '| run | time | memory | output |'
echo '|---|---|---|---|'
for size in 1T 16T 128T 1P; do fresh $size ""; done
fresh 1P "-b 65536"
fresh 1P "-O bigalloc -C 65536"
aged 100G 16K 1000000
files 1000000
