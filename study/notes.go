package study

import (
	"fmt"
	"slices"
	"strings"
)

// maxStartingNotes are the most notes on starting states that a result has. Notes that tell
// numbers may differ from setting to setting, of which there can be thousands.
const maxStartingNotes = 12

// startingNotes are the notes of all finished runs on their starting states, each once, in the
// order of the plan. One that only some settings have names them.
func startingNotes(p *Plan, done map[string]*Record) []string {
	var texts []string
	settings := make(map[string][]int) // that have a note, by its text
	started := make(map[int]bool)      // settings with a finished run
	for _, t := range p.Tasks() {
		rec := done[t.ID]
		if rec == nil {
			continue
		}
		started[t.Setting] = true
		for _, n := range rec.Notes {
			if settings[n] == nil {
				texts = append(texts, n)
			}
			if !slices.Contains(settings[n], t.Setting) {
				settings[n] = append(settings[n], t.Setting)
			}
		}
	}
	var notes []string
	for i, n := range texts {
		if i == maxStartingNotes {
			return append(notes, fmt.Sprintf("and %d more notes, which the runs' records have", len(texts)-i))
		}
		if len(settings[n]) < len(started) {
			n += " (only " + p.someNames(settings[n]) + ")"
		}
		notes = append(notes, n)
	}
	return notes
}

// someNames are the names of settings, or the first of many.
func (p *Plan) someNames(settings []int) string {
	const some = 6
	var names []string
	for i, s := range settings {
		if i == some {
			names = append(names, fmt.Sprintf("%d more", len(settings)-i))
			break
		}
		names = append(names, p.Settings[s].Name)
	}
	return strings.Join(names, ", ")
}

// StartingNote is a note on the starting state as a sentence of tables and pages.
func StartingNote(note string) string { return "About the starting state: " + note + "." }
