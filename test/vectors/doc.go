// Package vectors holds every format of secret escrow against its three readers:
// the command line's (internal/escrow/ends), the browser's (internal/escrow/web, in
// Node here and in Chromium in test/browser) and jose of npm, which knows nothing of
// either. What each of them seals, wraps and splits, the others open; what is
// hostile, both of ours refuse, and before anything is derived where that can be.
//
// The vectors are in internal/escrow/testdata/vectors. -update makes them anew:
// keys.json is kept if it is there, the rest is drawn again where an algorithm
// draws. jose takes a p2c of up to 10,000 unless it is told maxPBES2Count.
package vectors
