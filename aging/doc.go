// Package aging turns what studies have found on file systems in use into scenarios: how large files
// are, how old they get and how directories lie. A Profile is one study, with its source; Plan.Scenario
// is the text of a scenario that fills a device with such files and then replaces them, until as much
// was written as was asked for.
//
// # Units
//
// Sizes are bytes, ages hours. Weights are relative to each other.
//
// # Not modelled
//
// Which files lie in which directories: files go to a directory drawn at random. Names, types,
// owners. How files grow: each is written once, from its start to its end.
//
// Read next: workload/lifetimes.go, which lets files get as old as a profile says.
package aging
