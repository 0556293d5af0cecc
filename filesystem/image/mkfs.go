package image

import "errors"

// MkfsParams are the parameters of mke2fs. ParseMkfsArgs makes them of a
// command line.
type MkfsParams struct {
	Size int64 // bytes of the device
	Args []string
}

// ParseMkfsArgs understands a command line of mke2fs without its device.
func ParseMkfsArgs(args []string, size int64) (MkfsParams, error) {
	return MkfsParams{Size: size, Args: args}, nil
}

// Mkfs computes what mke2fs 1.47.0 lays out.
func Mkfs(p MkfsParams) (*Layout, error) { return nil, errors.New("image: Mkfs is being written") }
