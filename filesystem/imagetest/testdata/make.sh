#!/bin/bash
# Makes the images of this folder with mke2fs, debugfs and e2fsck: small file systems of
# many layouts, each with the same few files: sparse ones, whose trees have several
# levels, directories of one and of several blocks, symbolic links, a file with
# attributes in a block of their own. Directories with dir_index are hashed.
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export E2FSPROGS_FAKE_TIME=1700000000 MKE2FS_DETERMINISTIC=1
printf x >"$work/one"
head -c 3000 /dev/zero | tr '\0' a >"$work/three"
truncate -s 3M "$work/sparse"
for i in $(seq 0 59); do printf x | dd of="$work/sparse" bs=1 seek=$((i * 50000)) conv=notrunc status=none; done
head -c 300 /dev/zero | tr '\0' v >"$work/value"

commands() { # NAMES
	echo "mkdir d"; echo "mkdir d/e"; echo "mkdir d/e/f"; echo "mkdir many"
	echo "write $work/one d/one"; echo "write $work/three d/e/three"; echo "write $work/sparse sparse"; echo "write $work/one d/attrs"
	for i in $(seq "$1"); do echo "write $work/one many/a-name-of-some-length-that-fills-blocks-$i"; done
	echo "symlink d/short one"; echo "symlink d/long $(printf 'long/%.0s' $(seq 20))"
	echo "rm many/a-name-of-some-length-that-fills-blocks-2"
	echo "ln d/one d/two"; echo "sif d/one links_count 2"
	echo "ea_set -f $work/value d/attrs user.large"
}

make() { # NAME SIZE NAMES MKE2FS-ARGUMENTS...
	name=$1 size=$2 names=$3
	shift 3
	rm -f "$work/img"
	mke2fs -q -F -E root_owner=0:0,hash_seed=00000001-0002-0003-0004-000000000005,lazy_itable_init=1 -U 00000001-0002-0003-0004-000000000005 "$@" "$work/img" "$size" >/dev/null
	commands "$names" >"$work/commands"
	debugfs -w -f "$work/commands" "$work/img" >/dev/null 2>&1
	e2fsck -fyD "$work/img" >"$work/fsck" || true
	e2fsck -fn "$work/img" >"$work/fsck" 2>&1 || { cat "$work/fsck"; exit 1; }
	gzip -9nc "$work/img" >"$name.img.gz"
}

make ext4-1k 2M 60 -t ext4 -b 1024 -N 128 -O ^has_journal
make ext4-2k-uninit 4M 80 -t ext4 -b 2048 -N 128 -O ^has_journal,^metadata_csum,uninit_bg
make ext4-4k-journal 12M 120 -t ext4 -b 4096 -N 160 -J size=4
make ext4-8k 8M 10 -t ext4 -b 8192 -N 64 -O ^has_journal
make ext4-bigalloc 4M 40 -t ext4 -b 1024 -C 4096 -N 64 -O bigalloc,^has_journal
make ext4-metabg 3M 40 -t ext4 -b 1024 -N 128 -g 256 -O meta_bg,^resize_inode,^has_journal
make ext4-flex 3M 40 -t ext4 -b 1024 -N 128 -g 512 -G 4 -O ^has_journal,^64bit
make ext4-noextents 2M 60 -t ext4 -b 1024 -N 128 -O ^extent,^64bit,^has_journal,^metadata_csum
make ext4-noextents-8k 8M 10 -t ext4 -b 8192 -N 64 -O ^extent,^64bit,^has_journal,^huge_file
make ext4-inline 2M 20 -t ext4 -b 1024 -I 256 -N 128 -O inline_data,^has_journal
make ext3-1k 3M 40 -t ext3 -b 1024 -N 128 -J size=1
make ext2-1k 2M 60 -t ext2 -b 1024 -N 128
make ext2-4k 4M 120 -t ext2 -b 4096 -N 128
make ext2-groups 3M 40 -t ext2 -b 1024 -N 128 -g 256
make ext2-metabg 3M 40 -t ext2 -b 1024 -N 128 -g 256 -O meta_bg,^resize_inode
make ext2-rev0 2M 30 -t ext2 -b 1024 -N 128 -r 0
