package image

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"mbsim/allocator"
	"mbsim/internal/input"
)

// ReadDumpe2fs reads the text that dumpe2fs prints of a file system, plain or
// gzip (it looks at the first bytes). name is its name in errors, which have
// the form name:line: message. It refuses text that is cut short, that
// contradicts itself, or that lacks the groups (dumpe2fs -h).
//
// The text does not say where files lie. Those that mke2fs makes are where
// mke2fs puts them, if the bitmaps agree; other files are blocks in use without
// a name. Layout.Notes says what could not be told.
//
// It is read line by line: what is endless, compressed or not, is refused once a line
// is longer than a group can make it, or many lines tell nothing.
func ReadDumpe2fs(r io.Reader, name string) (*Layout, error) {
	text, err := input.Gunzip(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d := &dumpReader{name: name, lines: input.NewLines(text, name, maxDumpLine), sb: &Superblock{}}
	// The text is read and checked line by line, so that an error has a line.
	if err := d.read(); err != nil {
		return nil, d.at(err)
	}
	if err := d.check(); err != nil {
		return nil, d.at(err)
	}
	// What follows is not in the text: where mke2fs puts its files.
	l := &Layout{Super: *d.sb, src: &d.state}
	l.Notes = d.state.guessFiles()
	if d.live {
		l.Notes = append(l.Notes, "the file system was mounted when the text was taken: its journal may hold changes the text does not show")
	}
	l.Reserved = d.state.files
	return l, nil
}

const (
	// maxDumpLine is more than the longest line: the free blocks of a group of 2^19
	// blocks, every other one of which is free.
	maxDumpLine = 8 << 20
	// maxIdle is more than the lines in a row that need not tell anything: dumpe2fs
	// prints fewer than a hundred before the first group.
	maxIdle = 10000
)

// dumpReader reads the text line by line.
type dumpReader struct {
	name       string
	lines      *input.Lines
	line       string
	lineNumber int
	lastUseful int  // the last line that gave a value or a part of a group
	idle       bool // maxIdle lines in a row were of no use: the reading ended
	held       bool // line is to be read again
	live       bool // needs_recovery: the totals of the superblock may be old
	sb         *Superblock
	state      readState
}

// at gives an error its place. What ended the reading comes before what is missing then.
func (d *dumpReader) at(err error) error {
	var long *input.LongLine
	switch end := d.lines.Err(); {
	case errors.As(end, &long):
		return long
	case end != nil:
		return fmt.Errorf("%s: %w", d.name, end)
	case d.idle:
		err = fmt.Errorf("%d lines that tell nothing: not the text of dumpe2fs", maxIdle)
	}
	return fmt.Errorf("%s:%d: %w", d.name, max(1, d.lineNumber), err)
}

// read reads the superblock and all groups.
func (d *dumpReader) read() error {
	// The superblock says how many groups follow.
	if err := d.super(); err != nil {
		return err
	}
	d.lastUseful = d.lineNumber
	d.state = readState{sb: d.sb}
	for id := range uint64(d.sb.Groups()) {
		if err := d.group(allocator.GroupID(id)); err != nil {
			return err
		}
	}
	// Behind the last group, only empty lines.
	for d.next() {
		if strings.TrimSpace(d.line) != "" {
			return fmt.Errorf("unexpected text after the last group: %.40q", d.line)
		}
	}
	if d.idle || d.lines.Err() != nil {
		return errors.New("the text does not end")
	}
	return nil
}

// next reads the next line; at the end it reports false.
func (d *dumpReader) next() bool {
	if d.held {
		d.held = false
		return true
	}
	d.idle = d.lineNumber-d.lastUseful == maxIdle
	if d.idle || !d.lines.Next() {
		return false
	}
	d.line = string(d.lines.Line())
	d.lineNumber = d.lines.Number()
	return true
}

// super reads the lines "key: value" up to the first group.
func (d *dumpReader) super() error {
	values := map[string]string{}
	seen := false
	for d.next() {
		// The groups begin: the line is kept for the one who reads them.
		if strings.HasPrefix(d.line, "Group 0:") {
			d.held = true
			break
		}
		key, value, ok := strings.Cut(d.line, ":")
		// Before the first known key come the lines of dumpe2fs itself, such as its version.
		if !ok {
			if strings.TrimSpace(d.line) == "" || !seen { // dumpe2fs's own first line, an empty line
				continue
			}
			return fmt.Errorf("want a line of the form key: value, have %.40q", d.line)
		}
		seen = seen || key == "Filesystem volume name"
		if seen {
			values[key] = strings.TrimSpace(value)
			if err := d.field(key, values[key]); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	if !seen {
		return fmt.Errorf("not the text of dumpe2fs: no line \"Filesystem volume name:\"")
	}
	// Without these lines nothing can be computed.
	for _, key := range [...]string{"Filesystem features", "Inode count", "Block count", "Reserved block count", "Free blocks", "Free inodes",
		"First block", "Block size", "Blocks per group", "Inodes per group"} {
		if _, ok := values[key]; !ok {
			return fmt.Errorf("the line %q is missing: the text is cut short or not of dumpe2fs", key+":")
		}
	}
	if !d.held {
		return fmt.Errorf("no groups: want the whole text, not that of dumpe2fs -h")
	}
	return d.finishSuper(values)
}

// finishSuper fills in what follows from several lines.
func (d *dumpReader) finishSuper(values map[string]string) error {
	sb := d.sb
	if sb.InodeSize == 0 { // revision 0 has neither line
		sb.InodeSize, sb.FirstInode = 128, 11
	}
	// Older versions, and file systems without bigalloc, do not print all lines: what they
	// leave out has the default of the format.
	if sb.ClustersPerGroup == 0 {
		sb.ClustersPerGroup = sb.BlocksPerGroup
	}
	if sb.Incompat&Is64Bit == 0 || sb.DescSize == 0 {
		sb.DescSize = 32
	}
	// Units: the text has bytes, the superblock log2 of the blocks of a cluster.
	if v, ok := values["Cluster size"]; ok && sb.ROCompat&Bigalloc != 0 {
		n, err := strconv.ParseUint(v, 10, 40)
		if err != nil || n == 0 || n&(n-1) != 0 || n < uint64(sb.BlockSize()) {
			return fmt.Errorf("bad Cluster size: %q", v)
		}
		sb.ClusterBits = uint8(bits.TrailingZeros64(n)) - sb.BlockBits
	}
	if sb.JournalInode != 0 && sb.JournalBlocks == 0 { // older versions give the size only
		if v, ok := values["Journal size"]; ok {
			n := parseNumBlocks(v, -1)
			sb.JournalBlocks = uint32(min(n>>sb.BlockBits, 1<<31))
		}
	}
	return sb.check()
}

// field takes over one line of the superblock. Lines it does not know are left.
func (d *dumpReader) field(key, v string) (err error) {
	sb := d.sb
	number := numberOf(v, &err)
	switch key {
	case "Filesystem volume name":
		if v != "<none>" {
			sb.Label = v
		}
	case "Filesystem UUID":
		sb.UUID, err = dumpUUID(v)
	case "Directory Hash Seed":
		sb.HashSeed, err = dumpUUID(v)
	case "Filesystem magic number":
		if v != "0xEF53" {
			err = fmt.Errorf("want 0xEF53, have %.40q", v)
		}
	case "Filesystem revision #":
		v, _, _ = strings.Cut(v, " ")
		if v != "0" && v != "1" {
			err = fmt.Errorf("unknown revision %.40q", v)
		} else {
			sb.Revision = uint32(v[0] - '0')
		}
	case "Filesystem features":
		err = d.features(v)
	case "Filesystem flags":
		for _, w := range strings.Fields(v) {
			sb.Flags |= map[string]uint32{"signed_directory_hash": FlagSignedHash, "unsigned_directory_hash": FlagUnsignedHash}[w]
		}
	case "Default mount options":
		sb.DefaultMountOpts = parseDefaultOpts(v)
	case "Mount options":
		sb.MountOpts = v
	case "Filesystem state":
		sb.State = v
	case "Errors behavior":
		sb.Errors = v
	case "Inode count":
		sb.Inodes = uint32(number(32))
	case "Block count":
		sb.Blocks = allocator.Block(number(48))
	case "Reserved block count":
		sb.ReservedBlocks = allocator.Block(number(48))
	case "Overhead clusters", "Overhead blocks":
		sb.Overhead = number(64)
	case "Free blocks":
		sb.FreeBlocks = allocator.Block(number(48))
	case "Default directory hash":
		sb.HashVersion, err = parseHash(v)
	default:
		err = d.layoutField(key, v)
	}
	return err
}

// numberOf returns a reader of v as a number of so many bits that sets err.
func numberOf(v string, err *error) func(bits int) uint64 {
	return func(bits int) uint64 {
		n, e := strconv.ParseUint(v, 10, bits)
		if e != nil {
			*err = fmt.Errorf("want a number, have %.40q", v)
		}
		return n
	}
}

// layoutField takes over a line on sizes and places.
func (d *dumpReader) layoutField(key, v string) (err error) {
	sb := d.sb
	number := numberOf(v, &err)
	power := func(bits int) uint8 {
		n := number(bits)
		if err == nil && (n == 0 || n&(n-1) != 0) {
			err = fmt.Errorf("want a power of two, have %.40q", v)
		}
		return log2(n)
	}
	switch key {
	case "Free inodes":
		sb.FreeInodes = uint32(number(32))
	case "First block":
		sb.FirstDataBlock = allocator.Block(number(32))
	case "Block size":
		sb.BlockBits = power(32)
	case "Group descriptor size":
		sb.DescSize = uint16(number(16))
	case "Reserved GDT blocks":
		sb.ReservedGDT = uint16(number(16))
	case "Blocks per group":
		sb.BlocksPerGroup = uint32(number(32))
	case "Clusters per group", "Fragments per group":
		sb.ClustersPerGroup = uint32(number(32))
	case "Inodes per group":
		sb.InodesPerGroup = uint32(number(32))
	case "RAID stride":
		sb.RaidStride = uint16(number(16))
	case "RAID stripe width":
		sb.RaidStripeWidth = uint32(number(32))
	case "First meta block group":
		sb.FirstMetaBG = uint32(number(32))
	case "Flex block group size":
		sb.LogGroupsPerFlex = power(32)
	case "First inode":
		sb.FirstInode = uint32(number(32))
	case "Inode size":
		sb.InodeSize = uint16(number(16))
	case "Required extra isize":
		sb.MinExtraIsize = uint16(number(16))
	case "Desired extra isize":
		sb.WantExtraIsize = uint16(number(16))
	case "Journal inode":
		sb.JournalInode = uint32(number(32))
	case "Orphan file inode":
		sb.OrphanInode = uint32(number(32))
	case "Total journal blocks":
		sb.JournalBlocks = uint32(number(32))
	case "Backup block groups":
		ws := strings.Fields(v)
		for i := range ws[:min(2, len(ws))] { // one number stands second, as mke2fs sorts them
			n, e := strconv.ParseUint(ws[i], 10, 32)
			if e != nil {
				return fmt.Errorf("want group numbers, have %.40q", v)
			}
			sb.BackupGroups[2-min(2, len(ws))+i] = uint32(n)
		}
	}
	return err
}

func log2(n uint64) uint8 {
	if n == 0 {
		return 0
	}
	return uint8(bits.Len64(n) - 1)
}

func dumpUUID(v string) (UUID, error) {
	if v == "<none>" {
		return UUID{}, nil
	}
	u, err := uuidArg("", v)
	if err != nil {
		return u, fmt.Errorf("want a UUID, have %.40q", v)
	}
	return u, nil
}

func (d *dumpReader) features(v string) error {
	for _, w := range strings.Fields(v) {
		if w == "(none)" {
			continue
		}
		n, ok := findFeature(w)
		if !ok {
			return fmt.Errorf("unknown feature %.40q", w)
		}
		d.sb.setBit(n, true)
	}
	if d.sb.Incompat&NeedsRecover != 0 { // the file system was mounted
		d.sb.Incompat &^= NeedsRecover
		d.live = true
	}
	return nil
}

var hashNames = map[string]HashVersion{"legacy": HashLegacy, "half_md4": HashHalfMD4, "tea": HashTea, "siphash": HashSip}

func parseHash(v string) (HashVersion, error) {
	h, ok := hashNames[v]
	if !ok {
		return 0, fmt.Errorf("unknown hash %.40q", v)
	}
	return h, nil
}

// parseDefaultOpts reads the names of default mount options.
func parseDefaultOpts(v string) (opts uint32) {
	for _, w := range strings.Fields(v) {
		opts |= map[string]uint32{
			"debug": DefmDebug, "bsdgroups": DefmBSDGroups, "user_xattr": DefmXattrUser, "acl": DefmACL, "uid16": DefmUID16,
			"journal_data": DefmJournalData, "journal_data_ordered": DefmJournalOrder, "journal_data_writeback": DefmJournalWB,
			"nobarrier": DefmNoBarrier, "block_validity": DefmBlockValid, "discard": DefmDiscard, "nodelalloc": DefmNoDelalloc,
		}[w]
	}
	return opts
}
