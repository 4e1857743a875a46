// Package lockout is under way.
package lockout
