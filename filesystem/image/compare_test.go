package image

import (
	"fmt"
	"reflect"

	"mbsim/allocator"
)

// diff compares two layouts as dumpe2fs shows them: the superblock, and of
// every group tables, flags, counts, free blocks and free inodes.
func diff(got, want *Layout) string {
	a, b := got.Super, want.Super
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		if x, y := va.Field(i).Interface(), vb.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("superblock %s: got %v, want %v", va.Type().Field(i).Name, x, y)
		}
	}
	geo := want.Geometry()
	if g := got.Geometry(); g != geo {
		return fmt.Sprintf("geometry: got %+v, want %+v", g, geo)
	}
	for id := range geo.Groups {
		if x, y := got.Desc(id), want.Desc(id); x != y {
			return fmt.Sprintf("group %d of %d: got %+v\nwant %+v", id, geo.Groups, x, y)
		}
		if x, y := got.ITableZeroed(id), want.ITableZeroed(id); x != y && want.Super.ROCompat&(MetadataCsum|UninitBG) != 0 {
			return fmt.Sprintf("group %d: ITABLE_ZEROED: got %v, want %v", id, x, y)
		}
		if x, y := bitmap(got.BlockBitmap, id, geo.ClustersPerGroup), bitmap(want.BlockBitmap, id, geo.ClustersPerGroup); !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("group %d: block bitmap: %s", id, firstBit(x, y))
		}
		if x, y := bitmap(got.InodeBitmap, id, geo.InodesPerGroup), bitmap(want.InodeBitmap, id, geo.InodesPerGroup); !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("group %d: inode bitmap: %s", id, firstBit(x, y))
		}
	}
	return ""
}

func bitmap(read func(allocator.GroupID, []uint64), id allocator.GroupID, n uint32) []uint64 {
	bits := make([]uint64, (n+63)/64)
	read(id, bits)
	return bits
}

func firstBit(x, y []uint64) string {
	for i := range len(x) * 64 {
		if a, b := x[i/64]>>(i%64)&1, y[i/64]>>(i%64)&1; a != b {
			return fmt.Sprintf("bit %d: got %d, want %d", i, a, b)
		}
	}
	return "same"
}
