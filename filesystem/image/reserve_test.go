package image_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"regexp"
	"testing"

	"mbsim/filesystem/image"
)

// TestReservedFor: who may take root's reserve is read from the superblock, and from the text of
// dumpe2fs, with the name of the user that dumpe2fs knew or without.
func TestReservedFor(t *testing.T) {
	v := newVictim(t, "ext4")
	le.PutUint16(v.img[1024+0x50:], 60000)
	le.PutUint16(v.img[1024+0x52:], 27)
	image.Mend(v.img, true)
	l, err := image.Read(bytes.NewReader(v.img), int64(len(v.img)))
	if err != nil {
		t.Fatal(err)
	}
	if s := &l.Super; s.ReservedUID != 60000 || s.ReservedGID != 27 {
		t.Errorf("image: user %d, group %d", s.ReservedUID, s.ReservedGID)
	}

	f, err := os.Open("testdata/block-1k-1.dumpe2fs.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for want, uid := range map[uint16]string{0: "0 (user root)", 1000: "1000 (user mail)", 1001: "1001"} {
		changed := regexp.MustCompile(`(Reserved blocks [ug]id: *).*`).ReplaceAll(text, []byte("${1}"+uid))
		if bytes.Count(changed, []byte(uid)) < 2 {
			t.Fatal("the text has no lines of reserved blocks")
		}
		l, err := image.ReadDumpe2fs(bytes.NewReader(changed), "dump")
		if err != nil {
			t.Fatal(err)
		}
		if s := &l.Super; s.ReservedUID != want || s.ReservedGID != want {
			t.Errorf("%s: user %d, group %d", uid, s.ReservedUID, s.ReservedGID)
		}
	}
}
