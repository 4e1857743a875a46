// Package login tests the login edge whole: a Portreeve with the surfaces
// backoffice and login in front of stand-ins for Auth0, Castle and the user
// service, which complain of every field that they do not know. Clients are plain
// HTTP, Auth0's own for Node, and a plain OAuth2 client.
package login
