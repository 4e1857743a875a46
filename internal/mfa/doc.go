// Package mfa keeps second factors: authenticator apps (TOTP, RFC 6238 over RFC
// 4226), passkeys (Web Authentication Level 3) and backup codes, and the step-up
// tokens that prove that one was shown.
//
// It owns the tables mfa_*. It must not know routes: which of them ask for a
// second factor is policy's to say, to which Find answers.
//
// # Whose factor
//
// A person is (tenant, provider, issuer, subject), as a users row is bound, kept
// as a digest: whoever has no users row has factors too. Only people have them:
// keys, machines and services are refused.
//
// # Flow
//
// setup makes a secret that is pending, verify proves that the app has it, enable
// turns it on and hands out ten backup codes. From then on verify, or a passkey,
// gives a step-up token: 256 random bits, stored as a digest, good for the tenant,
// the person, the site and the very session (else the very credential) that it
// was given to.
//
// Turning on the first factor needs somebody who signed in within ten minutes: a
// token that was stolen later cannot. Changing anything after that needs a current
// code or a fresh step-up.
//
// # Guessing
//
// Whatever is wrong counts for the person, over all factors and nodes: five
// within five minutes, or twenty within a day, lock for 15 minutes, then for an
// hour, then for a day. All writes of a person take turns on its row, so that of
// many guesses at once no more than five are looked at. While it is locked a right code is refused as
// well, and is not spent. What is locked is the trying: who has shown a factor
// before keeps the step-up.
//
// A code counts once. The step of the last one is moved on by one conditional
// UPDATE, as backup codes and challenges are spent.
package mfa
