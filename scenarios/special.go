package scenarios

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/allocator/mballoc"
	"mbsim/workload"
)

// mountType is mount options: a text, or a list of texts. The Go value is one
// string, separated by commas.
type mountType struct{}

func (mountType) describe() string {
	return `mount options, such as "nodelalloc,commit=30" or a list of them`
}

func (t mountType) decode(d *decoder, n *yaml.Node, p any) error {
	var all []string
	switch {
	case n.Kind == yaml.SequenceNode:
		for _, c := range n.Content {
			if c.Kind != yaml.ScalarNode || isNull(c) || strings.Contains(c.Value, ",") {
				return d.wrong(c, "a mount option")
			}
			all = append(all, c.Value)
		}
	case n.Kind == yaml.ScalarNode && !isNull(n):
		all = strings.Split(n.Value, ",")
	default:
		return d.wrong(n, t.describe())
	}
	kept := all[:0]
	for _, o := range all {
		if o = strings.TrimSpace(o); o != "" {
			kept = append(kept, o)
		}
	}
	*p.(*string) = strings.Join(kept, ",")
	return nil
}

func (mountType) encode(p any) *yaml.Node { return text{}.encode(p) }

// inodeGoal is the tunable that the file system has, not the allocator.
var inodeGoal = mballoc.Tunable{Field: "s_inode_goal", Sysfs: "inode_goal", Unit: "inode", Default: "0",
	Doc: "The inode that new files take if it is free; 0 leaves the choice to the parent directory."}

// Tunables describes everything that a scenario's tunables may set.
func Tunables() []mballoc.Tunable {
	all := append([]mballoc.Tunable(nil), mballoc.List()...)
	return append(all, inodeGoal)
}

// findTunable is the tunable with this field or file name.
func findTunable(name string) (mballoc.Tunable, bool) {
	for _, t := range Tunables() {
		if t.Field == name || t.Sysfs == name {
			return t, true
		}
	}
	return mballoc.Tunable{}, false
}

// tunableNames are the names that tunables have: fields first.
func tunableNames() (names []string) {
	for _, t := range Tunables() {
		names = append(names, t.Field)
	}
	for _, t := range Tunables() {
		names = append(names, t.Sysfs)
	}
	return names
}

// tunablesType is a mapping of tunables to values. The Go value is in the order
// of Tunables, whatever the file's.
type tunablesType struct{}

func (tunablesType) describe() string { return "a mapping of tunables to values" }

func (t tunablesType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.MappingNode {
		return d.wrong(n, t.describe())
	}
	values := make(map[string]uint32)
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		u, ok := findTunable(k.Value)
		if !ok {
			return d.errorf(k, "%s", unknown("tunable", k.Value, tunableNames()))
		}
		if _, twice := values[u.Field]; twice {
			return d.errorf(k, "%s is given twice: %s and %s are the same", k.Value, u.Field, u.Sysfs)
		}
		var v uint32
		d.key = k.Value
		if err := (whole{max: math.MaxUint32}).decode(d, n.Content[i+1], &v); err != nil {
			return err
		}
		values[u.Field] = v
	}
	var list []Tunable
	for _, u := range Tunables() {
		if v, ok := values[u.Field]; ok {
			list = append(list, Tunable{u.Field, u.Sysfs, v})
		}
	}
	*p.(*[]Tunable) = list
	return nil
}

func (tunablesType) encode(p any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, t := range *p.(*[]Tunable) {
		n.Content = append(n.Content, scalar("!!str", t.Field), scalar("!!int", strconv.FormatUint(uint64(t.Value), 10)))
	}
	if len(n.Content) == 0 {
		return nil
	}
	return n
}

// pathType is a file that must exist.
type pathType struct{}

func (pathType) describe() string { return "the path of a file" }

func (t pathType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Value == "" {
		return d.wrong(n, t.describe())
	}
	st, err := os.Stat(resolve(d.dir, n.Value))
	var pe *os.PathError
	switch {
	case errors.As(err, &pe):
		return d.valueErrorf(n, "%s: %v", pe.Path, pe.Err)
	case err != nil:
		return d.valueErrorf(n, "%v", err)
	case st.IsDir():
		return d.valueErrorf(n, "%s is a directory: want a file", n.Value)
	}
	*p.(*string) = n.Value
	return nil
}

func (pathType) encode(p any) *yaml.Node { return text{}.encode(p) }

// resolve leads from a path as written in a scenario in dir to the file.
func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// scriptType is a script: the path of a file or, if it has several lines, the
// text.
type scriptType struct{}

func (scriptType) describe() string {
	return "the path of a script, or its text (of several lines, after |)"
}

