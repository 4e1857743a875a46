// Package surfaces holds Portreeve's own surfaces to the specification, on a
// whole Portreeve: who may do what for whom, generated from the inventory of
// operations, what no answer may show, and what input may not do.
//
// A surface that is added stands in the inventory and joins by itself; what it
// takes in a body is written down in specimens_test.go.
package surfaces
