package workload

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// FormatOp is op as a line of a script, without the newline.
func FormatOp(op Op) string { return string(AppendOp(nil, op)) }

// AppendOp appends op as a line of a script, without the newline.
func AppendOp(b []byte, op Op) []byte {
	v := &verbs[op.Kind]
	b = append(b, v.name...)
	for _, a := range v.args {
		if a == argDirect && !op.Direct || a == argAppend && !op.Append || a == argGroups && op.To == "" || a == argNumber && op.N == 0 {
			continue
		}
		b = append(b, ' ')
		switch a {
		case argFD:
			b = AppendName(b, op.FD)
		case argPath:
			b = AppendName(b, op.Path)
		case argTo, argTarget, argName, argToFD:
			b = AppendName(b, op.To)
		case argOff, argTime:
			b = strconv.AppendInt(b, op.Off, 10)
		case argLen, argBlocks:
			b = strconv.AppendInt(b, op.Len, 10)
		case argMode, argUID:
			b = strconv.AppendUint(b, uint64(op.Mode), 10)
		case argCPU, argPID, argNumber:
			b = strconv.AppendInt(b, int64(op.N), 10)
		case argDirect:
			b = append(b, "direct"...)
		case argAppend:
			b = append(b, "append"...)
		case argToOff:
			b = strconv.AppendInt(b, op.ToOff, 10)
		case argGroups:
			b = append(b, op.To...)
		}
	}
	return b
}

// WriteScript writes ops as a script, one a line. It refuses what the language
// cannot say: a name that is empty or holds a zero byte.
func WriteScript(w io.Writer, ops []Op) error {
	b := bufio.NewWriter(w)
	var line []byte
	for i, op := range ops {
		if int(op.Kind) >= len(verbs) {
			return fmt.Errorf("operation %d: unknown kind %d", i+1, op.Kind)
		}
		if err := checkWords(op); err != nil {
			return fmt.Errorf("operation %d (%s): %w", i+1, op.Kind, err)
		}
		line = append(AppendOp(line[:0], op), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}

func checkWords(op Op) error {
	for _, a := range verbs[op.Kind].args {
		s := "x"
		switch a {
		case argFD:
			s = op.FD
		case argPath:
			s = op.Path
		case argTo, argTarget, argName, argToFD:
			s = op.To
		}
		if s == "" || strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("%s is %q: a script cannot name it", argNames[a], s)
		}
	}
	return nil
}
