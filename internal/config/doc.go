// Package config turns a strict YAML or JSON text into Go structs, with a
// position for every complaint. It is a mechanism: it knows no feature, and
// the struct types of the features are its whole grammar.
//
// # Struct types
//
// A field's key is its `json` tag. Further rules stand in a `conf` tag,
// separated by commas: `required` (the key must stand and not be empty),
// `default=TEXT` (used where the key is absent and the mapping around it
// stands), `env=A|B` (the same, filled from the first of these variables that
// is set and not empty), `unless=x|y` (env is not read where one of these keys
// stands beside it), `oneof=a|b` (the texts it may be), `sensitive` (the values
// below it may be secrets without having their type: Redacted shows none). TEXT
// holds no comma.
// Embedded structs are flattened. Where a slice is taken, one value stands for
// a list of one, and one value from outside for what its commas part. A key
// without value (null) is an error everywhere but in trees and any.
//
// A type may say more about itself:
//
//	LaterKeys() map[string]string   keys of the product that this release does not have: key → what it is
//	ForeignKeys() []string          keys of another product's files that do not belong here
//	DecodeConfig(v *config.Value)   a union: decodes itself; see Value
//	Shapes() []any                  what a union takes, for the schema; see Shaped
//	JSONSchema() *jsonschema.Schema its schema, where even Shapes cannot say it
//
// # Flow
//
// Decode checks the raw bytes (size, UTF-8, controls), parses them into nodes
// that know their line and column, then walks nodes and Go types together.
// Values from outside ({{env.X}}, {{file.x}}, ${X}) are resolved on the way,
// once, and what they bring is never read again as anything but text. Every
// problem is kept; none ends the walk. Features then add their own through
// Document.Report.
package config
