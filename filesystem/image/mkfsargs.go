package image

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mbsim/internal/nearest"
)

// RecorderArgs is the command line of the oracle's recorders (record.sh,
// record-ext2.sh) for mke2fs: fsType ext4 or ext2, and the case's own
// arguments.
func RecorderArgs(fsType, caseArgs string) []string {
	extended := "hash_seed=6d627369-6d00-4000-8000-000000000002"
	if fsType == "ext4" {
		extended += ",lazy_itable_init=0,lazy_journal_init=0"
	}
	args := []string{"-q", "-F", "-t", fsType, "-U", "6d627369-6d00-4000-8000-000000000001", "-E", extended}
	return append(args, strings.Fields(caseArgs)...)
}

// mkfsFlags are the options of mke2fs: those with an argument end in ':'.
const mkfsFlags = "b:cC:d:De:E:Fg:G:i:I:jJ:Kl:L:m:M:nN:o:O:qr:R:s:St:T:U:vz:"

// ParseMkfsArgs reads a command line of mke2fs, without the program's name and
// the device, for a device of size bytes. What mke2fs would refuse, and what
// Mkfs does not model, is an error that names the argument.
func ParseMkfsArgs(args []string, size int64) (MkfsParams, error) {
	p := DefaultMkfsParams("", size)
	extended := ""
	for i := 0; i < len(args); i++ {
		// Flags may be joined (-qF), and the argument of an option may follow it at once (-b4096),
		// as getopt reads them.
		a := args[i]
		if len(a) < 2 || a[0] != '-' || a == "--" {
			return p, fmt.Errorf("mke2fs: unexpected argument %q (the device and its size are given elsewhere)", a)
		}
		for j := 1; j < len(a); j++ {
			k := strings.IndexByte(mkfsFlags, a[j])
			if k < 0 || a[j] == ':' {
				return p, fmt.Errorf("mke2fs: unknown option -%c in %q", a[j], a)
			}
			if k+1 == len(mkfsFlags) || mkfsFlags[k+1] != ':' {
				if err := p.flag(a[j]); err != nil {
					return p, err
				}
				continue
			}
			// An option with an argument takes the rest of the word, or the next word.
			value := a[j+1:]
			if value == "" {
				i++
				if i == len(args) {
					return p, fmt.Errorf("mke2fs: option -%c needs an argument", a[j])
				}
				value = args[i]
			}
			if a[j] == 'E' || a[j] == 'R' {
				extended = value // the last one counts, as in mke2fs
			} else if err := p.option(a[j], value); err != nil {
				return p, err
			}
			break
		}
	}
	// Without -t, mke2fs makes ext2, or ext3 where a journal is asked for.
	if p.FSType == "" {
		p.FSType = "ext2"
		if p.Journal {
			p.FSType = "ext3"
		}
	}
	return p, p.extended(extended)
}

// flag sets an option without argument.
func (p *MkfsParams) flag(c byte) error {
	switch c {
	case 'j':
		p.Journal = true
	case 'K':
		p.NoDiscard = true
	case 'S':
		return fmt.Errorf("mke2fs: -S (only superblocks and descriptors) is not modelled")
	}
	return nil // -c, -D, -F, -n, -q, -v change nothing that is laid out
}

