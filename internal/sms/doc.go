// Package sms texts people a link to the app: they type their number into a page
// of the company's, and a message of a campaign goes to it by Twilio.
//
// It owns the tables sms_*, the widget, and the requests to Twilio and Turnstile.
// It must not know sockets, nor who calls: callers are anonymous, and what tells
// them apart is their address.
//
// # Flow
//
//	origin     one of the file's, byte for byte; every answer to it carries CORS
//	body       {"to": …}, and the token of the bot check
//	number     libphonenumber's rules; one of the file's regions; one that takes texts
//	campaign   last segment of the path up to its first dot
//	bot check  Turnstile, where configured
//	claim      repeats and limits, in the site's turn; the row counts from here on
//	send       Twilio
//	settle     accepted, refused (the row goes) or unknown (it stays)
//
// The claim is committed before anything is sent, so that limits hold for any
// number of callers and nodes at once. What Twilio refused is as if it had not
// been asked. Where nobody can say whether it took the message, the row goes on
// counting: it may have been paid for. After a minute the same text to the same
// number may be tried again, as if that row were none; it goes once that one is
// accepted, and otherwise both count.
//
// Numbers and addresses stand in the store as digests under the master key (under
// every listed one while it is rotated), and in the log as two digits.
//
// A limit counts in any span of its window: perNumber over all campaigns, perIP by
// address (IPv6: /64), perPrefix by the number without its last four digits (the
// block in which whoever is paid per text buys numbers), perDay by 24 hours.
//
// Twilio: Messages resource, 2010-04-01. Turnstile: server-side validation.
package sms
