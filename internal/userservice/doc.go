// Package userservice asks an operator's own service what it knows of somebody:
// whether they may sign in, and their whole record.
//
// It must not know providers or what is done with a status: that is the login
// edge's.
//
// # The wire
//
// Three calls, all POST with a JSON object, signed by AWS Signature Version 4 over
// host, date, length, type and body. The shapes are ours, as plain as they can be,
// since no published one exists:
//
//	byEmail  {"email"}      200 with the user's record; 404, null or {} where there is none
//	unblock  {"id"}         any 2xx
//	create   {"id", "email", "username"?, "given_name"?, "family_name"?, "name"?, "nickname"?,
//	          "picture"?, "phone_number"?, "user_metadata"?}
//	                        any 2xx; 409 where there is one already
//
// A record is an object of at most 256 KiB with "id" and "status", both texts (an
// id may be a whole number); what else it holds is passed on as it came. A service
// that answers with a list is understood where the list holds one record, or none.
// A record without an id or without a status is the service's failing: nobody can
// say whether such a user is blocked.
//
// Every other answer, and none, is an error; onError is applied by the caller, who
// knows what is at stake.
package userservice
