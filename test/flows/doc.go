// Package flows tests who gets in, against a whole Portreeve on a free port:
// one file per flow, the configuration and every credential in it, and an
// application behind that says what it received. The issuers are
// internal/standin's, which can be told to misbehave, and real ones from npm,
// which share no code with Portreeve.
package flows
