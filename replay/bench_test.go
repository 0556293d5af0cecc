package replay

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/filesystem/play"
	"mbsim/workload"
)

// churn is a script of rounds in which n small files are made in a hundred
// directories, and half of all files go (gen.py churn).
func churn(rounds, n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for d := range 100 {
		fmt.Fprintf(&b, "mkdir d%d\n", d)
	}
	var names []string
	for i := range rounds {
		for k := range n {
			name := fmt.Sprintf("d%d/f%d", r.IntN(100), i*n+k)
			fmt.Fprintf(&b, "creat x %s\nwrite x 0 %d\nclose x\n", name, 1+r.IntN(32<<10))
			names = append(names, name)
		}
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		half := len(names) / 2
		for _, name := range names[half:] {
			fmt.Fprintf(&b, "unlink %s\n", name)
		}
		names = names[:half]
		b.WriteString("sync\n")
	}
	return b.String()
}

// BenchmarkChurn replays 390,000 operations from a file. make pgo profiles it.
func BenchmarkChurn(b *testing.B) {
	dir := b.TempDir()
	for name, text := range map[string]string{"case.env": "SIZE=2G\nMOUNT=commit=9999\n", "ops": churn(10, 10000)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		c, err := workload.OpenCase(dir)
		if err != nil {
			b.Fatal(err)
		}
		l, err := MakeLayout(c, "5.10")
		if err != nil {
			b.Fatal(err)
		}
		n = 0
		cfg := Config{Kernel: "5.10", Case: c, Layout: l, Performed: func(r play.Result) {
			if r.Ret < 0 {
				b.Fatalf("line %d: error %d", r.Line, r.Ret)
			}
			n++
		}}
		if _, err := Run(cfg); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}
