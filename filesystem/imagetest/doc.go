// Package imagetest damages images and works on what was accepted: the common
// part of the tests that no image, however damaged, makes a driver panic.
//
// It has small images of many layouts (testdata/make.sh made them), which Edit
// changes as a fuzzer says; Work performs operations on the files of a mounted
// file system.
package imagetest
