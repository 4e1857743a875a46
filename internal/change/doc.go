// Package change tells every node what changed, in order, so that what is
// remembered of the store is never older than it claims to be.
//
// A writing transaction notes what it changes. As its very last statements it
// takes numbers from one counter row, which it then holds until it commits, and
// writes a row per change under them: whoever commits later has the higher
// number, on both engines, and a reader that sees number n sees all below it. (A
// sequence of PostgreSQL would not do: its numbers are drawn before the commit,
// so that a late commit slips in under a number that readers have passed.)
//
// Each node's Feed reads the rows after the last it has seen: four times a
// second, at once after a commit of its own process, and on PostgreSQL after
// any other's. Whoever remembers something of the store asks Seq before the
// query, keeps the answer with what was found and the Slots that it depends on,
// and asks Holds at every use:
//
//	asOf := feed.Seq()
//	v := query()
//	…
//	if feed.Holds(asOf, slots...) { use(v) }
//
// A slot is one place of 1<<16 that a name hashes to: two names may share one,
// which costs a query and never a stale value. A feed that finds rows missing,
// or the counter lower than before (a restored backup), lets nothing hold that
// was asked before.
//
// Holds does not say how old the feed's own knowledge is: Fresh does, and who
// decides by stored facts asks both.
package change
