package policy

// RoleFacts are a role of the file, or a built-in one, as lists of roles show it.
type RoleFacts struct {
	Name, Description string
	Parent            string
	Own, Effective    []string // permissions; Effective has the inherited ones too and is sorted
	BuiltIn           bool
}

// Look describes a role of the file or a built-in one.
func (b *Book) Look(name string) (RoleFacts, bool) {
	r := b.roles[name]
	if r == nil {
		return RoleFacts{}, false
	}
	return RoleFacts{
		Name: r.name, Description: r.about, Parent: r.parent, Own: textsOf(r.own),
		Effective: append([]string{}, r.set.list...), BuiltIn: r.where == "",
	}, true
}

// Parent is the parent of a role of the file or a built-in one, "" for none. ok
// is false where there is no such role.
func (b *Book) Parent(name string) (parent string, ok bool) {
	r := b.roles[name]
	if r == nil {
		return "", false
	}
	return r.parent, true
}

// DefaultRole is the role of users who have no other, "" for none.
func (b *Book) DefaultRole() string {
	if b.defaultRole == nil {
		return ""
	}
	return b.defaultRole.name
}
