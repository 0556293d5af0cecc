package reservation

import (
	"reflect"
	"testing"
)

// counters are the counters of s, one by one.
func counters(s *Stats) (all []reflect.Value) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() != reflect.Array {
			all = append(all, f)
			continue
		}
		for k := range f.Len() {
			all = append(all, f.Index(k))
		}
	}
	return all
}

// add forgets no counter.
func TestAddStats(t *testing.T) {
	var a, b Stats
	for i := range counters(&a) {
		counters(&a)[i].SetUint(1000 + uint64(i))
		counters(&b)[i].SetUint(1 + uint64(i))
	}
	a.add(&b)
	for i, c := range counters(&a) {
		if want := 1001 + 2*uint64(i); c.Uint() != want {
			t.Errorf("counter %d is %d, want %d", i, c.Uint(), want)
		}
	}
}
