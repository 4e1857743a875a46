// Package session owns browsers' sessions: how they begin, by the OpenID Connect
// code flow or a one-time link, how they are kept, and how they end.
//
// # How one begins
//
//	GET  /.portreeve/login/{provider}?return=/path    state, nonce and PKCE verifier are stored, sealed, under
//	                                                  the digest of the state; a pre-session cookie says whose
//	GET  /.portreeve/callback/{provider}              state and cookie are spent together, the code is exchanged,
//	                                                  the ID token held to identity.Provider.VerifyIDToken
//	303  return                                       with a new cookie: the pre-session never becomes the session
//
// What is begun is kept for ten minutes: eight of one browser, 2,000 of one network
// and 100,000 in all, beyond which the oldest goes. Sealed in the cookie it would
// need no bound; but return is kept server-side, and tabs that open at once would
// take each other's cookie away.
//
// # How one is kept
//
// A session is a row with an id for life, and cookies: random, stored as SHA-256,
// of which one counts and those before it for a moment (other tabs). What the
// provider said of the person is sealed. Roles, tenant and user status are not in
// it: policy.Directory reads them at every decision. Verify says whose a cookie is;
// Session, Keep and Stand are the Directory's part: has it ended, are its tokens to
// be refreshed, does it need another cookie.
//
// A refresh token is spent by whoever holds the row's lease, on one node, and what
// came of it is stored in one statement: everybody else waits for that, so that
// tabs and nodes never spend one token twice, which providers take for theft.
//
// # What this package must not know
//
// Routes, requirements, and how a refusal looks. It talks to providers, which is
// why it knows net/http, as a client alone.
//
// RFC 6749, 7636 (PKCE), 9207 (iss); OpenID Connect Core, RP-Initiated Logout and
// Back-Channel Logout 1.0.
package session