func (t scriptType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Value == "" {
		return d.wrong(n, t.describe())
	}
	s := &Script{Text: n.Value}
	var err error
	if strings.Contains(n.Value, "\n") {
		if s.Ops, err = workload.ParseScript(strings.NewReader(s.Text), d.file); err != nil {
			return d.scriptError(n, err)
		}
	} else {
		var file string
		if err := (pathType{}).decode(d, n, &file); err != nil {
			return err
		}
		raw, err := os.ReadFile(resolve(d.dir, file))
		if err != nil {
			return d.errorf(n, "%v", err)
		}
		s.File, s.Text = file, string(raw)
		if s.Ops, err = workload.ParseScript(strings.NewReader(s.Text), resolve(d.dir, file)); err != nil {
			return &Error{File: d.file, Message: oneLine(err.Error()), plain: true}
		}
	}
	if len(s.Ops) == 0 {
		return d.valueErrorf(n, "no operation")
	}
	*p.(**Script) = s
	return nil
}

var placeInText = regexp.MustCompile(`:(\d+):(\d+): (.*)$`)

// scriptError finds the place of an error in a script that stands in the
// scenario.
func (d *decoder) scriptError(n *yaml.Node, err error) error {
	m := placeInText.FindStringSubmatch(err.Error())
	if m == nil {
		return d.errorf(n, "%v", err)
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	lines := strings.Split(string(d.text), "\n")
	if n.Style&yaml.LiteralStyle == 0 || d.origin[n] != "" || n.Line+line > len(lines) {
		return d.errorf(n, "line %d, column %d of the script: %s", line, column, m[3])
	}
	// The text begins in the line after the |, each line with the same indent.
	for _, l := range lines[n.Line:] {
		if body := strings.TrimLeft(l, " "); body != "" {
			column += len(l) - len(body)
			break
		}
	}
	return &Error{File: d.file, Line: n.Line + line, Column: column, Message: oneLine(m[3])}
}

func (scriptType) encode(p any) *yaml.Node {
	s := *p.(**Script)
	switch {
	case s == nil:
		return nil
	case s.File != "":
		return scalar("!!str", s.File)
	}
	return textNode(s.Text)
}

// binType is a bin of a histogram: [value, weight].
type binType struct{ value typ }

func (binType) describe() string { return "a bin: [value, weight]" }

func (t binType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		return d.wrong(n, t.describe())
	}
	b := p.(*workload.Bin)
	if err := t.value.decode(d, n.Content[0], &b.Value); err != nil {
		return err
	}
	return number{min: 0, max: 1e15}.decode(d, n.Content[1], &b.Weight)
}

func (t binType) encode(p any) *yaml.Node {
	b := p.(*workload.Bin)
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle,
		Content: []*yaml.Node{t.value.encode(&b.Value), number{}.encode(&b.Weight)}}
}

// expectType is an expectation: a mapping, or a text "[STAT] METRIC OP VALUE".
type expectType struct{}

func (expectType) describe() string {
	return `an expectation, such as "extents_per_file_mean <= 1.2" or a mapping`
}

func (t expectType) decode(d *decoder, n *yaml.Node, p any) error {
	o := expectKeys()
	if err := o.defaults(d, p); err != nil {
		return err
	}
	if n.Kind != yaml.ScalarNode {
		return o.decode(d, n, p)
	}
	words := strings.Fields(n.Value)
	keys := []string{"stat", "metric", "op", "value"}
	if len(words) == 3 {
		keys = keys[1:]
	}
	if len(words) != len(keys) {
		return d.wrong(n, t.describe())
	}
	long := &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column}
	for i, key := range keys {
		for _, v := range []string{key, words[i]} {
			c := &yaml.Node{Kind: yaml.ScalarNode, Value: v, Line: n.Line, Column: n.Column}
			if set := d.origin[n]; set != "" {
				d.origin[c] = set
			}
			long.Content = append(long.Content, c)
		}
	}
	return o.decode(d, long, p)
}

func (expectType) encode(p any) *yaml.Node { return expectKeys().encode(p) }

// checkMkfs refuses options together with what they replace.
func checkMkfs(d *decoder, n *yaml.Node, p any) error {
	m := p.(*Mkfs)
	if m.JournalSize%(1<<20) != 0 {
		return d.errorf(keyNode(n, "journal_size"), "journal_size: want whole MiB, found %s", formatSize(m.JournalSize))
	}
	if m.Options == "" {
		return nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		if k := n.Content[i]; k.Value != "options" && k.Value != "size" && k.Value != "type" {
			return d.errorf(k, "%s and options are both given: write it into options", k.Value)
		}
	}
	if strings.ContainsAny(m.Options, "\"'\\") {
		return d.errorf(keyNode(n, "options"), "options: quotes are not understood here: write the arguments with spaces between them")
	}
	return nil
}

// args are the arguments of mke2fs that say the same.
func (m *Mkfs) args(fsType string) []string {
	if m.Type != "" {
		fsType = m.Type
	}
	args := []string{"-t", fsType}
	if m.Options != "" {
		return append(args, strings.Fields(m.Options)...)
	}
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
	if m.JournalSize > 0 {
		args = append(args, "-J", fmt.Sprint("size=", m.JournalSize>>20))
	}
	return args
}
