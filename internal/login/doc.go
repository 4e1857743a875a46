// Package login owns what stands in front of an identity provider: the surfaces
// backoffice and login. Clients send a user name and a password and nothing else;
// the client's secret, audience, scope, realm and grant are put in here, and what a
// client sends under those names is dropped.
//
// # The gate
//
// Every path that takes a password, a refresh token or a code goes through one
// function, (*Surface).pass in gate.go, in one order:
//
//	body → lock-out → risk filter → user service → provider → scripts → risk → answer
//
// A path differs in what it reads and in what it asks of the provider (an attempt),
// never in what is asked before and after. provider.token, which sends a grant, has
// one caller.
//
// # What passes through
//
// A provider's answer of 2xx, 4xx or 5xx is the client's answer: status, body,
// Content-Type, Retry-After, X-RateLimit-*. A redirect, more than 1 MiB, a success
// that is no JSON object are 502; nobody there 502; too late 504. Its own refusals a
// surface words itself (shape.go).
//
// # What this package must not know
//
// How requests are scored, users looked up, failures counted and scripts run: ports.go
// says what it needs of those who do. It knows no net/http: internal/outbound sends.
//
// Auth0's Authentication API (password-realm, MFA, dbconnections), Management API v2;
// RFC 6749, 7009 (revocation), 7636 (PKCE), 9207 (iss).
package login
