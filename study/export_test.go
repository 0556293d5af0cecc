package study

import (
	"bytes"
	"encoding/json"
)

// MendObject is an object of plan.json or study.json with the checksum it must have.
func MendObject(object []byte) []byte { return fileSeal.add(object) }

// OpenObject is an object of plan.json or study.json without its checksum.
func OpenObject(sealed []byte) ([]byte, error) { return fileSeal.open(sealed) }

// MendRecords is a file of records with the line numbers, ids and checksums that its
// lines must have; a last line without an end has none. Without ids these stay.
func MendRecords(text []byte, ids bool) []byte {
	var out []byte
	for n := 1; ; n++ {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		if !whole {
			return append(out, line...)
		}
		var r Record
		if json.Unmarshal(line, &r) == nil && r.Schema == planSchema {
			if ids {
				r.ID = runID(r.Digest, r.Seed, r.Replication, r.Version)
			}
			if raw, err := r.text(n); err == nil {
				line = bytes.TrimSuffix(raw, []byte{'\n'})
			}
		}
		out = append(append(out, line...), '\n')
		text = rest
	}
}

// MendResult is the study.json that the parts of an object come to, or the object
// itself where they come to none.
func MendResult(object []byte) []byte {
	var r Result
	if json.Unmarshal(object, &r) != nil {
		return MendObject(object)
	}
	for i := range r.Settings {
		s := &r.Settings[i]
		for j := range s.Runs {
			s.Runs[j].ID = runID(s.Digest, r.Seed, s.Runs[j].Replication, r.Version)
		}
	}
	p, done, err := r.origin()
	if err != nil {
		return MendObject(object)
	}
	again, err := merge(p, done)
	if err != nil {
		return MendObject(object)
	}
	if text, err := encode(again); err == nil {
		object = text
	}
	return MendObject(object)
}
