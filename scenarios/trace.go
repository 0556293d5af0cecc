package scenarios

import (
	"errors"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/imports"
	"mbsim/workload"
)

// Trace is a recording of real programs, or a list of files, that becomes the script of a workload
// (mbsim import).
type Trace struct {
	File, State string // as written
	Root, Cwd   string
	Format      string // "" where the first lines tell it
	Lenient     bool
}

// traceKeys is the language of workload.trace.
func traceKeys() *object {
	t := func(p any) *Trace { return p.(*Trace) }
	var formats []string
	for _, f := range imports.Formats() {
		if f.Script {
			formats = append(formats, f.Name)
		}
	}
	return &object{name: "trace", doc: "A recording of real programs, or a list of files, as mbsim import reads it.", short: "file", fields: []field{
		{key: "file", typ: pathType{}, at: func(p any) any { return &t(p).File }, required: true, doc: "The recording or list; it may be compressed."},
		{key: "format", typ: text{what: "format", allowed: formats}, at: func(p any) any { return &t(p).Format }, auto: "told by the first lines", doc: "Which program wrote it."},
		{key: "root", typ: text{what: "absolute path"}, at: func(p any) any { return &t(p).Root }, auto: "told by the file, but for strace",
			doc: "The folder whose files are meant, as the recording names it. It becomes the root of the file system."},
		{key: "cwd", typ: text{what: "absolute path"}, at: func(p any) any { return &t(p).Cwd }, auto: "told by the file", doc: "The folder where the programs were when the recording begins."},
		{key: "state", typ: pathType{}, at: func(p any) any { return &t(p).State }, auto: "none", doc: "A list of what was there before, as find -printf '%y %s %P\\n' writes it.",
			omit: func(p any) bool { return t(p).State == "" }},
		{key: "lenient", typ: boolean{}, at: func(p any) any { return &t(p).Lenient }, def: "false", doc: "Whether lines that are not of the format are passed over."},
	}}
}

// maxTrace is the longest script that a recording may become in a scenario, in bytes: it is kept, as the
// settings of a study perform it again and again.
const maxTrace = 1 << 30

// traced imports the recording that a workload names, and makes it its script.
func (d *decoder) traced(n *yaml.Node, w *Workload) error {
	t := w.Trace
	at := keyNode(n, "trace")
	for key, p := range map[string]string{"root": t.Root, "cwd": t.Cwd} {
		if p != "" && !strings.HasPrefix(p, "/") {
			return d.errorf(keyNode(at, key), "%s is %q: want an absolute path, as the recording names it", key, p)
		}
	}
	text, err := importTrace(t, resolve(d.dir, t.File), func(p string) string { return resolve(d.dir, p) })
	if err != nil {
		return d.errorf(keyNode(at, "file"), "%v", err)
	}
	ops, err := workload.ParseScript(strings.NewReader(text), t.File)
	if err != nil {
		return d.errorf(keyNode(at, "file"), "%v", err)
	}
	w.Script = &Script{File: t.File, Text: text, Ops: ops, traced: true}
	return nil
}

// importTrace is the script that a recording becomes.
func importTrace(t *Trace, file string, resolve func(string) string) (string, error) {
	log, err := imports.OpenLog(file)
	if err != nil {
		return "", err
	}
	defer log.Close()
	var format imports.Format
	if t.Format != "" {
		format, err = imports.FindFormat(t.Format)
	} else {
		format, err = imports.Recognize(log)
	}
	switch {
	case err != nil:
		return "", err
	case !format.Script:
		return "", errors.New("a recording of format " + format.Name + " becomes no script: mbsim import says what it becomes")
	case format.NeedsRoot && t.Root == "":
		return "", errors.New("a recording of format " + format.Name + " needs root: the folder whose files are meant, as the recording names it")
	}
	opt := imports.Options{Root: t.Root, Cwd: t.Cwd, Lenient: t.Lenient}
	if t.State != "" {
		opt.State = resolve(t.State)
	}
	var text limitedText
	_, err = format.Import([]*imports.Log{log}, opt, func(string) (io.Writer, error) { return &text, nil })
	return text.String(), err
}

// limitedText keeps a script, up to maxTrace.
type limitedText struct{ strings.Builder }

func (l *limitedText) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxTrace {
		return 0, errors.New("the recording becomes a script of more than 1 GB: import it, and take a part of the script")
	}
	return l.Builder.Write(p)
}
