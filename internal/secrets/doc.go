// Package secrets keeps what a tenant's routes need to say to upstreams: API
// tokens and passwords that stand in headers as {{secret:KEY}}.
//
// It owns the table tenant_secrets. A value goes in and never comes out: lists
// show names, dates and use alone. It is sealed for its tenant, its row and its
// column under the master key, purpose "tenant-secret:<tenant>", so that a row
// copied to another tenant, or one of a secret that was deleted, opens nowhere.
// It must not know routes: which secrets a request needs is the gateway's to
// say.
//
// # Values
//
// Any text of at most 64 KiB can be kept, line breaks included: a certificate is
// a secret too. What no header can carry (controls, blanks at an end) is refused
// where a header would use it, by a 403, and a list says so beforehand:
// usableInHeaders is false. Refusing it when it is stored would make the store
// know about headers, and a later use of secrets impossible.
//
// # Rotation
//
// {{secret:KEY}} is the new value at once. The one before stays sealed in its
// row for gracePeriodDays, listed as previousExpiresAt, and is removed then, or
// by the next rotation.
//
// # Reading
//
// Find answers from memory, within a bound, as long as no change of the secret
// was noted since it was read; what is not at hand is a job that reads and opens
// it. Where changes could not be followed for too long, Find refuses. Uses are
// counted in memory and written with the usage of keys.
package secrets
