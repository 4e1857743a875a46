// Package castle is under way.
package castle
