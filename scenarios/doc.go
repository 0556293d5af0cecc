// Package scenarios reads scenarios: what is simulated, written in strict YAML.
//
//	s, err := scenarios.Load("small-files", scenarios.Options{Sets: []string{"seed=3"}})
//	layout, err := s.Layout()           // the device as it is at the start
//	opt, err := s.Ext4Options(4096)     // how it is mounted
//	for i := range s.Workload.Phases {} // what is done to it
//
// The language is in the tables of keys.go and keys_workload.go: each key's type,
// unit, default and meaning. What is read, what is refused, what --set takes and
// what Describe tells are all taken from there. Scenarios that come with mbsim
// are the *.yaml files of this folder; each opens with the question it answers.
//
// # Units
//
// In a Scenario: bytes, nanoseconds of simulated time, shares of 0 to 1. In YAML:
// sizes are bytes or have a unit (64K is 65536 bytes, 64KB is 64000), times always
// have a unit, shares may be percentages.
//
// # Strictness
//
// An unknown key, a key given twice, a value of the wrong type or out of range, a
// second document, an empty file, anchors, merge keys and tags are errors of one
// line, file:line:column: message, with the nearest known key. --set changes the
// document before it is read, so what it sets is checked alike; its errors name
// the --set.
//
// # Invariants
//
// Resolved, loaded again, gives the same scenario and the same bytes. Nothing
// depends on the order of keys in the file, but for which error is told first.
//
// # Not modelled
//
// Costs of operations and models of devices. A sweep is read and checked here;
// package study makes settings of it.
//
// Read next: run, which plays a Scenario.
package scenarios
