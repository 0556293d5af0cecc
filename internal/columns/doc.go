// Package columns lays tables out for people: as wide as their terminal, by one rule for all
// commands. It knows neither terminals nor the environment: a width is given to it, in characters,
// and 0 is any number.
//
// Where a table is too wide, words are wrapped: the widest column gives way first. Columns of
// numbers, which stand at the right, are never wrapped. Where wrapping does not do, columns are left
// out, the last one first.
package columns
