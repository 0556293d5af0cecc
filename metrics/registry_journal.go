package metrics

import "mbsim/filesystem"

// journalMetric is a figure of the journal.
type journalMetric struct {
	Metric
	get func(*filesystem.Transactions) uint64
}

func jbd(name, unit, doc string, get func(*filesystem.Transactions) uint64) journalMetric {
	return journalMetric{Metric{Name: "journal_" + name, Unit: unit, Better: Neither, Kind: Counter, Group: groupJournal, Source: "jbd2", Doc: doc}, get}
}

var journalTable = []journalMetric{
	jbd("commits", "transactions", "Transactions that were committed.",
		func(t *filesystem.Transactions) uint64 { return t.Commits }),
	jbd("groups", "groups", "Groups whose block bitmap or inode bitmap these changed, each counted once for each transaction.",
		func(t *filesystem.Transactions) uint64 { return t.Groups }),
	jbd("block_bitmaps", "bitmaps", "Block bitmaps that these changed, counted likewise.",
		func(t *filesystem.Transactions) uint64 { return t.BlockBitmaps }),
	jbd("inode_bitmaps", "bitmaps", "Inode bitmaps that these changed, counted likewise.",
		func(t *filesystem.Transactions) uint64 { return t.InodeBitmaps }),
}

// journalQuotient makes the entry of a figure for each transaction.
func journalQuotient(name, unit, doc string, over ...string) Metric {
	return Metric{Name: "journal_" + name, Unit: unit, Better: Lower, Kind: Ratio, Group: groupJournal, Source: "jbd2", Doc: doc,
		over: over, per: []string{"journal_commits"}}
}

var journalRatios = []Metric{
	journalQuotient("groups_per_commit", "groups/transaction", "Groups that a transaction touches: whose block bitmap or inode bitmap it changes.", "journal_groups"),
	journalQuotient("bitmaps_per_commit", "bitmaps/transaction", "Bitmaps that a transaction touches, of blocks and of inodes.", "journal_block_bitmaps", "journal_inode_bitmaps"),
}

// countTransactions puts the figures of the journal into r.
func countTransactions(t filesystem.Transactions, r Row) {
	for i := range journalTable {
		r[journalFirst+ID(i)] = float64(journalTable[i].get(&t))
	}
}
