package scenarios

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/filesystem/image"
)

// checkMkfs refuses options together with what they replace.
func checkMkfs(d *decoder, n *yaml.Node, p any) error {
	m := p.(*Mkfs)
	// mke2fs -J size= counts in MiB.
	if m.JournalSize%(1<<20) != 0 {
		return d.errorf(keyNode(n, "journal_size"), "journal_size: want whole MiB, found %s", formatSize(m.JournalSize))
	}
	if m.Options == "" {
		return nil
	}
	// options replaces the other keys. With both given it would be unclear which counts.
	for i := 0; i < len(n.Content); i += 2 {
		if k := n.Content[i]; k.Value != "options" && k.Value != "size" && k.Value != "type" {
			return d.errorf(k, "%s and options are both given: write it into options", k.Value)
		}
	}
	c, err := image.ParseMkfsCommand(m.Options)
	if err != nil {
		return d.errorf(keyNode(n, "options"), "options: %v", err)
	}
	// What the text says of type and size must not contradict the keys.
	if m.Type != "" && c.Type != "" && !c.Untyped && m.Type != c.Type {
		return d.errorf(keyNode(n, "options"), "options: it makes %s, and type is %s", c.Type, m.Type)
	}
	if c.Size != 0 && c.Size != m.Size {
		return d.errorf(keyNode(n, "options"), "options: a size of %s behind the device, and size is %s", formatSize(c.Size), formatSize(m.Size))
	}
	return nil
}

// MkfsArgs are the arguments of mke2fs that make Device.Mkfs, which must be set,
// but for the device and its size.
func (s *Scenario) MkfsArgs() []string {
	return s.Device.Mkfs.args(s.System().FileSystem)
}

// args are the arguments of mke2fs that say the same. fsType is the type of file
// system to make where m names none.
func (m *Mkfs) args(fsType string) []string {
	if m.Type != "" {
		fsType = m.Type
	}
	// What the user wrote for mke2fs is taken as it is, but for the program, its type and the
	// device. checkMkfs has read it without an error.
	if m.Options != "" {
		c, _ := image.ParseMkfsCommand(m.Options)
		if c.Type != "" && (m.Type == "" || !c.Untyped) {
			fsType = c.Type
		}
		return append([]string{"-t", fsType}, c.Args...)
	}
	args := []string{"-t", fsType}
	// A field of zero leaves the choice to mke2fs: its option is left out.
	add := func(option string, v int64) {
		if v != 0 {
			args = append(args, option, strconv.FormatInt(v, 10))
		}
	}
	add("-b", m.BlockSize)
	add("-C", m.ClusterSize)
	add("-g", m.BlocksPerGroup)
	add("-G", m.FlexGroups)
	add("-i", m.BytesPerInode)
	add("-I", m.InodeSize)
	add("-N", m.Inodes)
	// Here zero is a value, and -1 leaves the choice.
	if m.Reserved >= 0 {
		args = append(args, "-m", formatFloat(m.Reserved))
	}
	if len(m.Features) > 0 {
		args = append(args, "-O", strings.Join(m.Features, ","))
	}
	var extended []string
	if m.Stride > 0 {
		extended = append(extended, fmt.Sprint("stride=", m.Stride))
	}
	if m.StripeWidth > 0 {
		extended = append(extended, fmt.Sprint("stripe_width=", m.StripeWidth))
	}
	if len(extended) > 0 {
		args = append(args, "-E", strings.Join(extended, ","))
	}
	// From bytes to MiB.
	if m.JournalSize > 0 {
		args = append(args, "-J", fmt.Sprint("size=", m.JournalSize>>20))
	}
	return args
}
