package mballoc

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// operations of the model and how often each is drawn.
var operations = []struct {
	name   string
	weight int
	do     func(*model)
}{
	{"allocate", 24, (*model).allocate},
	{"create", 10, (*model).create},
	{"flood", 2, (*model).flood},
	{"truncate", 6, (*model).truncate},
	{"commit", 3, (*model).commit},
	{"discard", 2, (*model).discard},
	{"release", 1, (*model).release},
	{"read", 1, (*model).read},
	{"remount", 1, (*model).remount},
}

// FuzzAllocator reads every choice from the input: the file system, and then
// operation after operation. With -tags invariants every call is recounted too.
//
//	go test -tags invariants -fuzz FuzzAllocator ./allocator/mballoc
func FuzzAllocator(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 10))
	for range 24 {
		seed := make([]byte, 200+rnd.IntN(2500))
		for i := range seed {
			seed[i] = byte(rnd.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 1<<14 {
			return
		}
		m := newModel(func(_ string, n int) int {
			if len(input) == 0 {
				return 0
			}
			v := int(input[0])
			input = input[1:]
			if n > 256 && len(input) > 0 {
				v = v<<8 | int(input[0])
				input = input[1:]
			}
			return v % n
		})
		var deck []func(*model)
		for _, op := range operations {
			for range op.weight {
				deck = append(deck, op.do)
			}
		}
		for len(input) > 0 {
			deck[m.choose("operation", len(deck))](m)
			m.counts()
		}
		m.compare()
	})
}

// TestModel is the same as a state machine whose failures rapid shrinks.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(t, what) })
		actions := map[string]func(*rapid.T){"": func(*rapid.T) { m.counts() }}
		for _, op := range operations {
			actions[op.name] = func(*rapid.T) { op.do(m) }
		}
		// rapid draws actions evenly; a request is what there should be most of.
		for _, more := range []string{" 2", " 3", " 4", " 5"} {
			actions["allocate"+more] = actions["allocate"]
			actions["create"+more] = actions["create"]
		}
		t.Repeat(actions)
		m.compare()
	})
}
