package image_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/ext2"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/filesystem/imagetest"
	"mbsim/internal/fuzzing"
)

// drivers are those that mount what a layout describes.
var drivers = map[string]imagetest.Driver{
	"ext4": func(l *image.Layout) (filesystem.FileSystem, func() error, error) {
		opt := ext4.DefaultOptions(l.Super.BlockSize())
		opt.CPUs = 2
		fs, err := ext4.Mount(l, opt)
		if err != nil {
			return nil, nil, err
		}
		return fs, fs.Check, nil
	},
	"ext2": func(l *image.Layout) (filesystem.FileSystem, func() error, error) {
		opt := ext2.DefaultOptions(l.Super.BlockSize())
		opt.CPUs = 2
		fs, err := ext2.Mount(l, opt)
		if err != nil {
			return nil, nil, imagetest.ErrFeatures // mostly
		}
		return fs, fs.Check, nil
	},
}

// mountLayout mounts a layout with both drivers and works on it.
func mountLayout(t *testing.T, l *image.Layout, seed uint64) {
	t.Helper()
	if l.Super.Groups() > 4096 {
		return // it takes long to recount
	}
	for name, d := range drivers {
		if err := d.Mount(l, seed); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func mustBeOneLine(t *testing.T, err error, prefix string) {
	t.Helper()
	if text := err.Error(); !strings.HasPrefix(text, prefix) || strings.Contains(text, "\n") {
		t.Fatalf("%q: want one line that begins with %q", text, prefix)
	}
}

// FuzzOpenImage changes bytes of images: what is opened can be read, and takes no
// more memory than the image explains.
func FuzzOpenImage(f *testing.F) {
	seeds, err := imagetest.Seeds("")
	if err != nil {
		f.Fatal(err)
	}
	for i := range seeds {
		f.Add(uint8(i), imagetest.RandomChanges(rand.New(rand.NewPCG(uint64(i), 4))))
	}
	f.Fuzz(func(t *testing.T, which uint8, changes []byte) {
		img := seeds[int(which)%len(seeds)].Edit(changes)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		l, err := image.Read(bytes.NewReader(img), int64(len(img)))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
			t.Errorf("%d bytes of memory for an image of %d", n, len(img))
		}
		if err != nil {
			mustBeOneLine(t, err, "")
			return
		}
		readLayout(t, l)
	})
}

// readLayout reads all of a layout.
func readLayout(t *testing.T, l *image.Layout) {
	t.Helper()
	geo := l.Geometry()
	bits := make([]uint64, (max(geo.ClustersPerGroup, geo.InodesPerGroup)+63)/64)
	for id := range geo.Groups {
		l.Desc(id)
		clear(bits)
		l.BlockBitmap(id, bits)
		clear(bits)
		l.InodeBitmap(id, bits)
		l.SystemZone(geo.GroupStart(id), 10)
	}
	for in, err := range l.Inodes() {
		if err == nil && in.IsDir() {
			_, err = l.DirBlocks(&in)
		}
		if err != nil {
			t.Fatalf("opened, and then: %v", err)
		}
	}
}

var number = regexp.MustCompile(`\d+`)

// editText changes numbers of a text. Each change is five bytes: the line (16
// bits), which number of it (8) and how much (16).
func editText(text string, changes []byte) string {
	lines := strings.Split(text, "\n")
	for ; len(changes) >= 5; changes = changes[5:] {
		i := (int(changes[0]) | int(changes[1])<<8) % len(lines)
		places := number.FindAllStringIndex(lines[i], -1)
		if len(places) == 0 {
			lines[i] = ""
			continue
		}
		p := places[int(changes[2])%len(places)]
		value := int(changes[3]) | int(changes[4])<<8
		old, _ := strconv.Atoi(lines[i][p[0]:p[1]])
		switch value >> 14 {
		case 0:
			old += value & 0xff
		case 1:
			old = max(0, old-value&0xff)
		case 2:
			old = value & 0x3fff
		default:
			old = 1 << (value & 0x3f & 62)
		}
		lines[i] = lines[i][:p[0]] + strconv.Itoa(old) + lines[i][p[1]:]
	}
	return strings.Join(lines, "\n")
}

// FuzzDumpe2fs changes numbers in what dumpe2fs printed, or takes the fuzzer's own
// text, and mounts what is accepted.
func FuzzDumpe2fs(f *testing.F) {
	names, err := filepath.Glob("testdata/*.dumpe2fs.gz")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	var texts []string
	for i, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			f.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, string(text))
		f.Add(uint8(i), uint64(i), []byte{byte(60 + i), 0, 0, 1, 0})
		// As the fuzzer's own text, which it may also cut and join.
		if base := filepath.Base(name); base == "full-1.dumpe2fs.gz" || base == "ext2-full-1.dumpe2fs.gz" {
			f.Add(uint8(200), uint64(i), text)
		}
	}
	for _, text := range stateTexts(f) {
		f.Add(uint8(200), uint64(1), []byte(text))
	}
	f.Fuzz(func(t *testing.T, which uint8, seed uint64, changes []byte) {
		text := string(changes)
		if int(which) < 200 {
			text = editText(texts[int(which)%len(texts)], changes)
		}
		// Every other one may lack the groups.
		l, err := (&image.Dump{Headers: seed&1 > 0, Empty: seed&2 > 0}).Read(strings.NewReader(text), "d")
		if err != nil {
			mustBeOneLine(t, err, "d:")
			return
		}
		mountLayout(t, l, seed)
	})
}

