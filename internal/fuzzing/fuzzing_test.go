package fuzzing

import "testing"

func TestReplaceScalar(t *testing.T) {
	const text = `{"a\"b": -1.5e3, "c": [7, "x"]}`
	for n, want := range []string{
		`{0: -1.5e3, "c": [7, "x"]}`, `{"a\"b": 0, "c": [7, "x"]}`, `{"a\"b": -1.5e3, 0: [7, "x"]}`, `{"a\"b": -1.5e3, "c": [0, "x"]}`,
		`{"a\"b": -1.5e3, "c": [7, 0]}`, `{0: -1.5e3, "c": [7, "x"]}`,
	} {
		if got := string(ReplaceScalar([]byte(text), n, "0")); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if got := string(ReplaceScalar([]byte("{}"), 3, "0")); got != "{}" {
		t.Error(got)
	}
}