// option sets an option with its argument.
func (p *MkfsParams) option(c byte, v string) (err error) {
	// Sizes and counts first, then names and features; what is not modelled is refused.
	switch c {
	case 'd':
		err = fmt.Errorf("mke2fs: -d (copy files into the file system) is not modelled")
	case 'l':
		err = fmt.Errorf("mke2fs: -l (a list of bad blocks) is not modelled")
	case 'b':
		p.BlockSize, err = sizeArg("-b", v)
	case 'C':
		p.ClusterSize, err = sizeArg("-C", v)
	case 'e':
		err = p.errorsBehaviour(v)
	case 'g':
		p.BlocksPerGroup, err = uintArg("-g", v)
	case 'G':
		if p.FlexSize, err = uintArg("-G", v); err == nil && p.FlexSize == 0 {
			err = fmt.Errorf("mke2fs: -G 0: want a power of two")
		}
	case 'i':
		if p.InodeRatio, err = sizeArg("-i", v); err == nil && (p.InodeRatio < 1024 || p.InodeRatio > 65536*1024) {
			err = fmt.Errorf("mke2fs: -i %s: want 1024 to 67108864", v)
		}
	case 'I':
		var n uint32
		n, err = uintArg("-I", v)
		p.InodeSize = int(min(n, 1<<20))
	case 'J':
		err = p.journalOptions(v)
	case 'L':
		p.Label = v[:min(len(v), 16)]
	case 'm':
		p.ReservedPercent, err = strconv.ParseFloat(v, 64)
		if err != nil || !(p.ReservedPercent >= 0 && p.ReservedPercent <= 50) {
			err = fmt.Errorf("mke2fs: -m %s: want a percentage of 0 to 50", v)
		}
	case 'N':
		if p.Inodes, err = strconv.ParseUint(v, 0, 64); err != nil {
			err = fmt.Errorf("mke2fs: -N %s: want a number", v)
		}
	case 'o':
		if !strings.EqualFold(v, "linux") && v != "0" {
			err = fmt.Errorf("mke2fs: -o %s: only linux is modelled", v)
		}
	case 'O':
		var scratch Features
		err = editFeatures(&scratch, v)
		p.FeatureEdits = append(p.FeatureEdits, v)
	case 'r':
		if v != "1" {
			err = fmt.Errorf("mke2fs: -r %s: only revision 1 is modelled", v)
		}
	case 's':
		if v != "0" && v != "1" {
			err = fmt.Errorf("mke2fs: -s %s: want 0 or 1", v)
		}
		p.SparseSuper = int(v[0] - '0')
	case 't':
		err = p.fileSystemType(v)
	case 'T':
		err = p.usage(v)
	case 'U':
		p.UUID, err = uuidArg("-U", v)
	}
	return err
}

// fileSystemType reads the argument of -t.
func (p *MkfsParams) fileSystemType(v string) error {
	if p.FSType != "" {
		return fmt.Errorf("mke2fs: -t may be given once")
	}
	p.FSType = v
	if v != "ext2" && v != "ext3" && v != "ext4" {
		return fmt.Errorf("mke2fs: -t %s: want ext2, ext3 or ext4", v)
	}
	return nil
}

// errorsBehaviour reads the argument of -e, what the kernel does after an error. It keeps
// the words of dumpe2fs.
func (p *MkfsParams) errorsBehaviour(v string) error {
	p.Errors = map[string]string{"continue": "Continue", "remount-ro": "Remount read-only", "panic": "Panic"}[v]
	if p.Errors == "" {
		return fmt.Errorf("mke2fs: -e %s: want continue, remount-ro or panic", v)
	}
	return nil
}

// usage reads the argument of -T.
func (p *MkfsParams) usage(v string) error {
	p.UsageTypes = strings.Split(v, ",")
	for _, u := range p.UsageTypes {
		if _, ok := confType(u); !ok && u != "default" && u != "" {
			return fmt.Errorf("mke2fs: -T %s: mke2fs.conf has no type %q", v, u)
		}
	}
	return nil
}

// journalOptions reads the argument of -J.
func (p *MkfsParams) journalOptions(v string) error {
	for _, tok := range strings.Split(v, ",") {
		key, arg, _ := strings.Cut(tok, "=")
		n, err := strconv.ParseUint(arg, 0, 31)
		switch key {
		case "size":
			p.Journal = p.Journal || n > 0
			p.JournalMB = int(n)
		case "fast_commit_size":
			p.FastCommitKB = int(n)
		case "location":
			p.JournalLocation, err = arg, nil
			if parseNumBlocks(arg, 0) == 0 && arg != "0" {
				err = strconv.ErrSyntax
			}
		case "v1_superblock", "":
			err = nil
		case "device":
			return fmt.Errorf("mke2fs: -J device: an external journal is not modelled")
		default:
			return fmt.Errorf("mke2fs: -J %s: want size=, location= or fast_commit_size=", tok)
		}
		if err != nil {
			return fmt.Errorf("mke2fs: -J %s: want a number", tok)
		}
	}
	return nil
}

