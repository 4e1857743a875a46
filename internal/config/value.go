package config

// Value is a value of the file in the hands of a type that decodes itself
// (DecodeConfig). Such a type looks at Kind and decodes into one shape or
// another:
//
//	func (u *Upstream) DecodeConfig(v *config.Value) {
//		if v.Kind() == config.Scalar {
//			v.Decode(&u.URL)
//			return
//		}
//		v.Decode(u) // its fields: DecodeConfig is not called again
//	}
type Value struct {
	doc  *Document
	node *node
	path string
}

// Kind is the shape of the value.
func (v *Value) Kind() Kind { return v.node.kind }

// Path is where the value stands: "routes[3].upstream".
func (v *Value) Path() string { return v.path }

// Report is the reporter for the value's place.
func (v *Value) Report() *Reporter { return v.doc.Report(v.path) }

// Errorf reports a problem with the value.
func (v *Value) Errorf(format string, args ...any) { v.Report().Errorf("", format, args...) }

// Warnf reports what does not keep the file from loading.
func (v *Value) Warnf(format string, args ...any) { v.Report().Warnf("", format, args...) }
