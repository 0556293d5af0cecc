package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"mbsim/internal/atomicfile"
)

const shardsName = "shards"

// shardFile is the pattern of the temporary name of a shard's file, and what its
// parts become in the end. Each attempt has a file of its own: two at once must not
// replace each other's.
func shardFile(index, of int) string { return fmt.Sprintf(".shard-%d-of-%d-*.part", index, of) }

// finalName is the name under which a shard's file of this temporary name appears.
func finalName(temporary string) string {
	name, _ := strings.CutSuffix(strings.TrimPrefix(temporary, "."), ".part")
	return name + ".ndjson"
}

// Shard performs those tasks of the plan in dir whose number has remainder index when divided
// by of, except those that are finished. It needs no lock: its records go into a file of its
// own in shards/, which Import reads whether it is complete or not. It returns how many runs
// it performed.
func Shard(ctx context.Context, dir string, index, of, jobs int, version string) (performed int, err error) {
	if of < 1 || index < 0 || index >= of {
		return 0, userErrorf("shard %d of %d: shards are counted from 0", index, of)
	}
	// All shards must be performed by the program that made the plan: results of another one
	// could differ.
	p, err := ReadPlan(dir)
	if err != nil {
		return 0, err
	}
	if p.Version != version {
		return 0, userErrorf("%s was planned by mbsim %s, this is %s: want the same program", dir, p.Version, version)
	}
	// What is finished anywhere is not performed again.
	done, err := finishedIn(dir)
	if err != nil {
		return 0, err
	}
	var mine []Task
	for i, t := range p.Tasks() {
		if i%of == index && done[t.ID] == nil {
			mine = append(mine, t)
		}
	}
	if len(mine) == 0 {
		return 0, nil
	}
	// Perform the rest; what is finished when an error ends it stays.
	w, err := newShardWriter(dir, index, of)
	if err != nil {
		return 0, err
	}
	err = each(ctx, jobs, p, mine, w.add, nil)
	return w.performed, w.close(err)
}

// finishedIn returns the runs that are finished in a folder, by id: those in runs.ndjson and
// those of all shards.
func finishedIn(dir string) (map[string]*Record, error) {
	done, err := readRuns(dir)
	if err != nil {
		return nil, err
	}
	records, err := readShards(dir)
	if err != nil {
		return nil, err
	}
	if _, err := collect(done, records); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, shardsName), err)
	}
	return done, nil
}

// readShards returns the records of all shards, also of those that are not complete.
func readShards(dir string) (all []Record, err error) {
	dir = filepath.Join(dir, shardsName)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries { // sorted by name
		// Files of shards have one of two forms of name; others are not ours.
		name := e.Name()
		temporary := strings.HasPrefix(name, ".shard-") && strings.HasSuffix(name, ".part")
		if !temporary && !(strings.HasPrefix(name, "shard-") && strings.HasSuffix(name, ".ndjson")) {
			continue
		}
		// A temporary file that has gone since the folder was read may have got its final name.
		records, whole, err := readRecords(filepath.Join(dir, name))
		if temporary && whole == 0 && err == nil { // it may have got its name by now
			records, _, err = readRecords(filepath.Join(dir, finalName(name)))
		}
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	return all, nil
}

// shardWriter writes the records of a shard.
type shardWriter struct {
	mu        sync.Mutex
	tmp       *os.File
	performed int
	rows      int   // lines of the file
	failed    error // the first; what comes after would stand behind half a line
}

// newShardWriter makes the file of a shard, under a temporary name.
func newShardWriter(dir string, index, of int) (*shardWriter, error) {
	shards := filepath.Join(dir, shardsName)
	if err := os.MkdirAll(shards, 0o777); err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(shards, shardFile(index, of))
	if err != nil {
		return nil, err
	}
	// Temporary files are made for their owner alone, but others must be able to merge.
	if err := tmp.Chmod(0o644); err != nil {
		return nil, errors.Join(err, tmp.Close(), os.Remove(tmp.Name()))
	}
	return &shardWriter{tmp: tmp}, nil
}

// write appends a record, which is on disk when write returns.
func (w *shardWriter) write(r *Record) error {
	if w.failed != nil {
		return w.failed
	}
	line, err := r.text(w.rows + 1)
	if err == nil {
		_, err = w.tmp.Write(line)
	}
	if err == nil {
		err = w.tmp.Sync()
	}
	w.rows++
	w.failed = err
	return err
}

// add appends the record of a run that was performed.
func (w *shardWriter) add(r Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.performed++
	return w.write(&r)
}

// close gives the file its final name. After an error the file keeps its temporary one, under
// which Import still finds what is finished.
func (w *shardWriter) close(err error) error {
	if err != nil {
		return errors.Join(err, w.tmp.Close())
	}
	dir, name := filepath.Split(w.tmp.Name())
	return atomicfile.Place(w.tmp, filepath.Join(dir, finalName(name)))
}

// Import adds the records of shards to runs.ndjson and returns how many it added.
// It may be called again and again, also while shards are running.
func (s *Study) Import() (added int, err error) {
	records, err := readShards(s.Dir)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Records that runs.ndjson has are not added again.
	fresh, err := collect(s.done, records)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", filepath.Join(s.Dir, shardsName), err)
	}
	if len(fresh) == 0 {
		s.count()
		return 0, nil
	}
	// If they cannot be written they do not count as finished.
	if err := s.append(fresh); err != nil {
		for _, r := range fresh {
			delete(s.done, r.ID)
		}
		return 0, err
	}
	s.count()
	return len(fresh), nil
}