// extended reads the argument of -E.
func (p *MkfsParams) extended(v string) (err error) {
	hasFlags := false // encoding_flags= is given
	for _, tok := range strings.Split(v, ",") {
		// The first error of a number is kept in err and returned behind the switch.
		key, arg, has := strings.Cut(tok, "=")
		number := func(bits int) uint64 {
			n, e := strconv.ParseUint(arg, 0, bits)
			if e != nil {
				err = fmt.Errorf("mke2fs: -E %s: want a number", tok)
			}
			return n
		}
		onOff := func() bool { return !has || number(32) != 0 }
		switch key {
		case "stride":
			p.Stride = uint32(number(16))
		case "stripe_width", "stripe-width":
			p.StripeWidth = uint32(number(32))
		case "hash_seed":
			p.HashSeed, err = uuidArg("-E hash_seed", arg)
		case "desc_size", "desc-size":
			p.DescSize = uint16(number(16))
			if p.ResizeTo != "" {
				return fmt.Errorf("mke2fs: -E %s must stand before resize=", tok)
			}
		case "num_backup_sb":
			p.NumBackupSB = uint32(number(32))
		case "packed_meta_blocks":
			p.PackedMetaBlocks = onOff()
		case "resize":
			p.ResizeTo = arg
			if parseNumBlocks(arg, 0) == 0 {
				err = fmt.Errorf("mke2fs: -E %s: want a number of blocks", tok)
			}
		case "orphan_file_size":
			p.OrphanFileSize = arg
			if parseNumBlocks(arg, 0) == 0 {
				err = fmt.Errorf("mke2fs: -E %s: want a number of blocks", tok)
			}
		case "lazy_itable_init":
			p.LazyItableInit = onOff()
		// These have no effect on where anything lies.
		case "lazy_journal_init", "assume_storage_prezeroed", "mmp_update_interval", "root_owner", "no_copy_xattrs", "test_fs", "":
		case "discard":
			p.NoDiscard = false
		case "nodiscard":
			p.NoDiscard = true
		case "encoding", "encoding_flags", "quotatype":
			err = p.namesAndQuota(key, arg)
			hasFlags = hasFlags || key == "encoding_flags"
		case "offset", "android_sparse":
			return fmt.Errorf("mke2fs: -E %s is not modelled", key)
		default:
			best, _ := nearest.Of(key, extendedKeys)
			return fmt.Errorf("mke2fs: -E %s: unknown (did you mean %q?)", tok, best)
		}
		if err != nil {
			return err
		}
	}
	if hasFlags && p.Encoding == "" {
		return fmt.Errorf("mke2fs: -E encoding_flags= needs encoding=")
	}
	return nil
}

// namesAndQuota reads the options of -E about names that fold case and about quota.
func (p *MkfsParams) namesAndQuota(key, arg string) error {
	switch {
	case key == "encoding" && arg != "utf8" && arg != "utf8-12.1":
		return fmt.Errorf("mke2fs: -E %s=%s: want utf8 or utf8-12.1", key, arg)
	case key == "encoding":
		p.Encoding = arg
	case key == "encoding_flags" && arg != "strict" && arg != "nostrict":
		return fmt.Errorf("mke2fs: -E %s=%s: want strict or nostrict", key, arg)
	case key == "quotatype":
		p.QuotaTypes = [3]bool{}
		for _, q := range strings.Split(arg, ":") {
			i := slices.Index(quotaTypes, q)
			if i < 0 {
				return fmt.Errorf("mke2fs: -E %s=%s: want %s, with colons between", key, arg, strings.Join(quotaTypes, ", "))
			}
			p.QuotaTypes[i] = true
		}
	}
	return nil
}

// quotaTypes are the kinds of quota, in the order of MkfsParams.QuotaTypes.
var quotaTypes = []string{"usrquota", "grpquota", "prjquota"}

var extendedKeys = []string{"stride", "stripe_width", "hash_seed", "desc_size", "num_backup_sb", "packed_meta_blocks", "resize",
	"orphan_file_size", "lazy_itable_init", "lazy_journal_init", "discard", "nodiscard", "assume_storage_prezeroed", "mmp_update_interval", "root_owner", "no_copy_xattrs", "encoding", "encoding_flags", "quotatype"}

