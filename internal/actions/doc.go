// Package actions runs Auth0 Actions beside a login: the files that deploy to
// Auth0, before or instead of it.
//
// # Where a script runs
//
// In a fresh process of our own binary, one for each run and never shared. The
// engine that reads the JavaScript (goja) can be interrupted in its own loops
// and not in Go's (a sort of 20 million elements), and nothing bounds what it
// allocates; so the machine does:
//
//	environment     none                     RLIMIT_DATA    128 MiB more
//	descriptors     one socket pair, and     RLIMIT_CPU     2 s
//	                the Go runtime's poller  RLIMIT_NOFILE  nothing new can be opened
//	system calls    those of the Go runtime  RLIMIT_FSIZE, RLIMIT_CORE  0
//	                (seccomp)                no_new_privs, PDEATHSIG
//
// and the parent kills the child at the wall limit. RLIMIT_NPROC is left alone:
// it counts the threads of everything that runs as the same user, so a number
// that holds here breaks the neighbours; seccomp refuses new processes instead.
// A Child is shut in before it is given anything, and says what this machine
// could not enforce: Probe.
//
// # What a script can do
//
// Send messages, each a length and JSON: lines of console, calls of api, and
// questions (api.cache, fetch) that the parent answers. The parent believes none
// of it: frames, counts and sums are bounded, every call is held against the
// table of what its trigger may do (surface.go), and the Outcome is made from
// what passed. What a script does to Object.prototype is its own affair.
//
//	Run: slot → child → job → messages … done → wait for its end
//
// A script that throws, ends early, asks for too much or runs over is an error,
// and an error is a refusal.
//
// # What this package must not know
//
// Logins and providers: it is given an event and gives an Outcome. The main of
// every binary that runs Actions calls Child before it does anything else.
//
// Auth0: Actions Triggers post-login and pre-user-registration, event and api
// object; Actions Limitations; Create Custom Claims.
package actions
