// Package atomicfile writes files and folders that appear whole or not at all.
//
// What is written has a temporary name beside its place until it is whole; then it is
// renamed. A temporary name is ".NAME.tmp-NUMBER". The system locks it for the process
// that writes it and gives the lock back when that process ends, however it ends, so
// that what nobody holds was left behind by a process that was killed: whoever next
// writes NAME into the same folder removes it.
//
// A process that is interrupted calls Abandon before it exits, which removes what it is
// writing, and waits for what must not be done by half (Together).
package atomicfile
