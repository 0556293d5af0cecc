// Command fuzz asks a real kernel about random cases, compares each with the
// simulator, and shrinks the first that differs to a small script.
//
//	go run ./oracle/fuzz -n 20 [-family mix] [-seed 1] [-kernel 5.10] [-dir DIR]
//	go run ./oracle/fuzz -shrink CASE_DIR
//
// A case is made by gen.py, recorded by record.sh (which needs what install.sh
// installs) and verified by replay. The exit code is 1 if a case differed.
// Everything is kept in DIR, a folder a case.
package main
