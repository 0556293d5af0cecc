// Package journal is that part of jbd2 which matters for layout: which transaction a change
// belongs to, and when that commits, since freed blocks may be used again only then.
//
// The file system calls Start before it changes anything, tags what it frees with Current,
// and calls Commit where the kernel commits. The journal tells by functions of its
// Config when a transaction begins, when it is closed, and when it has been written. A nil
// Journal stands for a file system without one: it has no transactions, and its methods do
// nothing.
//
// Where several processes run at once there is a Host, and a commit takes time: the next
// transaction may run meanwhile, and whoever wants to commit that one waits. Without a Host
// nothing takes time. Ids of transactions count from 1, and times are in ns.
//
// Deviates from the kernel: transactions hold no buffers; only the number of these is
// known, and only where there is a Host. A full journal does not force a commit, and nobody
// waits while a transaction is closed.
//
// Read next: filesystem/ext4, commit.go, which says when to commit.
package journal
