package image

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// MkfsCommand is a command line of mke2fs as people paste it.
type MkfsCommand struct {
	Args []string // the options, without -t
	Type string   // of -t, or of a program such as mkfs.ext3; "" where it is not given
	// Untyped says that the line names the program and no type: Type is then what mke2fs makes. Of
	// mere options the type is not known.
	Untyped bool
	Size    int64 // bytes, given behind the device; 0 for the whole device
}

// ParseMkfsCommand reads options of mke2fs, or a whole command line, such as
// "sudo mkfs.ext4 -b 1024 /dev/sdb1". What the options mean ParseMkfsArgs decides.
func ParseMkfsCommand(line string) (*MkfsCommand, error) {
	words, err := shellWords(line)
	if err != nil {
		return nil, err
	}
	c := &MkfsCommand{}
	options := c.program(words)
	whole := len(options) < len(words) // the line names the program
	words = options
	// Options and their arguments; what is left is the device, then the number of blocks.
	var others []string
	logBlock, journal := 0, false
	for i := 0; i < len(words); i++ {
		w := words[i]
		if len(w) < 2 || w[0] != '-' {
			others = append(others, w)
			continue
		}
		letter, value, takes := optionOf(w)
		own := value != "" // the argument stands in the same word
		if takes && !own {
			if i++; i == len(words) {
				return nil, fmt.Errorf("mke2fs: option -%c needs an argument", letter)
			}
			value = words[i]
		}
		flags := strings.TrimSuffix(w, value)
		journal = journal || letter == 'J' && takes || strings.ContainsRune(flags, 'j')
		switch {
		// The type is kept apart, and may then stand only once.
		case letter == 't' && takes:
			if c.Type != "" && c.Type != value {
				return nil, fmt.Errorf("mke2fs: the types %s and %s are both given", c.Type, value)
			}
			c.Type = value
			if flags = strings.TrimSuffix(strings.TrimSuffix(w, c.Type), "t"); len(flags) > 1 {
				c.Args = append(c.Args, flags)
			}
			continue
		case letter == 'b' && takes:
			if n, err := sizeArg("-b", value); err == nil && n >= 1024 {
				logBlock = log2Of(n) - 10
			}
		}
		c.Args = append(c.Args, w)
		if takes && !own {
			c.Args = append(c.Args, value)
		}
	}
	// A word in the middle of mere options is more likely a mistake than a device.
	if len(others) > 0 && !whole && !strings.Contains(others[0], "/") {
		return nil, fmt.Errorf("mke2fs: unexpected argument %q", others[0])
	}
	// Without a type, mke2fs makes ext2, or ext3 where a journal is asked for.
	if c.Untyped = whole && c.Type == ""; c.Untyped {
		c.Type = "ext2"
		if journal {
			c.Type = "ext3"
		}
	}
	return c, c.device(others, logBlock)
}

// log2Of is the logarithm of a power of two.
func log2Of(n int) int { return int(log2(uint64(n))) }

// optionOf is the last option of a word such as -qFt, its argument if that stands in the same
// word, and whether it takes one.
func optionOf(w string) (letter byte, value string, takes bool) {
	for j := 1; j < len(w); j++ {
		k := strings.IndexByte(mkfsFlags, w[j])
		if k >= 0 && w[j] != ':' && k+1 < len(mkfsFlags) && mkfsFlags[k+1] == ':' {
			return w[j], w[j+1:], true
		}
	}
	return w[len(w)-1], "", false
}

// program takes off what stands before the options: a prompt, sudo, the program, from whose
// name the type follows.
func (c *MkfsCommand) program(words []string) []string {
	for len(words) > 0 && slices.Contains([]string{"$", "#", "sudo", "time"}, words[0]) {
		words = words[1:]
	}
	if len(words) == 0 {
		return words
	}
	switch name := path.Base(words[0]); name {
	case "mke2fs", "mkfs":
		return words[1:]
	case "mkfs.ext2", "mkfs.ext3", "mkfs.ext4":
		c.Type = strings.TrimPrefix(name, "mkfs.")
		if c.Type == "ext3" { // by this name a journal is made whatever -O says
			c.Args = []string{"-j"}
		}
		return words[1:]
	}
	return words
}

// device takes over the device, which is left out, and the size behind it.
func (c *MkfsCommand) device(others []string, logBlock int) error {
	if len(others) > 2 {
		return fmt.Errorf("mke2fs: unexpected argument %q behind the device and its size", others[2])
	}
	if len(others) < 2 {
		return nil
	}
	// Blocks of the size that -b gives, or of 1024 bytes; or bytes with a suffix.
	n := parseNumBlocks(others[1], logBlock)
	if n == 0 || n > 1<<53>>(10+logBlock) {
		return fmt.Errorf("mke2fs: want a number of blocks behind the device %s, found %q", others[0], others[1])
	}
	c.Size = int64(n << (10 + logBlock))
	return nil
}

// shellWords splits a line as a shell does: at blanks, except within quotes and behind a
// backslash. A word with a blank in it is refused, since nothing that is laid out needs one.
func shellWords(line string) (words []string, err error) {
	word, begun, quote := "", false, rune(0)
	escaped := false
	for _, r := range line + " " {
		blank := r == ' ' || r == '\t' || r == '\n'
		switch {
		case escaped:
			escaped = false
			if r != '\n' { // a line that goes on
				word, begun = word+string(r), true
			}
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '"' || r == '\'':
			quote, begun = r, true
		case !blank:
			word, begun = word+string(r), true
		case begun:
			if strings.ContainsAny(word, " \t\n") {
				return nil, fmt.Errorf("the argument %q has a blank in it", word)
			}
			words, word, begun = append(words, word), "", false
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote (%c) that does not end", quote)
	}
	return words, nil
}
