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
// contradicts itself, or that lacks the groups (dumpe2fs -h); see Dump for those.
//
// The text may have come a long way: through a mail program that quotes it, a web page
// that indents or fences it, a machine with other line ends, in another language
// (dumptext.go). What stands before and behind it is left out.
//
// The text does not say where files lie. Those that mke2fs makes are where
// mke2fs puts them, if the bitmaps agree; other files are blocks in use without
// a name. Layout.Notes says what could not be told.
//
// It is read line by line: what is endless, compressed or not, is refused once a line
// is longer than a group can make it, or many lines tell nothing.
func ReadDumpe2fs(r io.Reader, name string) (*Layout, error) {
	return (&Dump{}).Read(r, name)
}

// Dump is how to read the text of dumpe2fs where it may lack the groups.
type Dump struct {
	// Headers accepts a text without groups: that of dumpe2fs -h or tune2fs -l.
	Headers bool
	// Empty leaves such a file system as mke2fs makes it, whatever its free counts say.
	Empty bool
	// Free, if not nil, says into what pieces its free space is cut.
	Free *FreeExtents
	// Seed decides where these pieces lie.
	Seed uint64
}

// Read is ReadDumpe2fs for such texts.
func (o *Dump) Read(r io.Reader, name string) (*Layout, error) {
	text, err := input.Gunzip(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d := &dumpReader{name: name, lines: input.NewLines(utf16Text(text), name, maxDumpLine), sb: &Superblock{}}
	// The text is read and checked line by line, so that an error has a line.
	if err := d.read(); err != nil {
		return nil, d.at(err)
	}
	if d.headOnly {
		return d.withoutGroups(o)
	}
	if o.Free != nil {
		return nil, fmt.Errorf("%s: the text has groups, which say where free space is: free_extents is for that of dumpe2fs -h or tune2fs -l", name)
	}
	if err := d.check(); err != nil {
		return nil, d.at(err)
	}
	// What follows is not in the text: where mke2fs puts its files.
	l := &Layout{Super: *d.sb, src: &d.state}
	l.Notes = append(d.state.guessFiles(), d.notes...)
	l.Notes = append(l.Notes, d.sb.stateNotes(d.live)...)
	l.Reserved = d.state.files
	return l, nil
}

// stateNotes are what the superblock itself makes one doubt. live says that the file system
// was mounted with a journal when it was looked at.
func (s *Superblock) stateNotes(live bool) (notes []string) {
	if live {
		notes = append(notes, "the file system was mounted when the text was taken: its journal may hold changes the text does not show")
	} else if s.State != "" && s.State != "clean" {
		notes = append(notes, "the file system's state is "+s.State+": it was mounted when it was looked at, or not unmounted")
	}
	if s.Compat&HasJournal != 0 && s.JournalInode == 0 {
		notes = append(notes, "its journal is on another device, which is not looked at")
	}
	return notes
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
	headOnly   bool // there are no groups
	foreign    bool // the groups are in another language than English
	notes      []string
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
	case d.foreign:
		err = fmt.Errorf("%w (the text is in another language: print it with LC_ALL=C dumpe2fs)", err)
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
	if d.headOnly {
		return nil
	}
	for id := range uint64(d.sb.Groups()) {
		if err := d.group(allocator.GroupID(id)); err != nil {
			return err
		}
	}
	// What stands behind the last group is left out, such as the end of a quotation or the
	// shell's prompt; but not more of the same kind, which would contradict.
	for d.next() {
		switch {
		case groupHeadText.MatchString(d.line):
			return fmt.Errorf("a group behind the last one, which is group %d: %.40q", d.sb.Groups()-1, d.line)
		case strings.HasPrefix(d.line, firstKey+":"):
			return errors.New("a second file system begins: want the text of one")
		case d.line != "" && d.line != "```" && len(d.notes) == 0:
			d.notes = append(d.notes, fmt.Sprintf("what stands behind the last group, from line %d on, is left out: %.40q", d.lineNumber, d.line))
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
	d.line = plainLine(d.lines.Line())
	d.lineNumber = d.lines.Number()
	return true
}

// firstKey begins the text.
const firstKey = "Filesystem volume name"

// super reads the lines "key: value" up to the first group.
func (d *dumpReader) super() error {
	values := map[string]string{}
	seen, binary, key := false, false, ""
	for d.next() {
		// The groups begin: the line is kept for the one who reads them.
		if seen && groupHeadText.MatchString(d.line) {
			d.held = true
			break
		}
		// Before the first known key come other lines, such as dumpe2fs's own version or the
		// command. Behind it a line without a key goes on with the value before it.
		next, value, ok := strings.Cut(d.line, ":")
		seen = seen || ok && next == firstKey
		binary = binary || strings.ContainsRune(d.line, 0)
		switch {
		case !seen || d.line == "":
			continue
		case ok:
			key = next
		case key == "Filesystem features" && allFeatures(d.line):
			value = d.line
		default:
			continue // such as further users of a journal
		}
		values[key] = strings.TrimSpace(value)
		if err := d.field(key, values[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if !seen && binary {
		return errors.New("a binary file, not the text of dumpe2fs: an image is given as device.image")
	}
	if !seen {
		return fmt.Errorf("not the text of dumpe2fs: no line \"%s:\"", firstKey)
	}
	// Without these lines nothing can be computed.
	for _, key := range [...]string{"Filesystem features", "Inode count", "Block count", "Reserved block count", "Free blocks", "Free inodes",
		"First block", "Block size", "Blocks per group", "Inodes per group"} {
		if _, ok := values[key]; !ok {
			return fmt.Errorf("the line %q is missing: the text is cut short or not of dumpe2fs", key+":")
		}
	}
	// Revision 0 has fixed sizes of inodes; in others the line is needed.
	if _, ok := values["Inode size"]; !ok && d.sb.Revision > 0 {
		return fmt.Errorf("the line %q is missing: the text is cut short or not of dumpe2fs", "Inode size:")
	}
	d.headOnly = !d.held
	return d.finishSuper(values)
}

// allFeatures says whether a line is a list of features and nothing else.
func allFeatures(line string) bool {
	for _, w := range strings.Fields(line) {
		if _, ok := findFeature(w); !ok {
			return false
		}
	}
	return true
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
	// Numbers are read with as many bits as the superblock has for them; what is wrong with one is err.
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
	case "Reserved blocks uid":
		sb.ReservedUID, err = reservedID(v)
	case "Reserved blocks gid":
		sb.ReservedGID, err = reservedID(v)
	case "Overhead clusters", "Overhead blocks":
		sb.Overhead = number(64)
	case "Free blocks":
		sb.FreeBlocks = allocator.Block(number(64))
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
		n, e := parseNumber(v, bits)
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
	case "User quota inode":
		sb.QuotaInodes[0] = uint32(number(32))
	case "Group quota inode":
		sb.QuotaInodes[1] = uint32(number(32))
	case "Project quota inode":
		sb.QuotaInodes[2] = uint32(number(32))
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
