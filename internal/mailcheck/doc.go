// Package mailcheck says whether mail can be sent to an address: whether it has
// the form of one, and whether its domain takes mail.
//
// It sends no mail and asks no mail server: whether there is such a mailbox is not
// to be had without both, and would tell strangers who is a customer.
//
// # Form
//
// What people have is taken (RFC 5322 dot-atom, RFC 6531 letters of other scripts,
// tags), and what no provider gives out is not: quoted local parts, comments,
// addresses of machines in brackets, domains without a dot. Lengths are those of
// RFC 5321 and the name system: 64, 253, 254 in all. Domains of other scripts are asked for in their ASCII
// form (IDNA 2008, as UTS 46 maps it for look-ups).
//
// # Domain
//
// RFC 5321 section 5.1: MX records, else A or AAAA. A null MX (RFC 7505, one record
// with the name ".") says that the domain takes no mail. A domain with none of
// these is "no_mx" where it has name servers, and else "domain". Where the
// name system does not say, the address counts as valid, with the reason "unknown":
// a form must not turn people away because a resolver is slow.
//
// # Bounds
//
// At most three questions about a domain and three seconds; 32 domains at a time,
// and those that find no place within their time are "unknown"; the same domain is
// asked for once, however many ask at once. What was found is kept for five
// minutes, for 4,096 domains.
package mailcheck
