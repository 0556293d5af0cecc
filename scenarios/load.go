package scenarios

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/internal/input"
)

//go:embed *.yaml
var builtIn embed.FS

// Options say what else goes into a scenario.
type Options struct {
	// Sets are the key=value of each --set, applied in order.
	Sets []string
	// Metrics are the names that expect may use; nil for any.
	Metrics []string
}

// Info is a scenario that comes with mbsim.
type Info struct{ Name, Question string }

// List is the scenarios that come with mbsim, by name.
func List() []Info {
	var list []Info
	entries, _ := fs.ReadDir(builtIn, ".") // sorted by name; cannot fail on an embedded folder
	for _, e := range entries {
		raw, _ := builtIn.ReadFile(e.Name())
		list = append(list, Info{strings.TrimSuffix(e.Name(), ".yaml"), firstComment(raw)})
	}
	return list
}

// Source is the text of a scenario that comes with mbsim.
func Source(name string) ([]byte, bool) {
	raw, err := builtIn.ReadFile(strings.TrimSuffix(filepath.Base(name), ".yaml") + ".yaml")
	return raw, err == nil
}

// regular says whether there is a file of a name.
func regular(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// Load reads a scenario from a file, or the one that a folder holds as scenario.yaml. If there is no such file, and a scenario of
// that name comes with mbsim (small-files, scenarios/small-files.yaml), it reads
// that one. A mistake of the user is an *Error.
func Load(name string, opt Options) (*Scenario, error) {
	raw, err := input.ReadFile(name, "a scenario", input.MaxScenario)
	// A file comes before a scenario of the same name that is built in; a folder does not.
	info, statErr := os.Stat(name)
	// A case that mbsim import has made holds the scenario that performs it.
	if statErr == nil && info.IsDir() {
		if inside := filepath.Join(name, "scenario.yaml"); regular(inside) {
			return Load(inside, opt)
		}
	}
	if errors.Is(err, fs.ErrNotExist) || statErr == nil && info.IsDir() {
		dir := filepath.Dir(name)
		if text, ok := Source(name); ok && (dir == "." || filepath.Base(dir) == "scenarios") {
			return Parse(text, name, opt)
		}
		var names []string
		for _, i := range List() {
			names = append(names, i.Name)
		}
		if statErr == nil {
			return nil, &Error{File: name, Message: "a folder, not a scenario"}
		}
		return nil, &Error{File: name, Message: "no such file, and " + unknown("scenario", strings.TrimSuffix(filepath.Base(name), ".yaml"), names)}
	}
	if err != nil {
		return nil, &Error{Message: err.Error(), plain: true}
	}
	return Parse(raw, name, opt)
}

// Parse reads a scenario from text. file is its name in errors; paths in the
// text are relative to the file's folder.
func Parse(text []byte, file string, opt Options) (*Scenario, error) {
	d := newDecoder(text, file, opt)
	root, err := d.parse(text)
	if err != nil {
		return nil, err
	}
	d.root = root
	keys := scenarioKeys()
	// A --set changes the document before it is decoded, so what it sets is checked like the file.
	for _, set := range opt.Sets {
		if err := d.set(keys, root, set); err != nil {
			return nil, err
		}
	}
	// Defaults first, then what the document says.
	s := &Scenario{File: file, Dir: d.dir}
	if err := keys.defaults(d, s); err != nil {
		return nil, err
	}
	if err := d.value(keys, root, s); err != nil {
		return nil, err
	}
	// What names and describes the scenario may be left to its file. It is part of Resolved, so it
	// is filled in before the digest.
	if s.Name == "" {
		s.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	if s.Question == "" {
		s.Question = firstComment(text)
	}
	if err := d.check(s); err != nil {
		return nil, err
	}
	s.digest, err = s.computeDigest()
	if err != nil {
		return nil, &Error{File: file, Message: err.Error()}
	}
	return s, nil
}

func newDecoder(text []byte, file string, opt Options) *decoder {
	return &decoder{file: file, dir: filepath.Dir(file), text: text, known: opt.Metrics,
		origin: make(map[*yaml.Node]string), where: make(map[any]*yaml.Node)}
}

// Resolved is the scenario as YAML with every default written out, without its
// sweep. Loaded from the same folder it gives the same scenario.
func (s *Scenario) Resolved() []byte {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(scenarioKeys().encode(s)); err != nil {
		panic(fmt.Sprintf("scenarios: %s cannot be written: %v", s.Name, err))
	}
	return b.Bytes()
}

// Digest is the SHA-256 of what decides the run, in hexadecimal: Resolved, and
// the files it names. Of an image that is the superblock, which tells its
// identity, its counts, and when it was last written.
func (s *Scenario) Digest() string { return s.digest }

// computeDigest computes Digest.
func (s *Scenario) computeDigest() (string, error) {
	// Writing to a hash never fails, so its errors are not looked at.
	h := sha256.New()
	h.Write(s.Resolved())
	// Resolved has the names of files only; what they hold decides the run too.
	if sc := s.Workload.Script; sc != nil && sc.File != "" {
		io.WriteString(h, "script\n"+sc.Text)
	}
	if s.Device.Dumpe2fs != "" {
		if err := hashDumpe2fs(h, s.Path(s.Device.Dumpe2fs)); err != nil {
			return "", err
		}
	}
	// The superblock, 1024 bytes at offset 1024, stands for an image: to hash a whole device would
	// take too long.
	if s.Device.Image != "" {
		if err := hashFile(h, "image\n", s.Path(s.Device.Image), 1024, 1024); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// maxDumpe2fs is the longest text of dumpe2fs that is read, in bytes, plain or packed:
// that of a petabyte in good order has 4 GB.
const maxDumpe2fs = 16 << 30

// hashDumpe2fs adds the text of dumpe2fs to h. It refuses what is no regular file, is too
// long, or does not begin as a text.
func hashDumpe2fs(h io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s: want a file for dumpe2fs, as its text is read more than once", path)
	case st.Size() > maxDumpe2fs:
		return &input.TooLong{Name: path, What: "the text of dumpe2fs", Max: maxDumpe2fs}
	}
	// A file given by mistake is refused before all of it is hashed.
	if err := input.CheckText(f, path); err != nil {
		return err
	}
	return hashFile(h, "dumpe2fs\n", path, 0, maxDumpe2fs)
}

// hashFile adds n bytes of a file to h, from off on.
func hashFile(h io.Writer, label, path string, off, n int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.WriteString(h, label); err != nil {
		return err
	}
	_, err = io.Copy(h, io.NewSectionReader(f, off, n))
	return err
}

// Path leads from a path as written in the scenario to the file.
func (s *Scenario) Path(p string) string { return resolve(s.Dir, p) }
