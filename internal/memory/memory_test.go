package memory

import (
	"errors"
	"math"
	"testing"
	"testing/fstest"
)

func TestTotal(t *testing.T) {
	const info = "MemTotal:       1000 kB\nMemFree:  5 kB\nSwapTotal:      24 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
		ok    bool
	}{
		"nothing to read":      {},
		"no control groups":    {map[string]string{"proc/meminfo": info}, 1024 << 10, true},
		"junk":                 {map[string]string{"proc/meminfo": "MemTotal: x kB\n"}, 0, false},
		"version 2, unlimited": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n"}, 1024 << 10, true},
		"version 2, above": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "4096\n",
			"sys/fs/cgroup/a/b/memory.max": "8192\n"}, 28 << 10, true},
		"in a container": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/../x\n", "sys/fs/cgroup/memory.max": "4096\n"}, 28 << 10, true},
		"version 1": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "3:cpu:/c\n2:foo,memory:/a\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "2048"}, 26 << 10, true},
	} {
		root := fstest.MapFS{}
		for file, text := range c.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got, ok := total(root); got != c.want || ok != c.ok {
			t.Errorf("%s: %d, %v, want %d, %v", name, got, ok, c.want, c.ok)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := Check("nothing", 1); err != nil {
		t.Error(err)
	}
	err := &TooMuch{"a device of 1P", 81 << 30, 24<<30 - 1}
	if want := "a device of 1P would take 81.0 GB of memory or more, this machine has 24.0 GB"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if err := Check("everything", math.MaxInt64); err != nil && !errors.As(err, new(*TooMuch)) {
		t.Error(err)
	}
}
