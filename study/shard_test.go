package study

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// shards is an Executor that performs the runs as shards, each twice at once.
type shards int

func (n shards) Execute(ctx context.Context, s *Study, _ []Task, _ func(float64)) error {
	var all sync.WaitGroup
	errs := make(chan error, 2*int(n))
	for i := range 2 * int(n) {
		all.Add(1)
		go func() {
			defer all.Done()
			_, err := Shard(ctx, s.Dir, i%int(n), int(n), 1, s.Plan.Version)
			errs <- err
		}()
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	_, err := s.Import()
	return err
}

// Shards, also of several rounds, come to the same bytes as one process.
func TestShards(t *testing.T) {
	name := writeScenario(t, tiny)
	for _, opt := range []Options{
		{Sets: []string{"s_mb_stream_request=0,1,16"}, Replications: 3},
		{Sets: []string{"s_mb_stream_request=0,16"}, Replications: 2, Until: "ci=0.01%,max=7,metric=extents_per_file_mean"},
	} {
		want, _ := perform(t, t.TempDir(), plan(t, name, opt), &Pool{Jobs: 2})
		for _, n := range []shards{1, 4} {
			if got, _ := perform(t, t.TempDir(), plan(t, name, opt), n); got != want {
				t.Errorf("%d shards: another study.json", n)
			}
		}
	}
}

// A shard that was killed has lost nothing that was finished: another attempt
// skips it, and Import finds it. Import changes nothing the second time.
func TestShardKilled(t *testing.T) {
	name := writeScenario(t, tiny)
	opt := Options{Sets: []string{"s_mb_stream_request=0,1,16"}, Replications: 2}
	want, _ := perform(t, t.TempDir(), plan(t, name, opt), &Pool{Jobs: 2})
	dir := t.TempDir()
	s, err := Open(dir, plan(t, name, opt))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n, err := Shard(context.Background(), dir, 0, 2, 1, "test"); n != 3 || err != nil {
		t.Fatalf("%d runs, %v", n, err)
	}
	// The first shard's file, without its end, as a killed attempt leaves it.
	files, err := filepath.Glob(filepath.Join(dir, shardsName, "*"))
	if err != nil || len(files) != 1 || finalName(".shard-0-of-2-123.part") != "shard-0-of-2-123.ndjson" {
		t.Fatal(files, err)
	}
	raw := read(t, dir, filepath.Join(shardsName, filepath.Base(files[0])))
	if err := os.WriteFile(filepath.Join(dir, shardsName, ".shard-0-of-2-123.part"), []byte(raw[:len(raw)-100]), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if n, err := Shard(context.Background(), dir, 0, 2, 1, "test"); n != 1 || err != nil {
		t.Fatalf("after the kill: %d runs, %v", n, err)
	}
	if n, err := s.Import(); n != 3 || err != nil || len(s.Pending()) != 3 {
		t.Fatalf("imported %d, %v, %d pending", n, err, len(s.Pending()))
	}
	// With another number of shards, what is finished is skipped too.
	if n, err := Shard(context.Background(), dir, 0, 1, 2, "test"); n != 3 || err != nil {
		t.Fatalf("the rest: %d runs, %v", n, err)
	}
	for _, n := range []int{3, 0, 0} {
		if got, err := s.Import(); got != n || err != nil {
			t.Fatalf("imported %d, want %d: %v", got, n, err)
		}
	}
	if _, err := s.Write(); err != nil {
		t.Fatal(err)
	}
	if read(t, dir, resultName) != want {
		t.Error("another study.json")
	}
}

func TestShardErrors(t *testing.T) {
	name := writeScenario(t, tiny)
	dir := t.TempDir()
	s, err := Open(dir, plan(t, name, Options{Replications: 1}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		dir       string
		index, of int
		version   string
		want      string
	}{
		{dir, 3, 3, "test", "shard 3 of 3: shards are counted from 0"},
		{dir, -1, 3, "test", "shard -1 of 3: shards are counted from 0"},
		{dir, 0, 0, "test", "shard 0 of 0: shards are counted from 0"},
		{dir, 0, 1, "other", "was planned by mbsim test, this is other: want the same program"},
		{t.TempDir(), 0, 1, "test", "no study: there is no plan.json"},
	} {
		_, err := Shard(context.Background(), c.dir, c.index, c.of, 1, c.version)
		if !errors.As(err, new(*UserError)) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
