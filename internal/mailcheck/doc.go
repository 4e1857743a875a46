// Package mailcheck is under way.
package mailcheck
