// Package outbound calls services that the configuration names: an identity
// provider, a risk service, a sender of messages, an intake of logs. A Client is
// for one of them.
//
// A call is bounded in time, in what it reads, and in where it goes. It follows
// no redirect, since whoever could make the service answer one could send our
// credentials elsewhere; it asks no proxy of the environment; and every address
// is looked at after it is resolved and before it is dialled, so that no name can
// change its mind in between. Errors name the host and what went wrong, never a
// query, a header or a body.
//
// It knows nothing of what it carries: whether an answer is right is for the
// feature to say.
package outbound
