// Package durability takes the real program and its stores apart: processes
// that are killed while they write, stores that go away, keys that are wrong,
// many nodes at once. What was acknowledged must be there afterwards, nothing
// may be half done, and who was shut out must be out within the bound.
//
// PORTREEVE_KILLS is how often each engine's process is killed (8), and
// PORTREEVE_ROUNDS how often each change is measured from node to node (10);
// `make soak` raises both.
package durability