// stateTexts are the texts in testdata/states.
func stateTexts(tb testing.TB) (all []string) {
	names, err := filepath.Glob("testdata/states/*.dump.gz")
	if err != nil || len(names) == 0 {
		tb.Fatal(names, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			tb.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}

// FuzzHead changes numbers of a text without groups and of one that tells pieces of free
// space, and mounts what is accepted.
func FuzzHead(f *testing.F) {
	const e2freefrag = "Blocksize: 1024 bytes\n    8K...   16K-  :            99           999   30.00%\n    1M...    2M-  :             2          2300   70.00%\n"
	const groups = "#0    : 3299  3     500   [ 1     1     0     0     0     1     1     1     0     0     1     1     0     0     ]\n"
	var heads []string
	for _, text := range stateTexts(f) {
		head, _, _ := strings.Cut(text, "\n\n\n")
		heads = append(heads, head)
	}
	f.Add(uint8(8), uint64(1), []byte{}, e2freefrag)
	f.Add(uint8(3), uint64(2), []byte{}, groups)
	f.Add(uint8(4), uint64(3), []byte{17, 0, 0, 9, 0}, "")
	f.Fuzz(func(t *testing.T, which uint8, seed uint64, changes []byte, free string) {
		o := image.Dump{Headers: true, Seed: seed}
		if free != "" {
			var err error
			if o.Free, err = image.ReadFreeExtents(strings.NewReader(free), "d"); err != nil {
				mustBeOneLine(t, err, "d:")
				return
			}
		}
		l, err := o.Read(strings.NewReader(editText(heads[int(which)%len(heads)], changes)), "d")
		if err != nil {
			mustBeOneLine(t, err, "d:")
			return
		}
		if l.Geometry().Groups < 1000 {
			mountLayout(t, l, seed)
		}
	})
}

// FuzzContainer opens any bytes as an image: packed ones, qcow2, disks with partitions.
func FuzzContainer(f *testing.F) {
	for _, name := range []string{"e2image.qcow2.xz", "orphans.img.gz"} {
		raw, err := os.ReadFile("testdata/states/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, int64(0))
	}
	qcow := make([]byte, 1024)
	copy(qcow, "QFI\xfb\x00\x00\x00\x02")
	qcow[23], qcow[30], qcow[39], qcow[46] = 9, 4, 1, 1
	f.Add(qcow, int64(0))
	disk := make([]byte, 2048)
	disk[510], disk[511], disk[450], disk[454], disk[458] = 0x55, 0xaa, 0x0f, 1, 9
	f.Add(disk, int64(512))
	dir := fuzzing.TempDir(f)
	f.Fuzz(func(t *testing.T, raw []byte, offset int64) {
		path := filepath.Join(dir, "image")
		if err := os.WriteFile(path, raw, 0o666); err != nil {
			t.Fatal(err)
		}
		l, err := image.OpenAs(path, image.OpenOptions{Offset: offset})
		if err != nil {
			mustBeOneLine(t, err, path)
			return
		}
		readLayout(t, l)
		l.Close()
	})
}

// TestDamagedDumpe2fs is FuzzDumpe2fs with changes drawn at random.
func TestDamagedDumpe2fs(t *testing.T) {
	for _, name := range []string{"full-1", "groups-small-1", "ext2-full-1", "bigalloc-1"} {
		raw, err := os.ReadFile("testdata/" + name + ".dumpe2fs.gz")
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(100) {
			r := rand.New(rand.NewPCG(seed, 3))
			changes := make([]byte, 5*r.IntN(4))
			for i := range changes {
				changes[i] = byte(r.Uint32())
			}
			l, err := image.ReadDumpe2fs(strings.NewReader(editText(string(text), changes)), "d")
			if err != nil {
				mustBeOneLine(t, err, "d:")
				continue
			}
			mountLayout(t, l, seed)
		}
	}
}

// FuzzMkfsOptions gives mke2fs arguments to the model, for devices up to 64 TB,
// and mounts what is small.
func FuzzMkfsOptions(f *testing.F) {
	for i, args := range []string{
		"-t ext4", "-t ext4 -b 1024 -O bigalloc -C 16384", "-t ext4 -b 8192", "-t ext2 -b 1024 -g 256 -N 64", "-t ext3 -b 2048 -J size=4",
		"-t ext4 -O meta_bg,^resize_inode -b 1024", "-t ext4 -O inline_data -I 512", "-t ext4 -G 4 -g 512 -O ^64bit", "-t ext4 -E packed_meta_blocks=1,stride=4,stripe_width=16",
		"-t ext4 -O sparse_super2 -E num_backup_sb=1", "-t ext2 -r 0 -m 0", "-t ext4 -O orphan_file,fast_commit", "-T largefile4 -i 65536", "-t ext4 -O quota,project,mmp -L label -o acl",
	} {
		f.Add(args, int64(1+i)<<22)
	}
	f.Fuzz(func(t *testing.T, args string, size int64) {
		size &= 1<<46 - 1
		p, err := image.ParseMkfsArgs(strings.Fields(args), size)
		if err != nil {
			mustBeOneLine(t, err, "")
			return
		}
		l, err := image.Mkfs(p)
		if err != nil {
			mustBeOneLine(t, err, "")
			return
		}
		g := l.Geometry()
		bits := make([]uint64, (max(g.ClustersPerGroup, g.InodesPerGroup)+63)/64)
		for _, id := range []allocator.GroupID{0, g.Groups / 2, g.Groups - 1} {
			l.Desc(id)
			clear(bits)
			l.BlockBitmap(id, bits)
			l.SystemZone(g.GroupStart(id), 1)
		}
		if g.Blocks < 1<<18 {
			mountLayout(t, l, uint64(size))
		}
	})
}

// TestManySubdirectories mounts a directory whose count of links says that there were too many
// subdirectories to count: one of them goes, and it is not taken for removed.
func TestManySubdirectories(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, make([]byte, 8<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	commands := filepath.Join(t.TempDir(), "commands")
	if err := os.WriteFile(commands, []byte("mkdir d\nmkdir d/a\nmkdir d/b\nsif d links_count 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"mke2fs", "-q", "-F", "-t", "ext4", path}, {"debugfs", "-w", "-f", commands, path}} {
		if _, err := exec.LookPath(c[0]); err != nil {
			t.Skip(err)
		}
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	l, err := image.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fs, check, err := drivers["ext4"](l)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"d/a", "d/b", "d"} {
		if err := check(); err != nil {
			t.Fatalf("before %s goes: %v", name, err)
		}
		if err := fs.Rmdir(&filesystem.Task{}, name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
}
