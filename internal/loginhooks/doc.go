// Package loginhooks runs an operator's Actions beside a login, for providers that
// run none of their own: it is what login.Hooks and login.Factors are with the
// features that Portreeve has (actions, users, second factors).
//
// # Flow
//
//	the provider lets somebody in → their users row → scripts of a first sight
//	  (pre-user-registration) → a login is counted → post-login scripts → what they
//	  asked for: deny, a second factor, metadata, claims
//
// Whoever is seen for the first time gets a users row in the site's tenant, bound to
// who they are at the provider and to nothing else, without roles and without an
// address: no other identity finds it. Where the file has an oidc provider of the same
// issuer, the row and the factors are those that its tokens find, and a row that waits
// for a verified address is bound as at a first request.
//
// # Counting
//
// event.stats.logins_count counts the times that the provider let somebody in while
// scripts stood here, this one included, whatever came of it afterwards. It is counted
// before scripts run, in one UPDATE: of two first logins at once one is the first.
//
// # Refusal
//
// A script that denies, fails, asks for a factor where none can be asked for, or for a
// claim where nothing is signed, refuses the login, and the provider's tokens are
// revoked. What cannot be had is a load error where it can be seen in the code.
//
// Auth0: Actions Triggers post-login and pre-user-registration, the event object.
package loginhooks
