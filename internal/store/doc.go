// Package store opens the database, runs transactions on it and hides what
// SQLite and PostgreSQL do differently. It owns the migrations and the tables
// of its own floor (meta, changes); what the other tables mean is their
// features' business, which write their queries themselves, on Tx, in one text
// for both engines: $1 parameters, ON CONFLICT … RETURNING, integers for
// milliseconds and for booleans, JSON as text, folding done in Go.
//
// # Transactions
//
// On SQLite every Tx has its turn on the one writing connection of the process,
// first come first served. Those that have queued up share one BEGIN IMMEDIATE and
// one COMMIT, each in a savepoint of its own (group): nobody is told how its own
// ended before all of it is durable. Read is a snapshot on a connection that cannot
// write. Connections keep their statements prepared. On PostgreSQL
// Tx is READ COMMITTED and Read is one REPEATABLE READ snapshot. Writers of one
// thing take turns by updating its row first (UPDATE tenants SET rev = rev + 1
// … RETURNING), which reads the same on both.
//
// Transactions do not nest: on SQLite the inner Tx would wait for the outer one
// until its time is up.
//
// A statement that fails ends its transaction on both engines, though SQLite
// alone would let it go on: what works on one must work on the other. Use ON
// CONFLICT DO NOTHING where a conflict is expected.
//
// # Failures
//
// A database that cannot be reached, is too slow, or breaks off is a
// fault.Unavailable with the code store_unavailable. That a row is not there is
// ErrNone; that a unique key is taken is told by Taken. Everything else is a
// mistake of ours and stays unclassified, which makes it a 500.
//
// A function may run twice: on PostgreSQL after a deadlock, on SQLite when another
// transaction of its batch made SQLite end all of it (a full disk, an interrupted
// statement). The second time it is alone.
//
// When the connection breaks during the commit, nobody here can know whether it
// was done: that too is store_unavailable. Whoever tries again must be told by
// the store what is already there (a unique key, a spent code).
package store
