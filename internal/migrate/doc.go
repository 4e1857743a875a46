// Package migrate brings over what other systems keep: rows of the provisioning
// backend's database into the store (D1), the older backend's config.json
// (Backflow) and a worker's wrangler.toml or .json (Wrangler) into a
// portreeve.yaml.
//
// Every import says what it took, what it left and why (Report), changes nothing
// when it is run again, and copies no secret into a file: a value that is secret
// becomes a variable.
//
// A dump is read, never executed. Only its INSERTs count, by SQLite's own rules
// for literals (https://sqlite.org/lang_expr.html) and the three calls that its
// dumps hold; all else is passed over, the bodies of triggers included. No SQL
// parser of the field was taken: github.com/rqlite/sql does not read replace(…)
// in values, which SQLite's own dumps are full of, nor PRAGMA, and a row of open
// parentheses ends the process. SQLite itself is the oracle of the tests.
//
// What is in doubt is left: a token that any column calls revoked, disabled or
// ending does not come to life here, and a route whose provider is not known
// here is not opened to others.
package migrate
