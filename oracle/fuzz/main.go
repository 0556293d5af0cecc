package main

import (
	"flag"
	"fmt"
	"io"
	"mbsim/kernels"
	"os"
	"path/filepath"
	"strings"

	"mbsim/replay"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

// run performs the command line.
func run(args []string, stdout io.Writer) error {
	// The flags.
	f := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	n := f.Int("n", 20, "cases")
	family := f.String("family", "mix", "family of gen.py; several, by commas, take turns")
	seed := f.Int("seed", 1, "seed of the first case")
	k := kernel{}
	f.StringVar(&k.name, "kernel", kernels.Default().Name, "kernel")
	f.StringVar(&k.scripts, "oracle", "oracle", "folder of gen.py and record.sh")
	dir := f.String("dir", "out/oracle-fuzz", "where the cases go")
	questions := f.Int("questions", 40, "recordings that shrinking may take")
	one := f.String("shrink", "", "only shrink the recorded case in this folder")
	if err := f.Parse(args); err != nil {
		return err
	}
	// Only shrink a case that is known to differ.
	if *one != "" {
		v, err := k.verify(*one)
		if err != nil || v.InTurnsIdentical() {
			return fmt.Errorf("%s: nothing to shrink (%v)", *one, err)
		}
		small, err := k.shrink(*one, v, *questions, stdout)
		fmt.Fprintln(stdout, small)
		return err
	}
	// Case by case, until one differs.
	families := strings.Split(*family, ",")
	identical, refused := 0, 0
	for i := range *n {
		name := fmt.Sprintf("%s-%d", families[i%len(families)], *seed+i)
		path := filepath.Join(*dir, name)
		if err := k.generate(families[i%len(families)], *seed+i, path); err != nil {
			return err
		}
		v, err := k.ask(path)
		switch {
		case err != nil:
			refused++
			fmt.Fprintf(stdout, "%-24s no recording: %v\n", name, err)
			continue
		case v.InTurnsIdentical():
			identical++
			fmt.Fprintf(stdout, "%-24s identical  requests %v\n", name, v.Requests)
			continue
		}
		fmt.Fprintf(stdout, "%-24s DIFFERENT\n  %s\n", name, v.Difference)
		small, err := k.shrink(path, v, *questions, stdout)
		if err != nil {
			return err
		}
		return fmt.Errorf("%d of %d identical, then %s differed; smallest script: %s", identical, i-refused, name, small)
	}
	fmt.Fprintf(stdout, "%d of %d identical (%d could not be recorded)\n", identical, *n-refused, refused)
	return nil
}

// kernel is a real kernel that answers questions.
type kernel struct{ name, scripts string }

// verify compares the simulator with the recording in dir.
func (k kernel) verify(dir string) (*replay.Verdict, error) { return replay.Verify(dir, k.name) }
