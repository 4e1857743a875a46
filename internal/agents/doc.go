// Package agents owns things that people share, and who has which role on each.
//
// Things stand in collections: "agents" first, others by configuration; all are
// served alike. A thing is its tenant's: one of the same name in another tenant is
// another thing, and nobody learns of it. A member has one role on it:
//
//	viewer  reads it
//	admin   changes it, and sees who its members are
//	owner   everything: deletes it, and says who its members are
//
// What a caller may otherwise do (*:* included) opens no thing on which they have
// no role, and to a caller without one all things look alike: private, missing,
// another tenant's. Public ones stand in the list, without their settings.
//
// A member is known by a verified e-mail, by an Access service token, or, where
// a caller has neither, by its identity (provider, issuer, subject). An e-mail
// that a users row of the tenant has counts only for the identity that the row is
// bound to. API keys and machine tokens have no role on anything.
//
// Every write begins with the tenant's turn and looks the caller's role up in its
// own transaction, so that a thing has an owner at any time, whoever removes whom
// at once. Names and ids of members are not given again.
//
// Where a site has no authentication (auth: none), each collection has one thing,
// "default", of which everybody is admin; nothing else there can be changed.
//
// Service answers policy.Resources from a bounded table that is read without
// locks; what is not at hand, or has changed since it was read, is a park.Job.
//
// It knows nothing of users beyond their bindings, and nothing of transports.
package agents
