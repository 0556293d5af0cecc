package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxSettings is how many values an axis, and how many points a latin hypercube
// may have.
const maxSettings = 10000

// maxCombinations is how many combinations a grid may have before a constraint is
// looked at.
const maxCombinations = 100 * maxSettings

// ParseAxis reads the key=values of a sweep's --set: values are separated by
// commas, and ranges of whole numbers stand for their numbers (0..9, 16..64+16,
// 16..1024*2). Where commas belong to the value itself, as in mount options and
// other texts, | separates.
func ParseAxis(arg string) (Axis, error) {
	key, values, ok := strings.Cut(arg, "=")
	a := Axis{Key: CanonicalKey(key)}
	fail := func(format string, v ...any) (Axis, error) {
		return a, &Error{Set: oneLine(arg), Message: oneLine(fmt.Sprintf(format, v...))}
	}
	if !ok || key == "" {
		return fail("want key=value,value")
	}
	// The comma separates values, unless it belongs to the values of this key, or the user wrote a
	// |: then | does.
	separator := byte(',')
	if commasBelong(key) || len(splitOutside(values, '|')) > 1 {
		separator = '|'
	}
	// A part may be a range, which stands for many values.
	for _, part := range splitOutside(values, separator) {
		list, err := expand(key, part, false)
		if err != nil {
			return fail("%v", err)
		}
		for _, v := range list {
			if err := a.add(v); err != nil {
				return fail("%v", err)
			}
		}
	}
	return a, nil
}

// add adds a value.
func (a *Axis) add(value string) error {
	value = canonicalValue(a.Key, value)
	switch {
	case slices.Contains(a.Values, value):
		return fmt.Errorf("the value %s is given twice", value)
	case len(a.Values) == maxSettings:
		return fmt.Errorf("more than %d values", maxSettings)
	}
	a.Values = append(a.Values, value)
	return nil
}

// commasBelong says whether a comma is part of a value of this key.
func commasBelong(key string) bool {
	switch t := typeAt(key).(type) {
	case mountType, pathType, scriptType:
		return true
	case text:
		return t.allowed == nil && t.known == nil
	}
	return false
}

var rangeText = onUse(`^([+-]?[0-9]+)\.\.([+-]?[0-9]+)(?:([+*])([0-9]+))?$`)

// expand is the values that a text stands for: those of a range, or, where many
// may be given, several with commas between.
func expand(key, value string, many bool) ([]string, error) {
	// Several values may be given as one text: each is expanded on its own.
	if many && !commasBelong(key) {
		var all []string
		for _, part := range splitOutside(value, ',') {
			list, err := expand(key, part, false)
			if err != nil {
				return nil, err
			}
			all = append(all, list...)
		}
		return all, nil
	}
	// One value is left. Where commas belong to the value it is a path or a free text, and two dots
	// in it are no range.
	m := rangeText().FindStringSubmatch(strings.TrimSpace(value))
	switch {
	case commasBelong(key):
		return []string{value}, nil
	case m != nil:
		return numbers(m)
	case strings.TrimSpace(value) == "":
		return nil, fmt.Errorf("an empty value")
	// Two dots outside of a path and of YAML's brackets were meant as a range.
	case strings.Contains(value, "..") && !strings.ContainsAny(value, "/{["):
		return nil, fmt.Errorf("%s is no range: want whole numbers as in 0..9, 16..64+16 or 16..1024*2, or a list", value)
	}
	return []string{strings.TrimSpace(value)}, nil
}

// numbers lists the numbers of a range, given as what rangeText has matched.
func numbers(m []string) ([]string, error) {
	// With bounds of fifty bits the sums below stay within 64.
	from, err1 := strconv.ParseInt(m[1], 10, 50)
	to, err2 := strconv.ParseInt(m[2], 10, 50)
	step, err3 := int64(1), error(nil)
	if m[4] != "" {
		step, err3 = strconv.ParseInt(m[4], 10, 50)
	}
	times := m[3] == "*"
	// A range must end: a step of 0, a factor of 1, and a factor on a number that is not positive
	// never reach the upper bound.
	switch {
	case err1 != nil || err2 != nil || err3 != nil:
		return nil, fmt.Errorf("%s: numbers beyond what can be counted", m[0])
	case from > to:
		return nil, fmt.Errorf("%s is empty: want the smaller number first", m[0])
	case step == 0 || times && (step == 1 || from <= 0):
		return nil, fmt.Errorf("%s does not end: want a step above 0, or a factor above 1 from a number above 0", m[0])
	}
	var list []string
	for v := from; v <= to; {
		if len(list) == maxSettings {
			return nil, fmt.Errorf("%s has more than %d values", m[0], maxSettings)
		}
		list = append(list, strconv.FormatInt(v, 10))
		if times {
			if v > to/step {
				break // the next one lies above the upper bound, or beyond 64 bits
			}
			v *= step
		} else {
			v += step
		}
	}
	return list, nil
}

// splitOutside splits at a separator that stands outside of brackets and quotes.
func splitOutside(s string, separator byte) []string {
	var parts []string
	depth, start := 0, 0
	quote := byte(0)
	for i := range len(s) {
		// Within quotes all but the closing quote is text. Of brackets only the depth matters: what
		// they hold is read later.
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '[' || c == '{' || c == '(':
			depth++
		case c == ']' || c == '}' || c == ')':
			depth--
		case c == separator && depth <= 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
