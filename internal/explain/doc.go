// Package explain remembers refusals and says in plain words why a decision
// fell as it did and what would have been enough.
//
// It owns the ring of what was refused lately on this node and the text that a
// person reads. It does not decide anything: the steps come from a
// trace.Recorder that the decision filled.
//
// The ring is bounded in all, per route and reason, and per client address, so
// that a flood of one kind pushes out its own like and not the one refusal that
// somebody asks about. What it keeps is cut to size and copied, since a record
// outlives the request whose buffers its texts stand in.
package explain
