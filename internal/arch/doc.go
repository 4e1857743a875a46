// Package arch holds the house's order: which layer each package is in, and
// that imports run one way, down the list in layers.go. It is nothing but a
// table and the test that reads every import of the module against it; the
// drawing of the same table is docs/architecture.md.
package arch
