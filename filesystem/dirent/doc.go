// Package dirent keeps directories as ext2 and ext4 do: which names lie in
// which block, at which place, and when a directory needs one more block. It
// holds no blocks of the device and does no I/O: the caller allocates a block
// when Add asks for one.
//
// The layout matters because growth does. A directory takes its blocks from the
// same allocator as files, one at a time and never gives one back, and where a
// name fits depends on the holes that earlier names left.
//
// # Layout
//
// A directory is a sequence of blocks, numbered from 0. A leaf block is a chain
// of slots that covers it without gaps (less 12 bytes at its end for the
// checksum, with metadata_csum). A slot holds a name or nothing, and may be
// longer than its name needs: the rest is a hole. Removing a name gives its
// slot to the one before it in the same block, or empties it if it is the first.
//
// A linear directory puts a name into the first hole that fits, searching every
// block from 0, and appends a block where none does. ext2 knows only these. With
// dir_index, ext4 turns a directory of one block that overflows into a hashed
// one: block 0 becomes the root of a tree of hash ranges, each leaf holds the
// names of one range, and a full leaf is split in two.
//
// An inline directory (inline_data) begins inside its inode, in two areas that
// are filled as leaves are, and moves to a block when they are full.
//
// # In memory
//
// A block is kept nearly as it lies on disk, so that a name, its inode and the
// length of its slot are in one cache line, and a change that moves nothing is cheap: headers
// and names in one piece of memory, which grows with what is put there. Bits, one
// for each place where a slot may begin, say where slots begin and which have room
// for a name. A table finds the place of a name by a hash of its own, which has
// nothing to do with the kernel's and decides nothing. A search returns a Cursor, which
// the change that follows it takes, so that both need one search.
//
// # Units
//
// Offsets and lengths are bytes, block numbers are logical blocks of the
// directory.
//
// # Invariants
//
// The slots of a leaf are contiguous, and its bits are those of its slots; every
// name is in exactly one slot, and in the table once, with its place; no leaf's
// largest hole exceeds the bound kept for it, and no slot before the one where
// its search begins fits, so that neither ever changes where first fit puts a
// name.
//
// # Not modelled
//
// Encryption, case folding, damaged directories, and the
// max_dir_size_kb mount option.
//
// Read next: filesystem/ext4 and filesystem/ext2, which name files through it.
package dirent
