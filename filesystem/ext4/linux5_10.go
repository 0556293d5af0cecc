package ext4

import "mbsim/allocator/mballoc"

// Linux5_10 is Linux 5.10.223.
var Linux5_10 = Kernel{
	Name: mballoc.Linux5_10.Name, Doc: mballoc.Linux5_10.Doc,
	Allocator: mballoc.Linux5_10,
}
