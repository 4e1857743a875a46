package demo

// apiKeys is the life of an API key, for a tenant of the visitor's own. The store
// is written beside the process that serves it, which takes changes up by itself
// within a second: hence the pauses.
func (d *Demo) apiKeys() Group {
	const of = " --tenant globex"
	keep := func(command, name string) string {
		return "printf 'x-api-key: %s\\n' \"$(./portreeve keys " + command + of + ")\" > " + name
	}
	ask := func(status int, name, shows string) Step {
		return Step{Line: "sleep 1; " + curl(status, "-H @"+name+" "+d.URL+"/docs/7"), Status: status, Shows: shows}
	}
	return Group{Name: "keys", Title: "A tenant, and the life of an API key", Steps: []Step{
		{Line: "./portreeve tenants create globex", Shows: "a tenant"},
		{Line: keep("create --name ci --scope docs:read", "ci"), Shows: "a key for it: shown this once, kept as a hash"},
		ask(200, "ci", "its scope is enough"),
		{Line: keep("rotate ci", "ci.new"), Shows: "another secret for the same key (--grace 1h would leave both)"},
		ask(401, "ci", "the old one is refused"),
		ask(200, "ci.new", "the new one is not"),
		{Line: "./portreeve keys revoke ci" + of, Shows: "the key ends"},
		ask(401, "ci.new", "and opens nothing"),
		{Line: "./portreeve audit tail" + of, Shows: "who did what"},
	}}
}