// mkfsFeatures are the features mke2fs lets one choose.
var mkfsFeatures = Features{
	Compat:   HasJournal | ResizeInode | DirIndex | ExtAttr | SparseSuper2 | FastCommit | StableInodes | OrphanFile,
	Incompat: Filetype | ExtentTree | MetaBG | FlexBG | EAInode | MMP | Is64Bit | InlineData | Encrypt | Casefold | CsumSeed | LargeDir,
	ROCompat: LargeFile | HugeFile | DirNlink | ExtraIsize | SparseSuper | UninitBG | Bigalloc | MetadataCsum | Verity | Quota | Project,
}

// editFeatures applies a list of features such as "extent,^flex_bg" to f.
func editFeatures(f *Features, list string) error {
	// The list applies from left to right; ^ or - removes a feature.
	for _, w := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		if strings.EqualFold(w, "none") || strings.EqualFold(w, "clear") {
			*f = Features{}
			continue
		}
		name := strings.TrimLeft(w, "+")
		on := true
		if w[0] == '^' || w[0] == '-' {
			name, on = w[1:], false
		}
		n, ok := findFeature(strings.ToLower(name))
		if !ok {
			best, _ := nearest.Of(name, featureList())
			return fmt.Errorf("mke2fs: unknown feature %q (did you mean %q?)", name, best)
		}
		if mkfsFeatures.word(n.set)&n.bit == 0 {
			return fmt.Errorf("mke2fs: feature %q cannot be chosen", name)
		}
		f.setBit(n, on)
	}
	return nil
}

func featureList() []string {
	var l []string
	for _, n := range featureNames {
		if mkfsFeatures.word(n.set)&n.bit != 0 {
			l = append(l, n.name)
		}
	}
	return l
}

func uintArg(option, v string) (uint32, error) {
	n, err := strconv.ParseUint(v, 0, 32)
	if err != nil {
		return 0, fmt.Errorf("mke2fs: %s %s: want a number", option, v)
	}
	return uint32(n), nil
}

// sizeArg reads bytes with a suffix; it may be negative.
func sizeArg(option, v string) (int, error) {
	digits, neg := strings.CutPrefix(v, "-")
	n := parseNumBlocks(digits, -1)
	if n == 0 || n > 1<<40 {
		return 0, fmt.Errorf("mke2fs: %s %s: want a size", option, v)
	}
	if neg {
		return -int(n), nil
	}
	return int(n), nil
}

// parseNumBlocks reads a number with a suffix k, m, g, t (bytes) or s (sectors)
// as blocks of 1024<<log bytes, or as bytes where log is negative
// (parse_num_blocks2 of e2fsprogs). What it cannot read is 0.
func parseNumBlocks(v string, log int) uint64 {
	// Suffixes count KiB, the unit in which shift is 0; s counts sectors of 512 bytes.
	shift := -1
	if v != "" {
		switch v[len(v)-1] | 0x20 {
		case 't':
			shift = 30
		case 'g':
			shift = 20
		case 'm':
			shift = 10
		case 'k':
			shift = 0
		case 's':
			if n, err := strconv.ParseUint(v[:len(v)-1], 0, 54); err == nil && v[len(v)-1] == 's' {
				if log < 0 {
					return n << 9
				}
				return n >> (1 + log)
			}
			return 0
		}
	}
	if shift >= 0 {
		v = v[:len(v)-1]
	}
	n, err := strconv.ParseUint(v, 0, 63)
	if err != nil {
		return 0
	}
	// A number without suffix is blocks already.
	if shift < 0 {
		return n
	}
	if n >= 1<<(53-shift) {
		return 0
	}
	// n is KiB now: to bytes, or to blocks of 1024<<log bytes.
	n <<= shift
	if log < 0 {
		return n << 10
	}
	return n >> log
}

// uuidArg reads a UUID; those that mke2fs would draw at random are zero.
func uuidArg(option, v string) (UUID, error) {
	var u UUID
	if option == "-U" {
		switch strings.ToLower(v) {
		case "null", "clear", "time", "random":
			return u, nil
		}
	}
	digits := strings.ReplaceAll(v, "-", "")
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != 16 || len(v) != 36 || v[8] != '-' || v[13] != '-' || v[18] != '-' || v[23] != '-' {
		return u, fmt.Errorf("mke2fs: %s %s: want a UUID such as 6d627369-6d00-4000-8000-000000000001", option, v)
	}
	copy(u[:], b)
	return u, nil
}
