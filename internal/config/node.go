package config

// Kind is the shape of a value in the file.
type Kind uint8

// The shapes.
const (
	Null Kind = iota
	Scalar
	Map
	Sequence
)

// node is a value of the file, free of the YAML library that read it.
type node struct {
	kind         Kind
	line, column int
	text         string   // Scalar: as written, unquoted
	plain        bool     // Scalar without quotes: true, 12 and 1.5 have their type
	members      []member // Map, in order, names unique
	items        []*node  // Sequence
	short        bool     // Map made here, for a union's short form: its key is not in the file
	broken       bool     // complained about; a Map still holds what could be read
	resolved     *text    // Scalar made here, from a variable: not read again
}

// member is one key of a mapping.
type member struct {
	name         string
	line, column int
	value        *node
}

// find returns the member called name.
func (n *node) find(name string) (member, bool) {
	if n != nil {
		for _, m := range n.members {
			if m.name == name {
				return m, true
			}
		}
	}
	return member{}, false
}
