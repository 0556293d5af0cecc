package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Constraint is which combinations of a sweep are wanted: comparisons of keys and
// numbers, all of which must hold.
type Constraint struct {
	Text  string
	terms []comparison
}

type comparison struct {
	left, right operand
	op          string
}

// operand is a key, or where that is "", a number.
type operand struct {
	key    string
	number float64
}

var (
	constraintToken = onUse(`^(&&|<=|>=|==|!=|<|>|[A-Za-z_][A-Za-z0-9_.-]*|[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[A-Za-z%]*)`)
	comparisons     = []string{"<", "<=", "==", "!=", ">=", ">"}
)

// ParseConstraint reads comparisons joined by &&, such as
// "s_mb_min_to_scan <= s_mb_max_to_scan && s_mb_order2_reqs > 2".
func ParseConstraint(s string) (*Constraint, error) {
	c := &Constraint{Text: strings.TrimSpace(s)}
	tokens, err := constraintTokens(s)
	if err != nil {
		return nil, err
	}
	// A comparison has three tokens, operand, operator and operand; the fourth is the && before the
	// next comparison.
	for i := 0; ; i += 4 {
		if len(tokens) < i+3 {
			return nil, fmt.Errorf("%q ends too early: want a comparison such as s_mb_order2_reqs > 2", c.Text)
		}
		left, err1 := parseOperand(tokens[i])
		right, err2 := parseOperand(tokens[i+2])
		// Of several mistakes the leftmost is reported.
		switch {
		case err1 != nil:
			return nil, err1
		case !slices.Contains(comparisons, tokens[i+1]):
			return nil, fmt.Errorf("want one of %s after %s, found %q", strings.Join(comparisons, " "), tokens[i], tokens[i+1])
		case err2 != nil:
			return nil, err2
		}
		c.terms = append(c.terms, comparison{left, right, tokens[i+1]})
		if len(tokens) == i+3 {
			return c, nil
		}
		if tokens[i+3] != "&&" {
			return nil, fmt.Errorf("want && between comparisons, found %q", tokens[i+3])
		}
	}
}

func constraintTokens(s string) (tokens []string, err error) {
	for rest := strings.TrimSpace(s); rest != ""; rest = strings.TrimSpace(rest) {
		t := constraintToken().FindString(rest)
		if t == "" {
			return nil, fmt.Errorf("cannot read %q: want comparisons of keys and numbers, joined by &&", oneLine(rest))
		}
		tokens = append(tokens, t)
		rest = rest[len(t):]
	}
	return tokens, nil
}

func parseOperand(token string) (operand, error) {
	if v, ok := Number(token); ok {
		return operand{number: v}, nil
	}
	// Operators are tokens too. Only a letter or _ begins a key.
	if c := token[0]; c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
		return operand{key: CanonicalKey(token)}, nil
	}
	return operand{}, fmt.Errorf("want a key or a number, found %q", token)
}

// Number is a value of a setting as a number: plain, a size such as 64K, or a
// percentage.
func Number(s string) (float64, bool) {
	if v, percent := strings.CutSuffix(s, "%"); percent {
		f, err := strconv.ParseFloat(v, 64)
		return f / 100, err == nil
	}
	// Unlike a size, a plain number may have a sign and an exponent.
	if numberText().MatchString(s) {
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil
	}
	if v, ok := parseSize(s); ok {
		f, _ := v.Float64() // the flag says whether that is exact, which it need not be
		return f, true
	}
	return 0, false
}

// Keys are the keys that are compared.
func (c *Constraint) Keys() (keys []string) {
	for _, t := range c.terms {
		for _, o := range []operand{t.left, t.right} {
			if o.key != "" && !slices.Contains(keys, o.key) {
				keys = append(keys, o.key)
			}
		}
	}
	return keys
}

// Holds says whether all comparisons hold for the values that keys have. A value
// that is no number is an error.
func (c *Constraint) Holds(value func(key string) string) (bool, error) {
	for _, t := range c.terms {
		var v [2]float64
		for i, o := range []operand{t.left, t.right} {
			v[i] = o.number
			if o.key == "" {
				continue
			}
			// A key's value is the text that a setting gives it.
			var ok bool
			if v[i], ok = Number(value(o.key)); !ok {
				return false, fmt.Errorf("constraint %q: the value %q of %s is no number", c.Text, value(o.key), o.key)
			}
		}
		// The comparisons are joined by &&: the first that fails decides.
		if !compare(v[0], t.op, v[1]) {
			return false, nil
		}
	}
	return true, nil
}

func compare(a float64, op string, b float64) bool {
	switch op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case "==":
		return a == b
	case "!=":
		return a != b
	case ">=":
		return a >= b
	}
	return a > b
}
