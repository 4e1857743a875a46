package demo

// escrow is "Verify it's wired" of the older system, and then a secret's way from
// a machine to a person. The key was made when the demo began (onboard); the
// passphrase is in a file, from which the command reads it.
func (d *Demo) escrow() Group {
	steps := []Step{
		{curl(200, d.at("escrow", "/health")), 200, "it is there", false},
		{curl(409, "-H @newcomer "+d.at("escrow", "/v1/tenant/pubkey")), 409, "a machine of a tenant that has no key yet", true},
		{curl(200, "-H @engine "+d.at("escrow", "/v1/tenant/pubkey")), 200, "one of the tenant for which olga has made a key", true},
	}
	return Group{Name: "escrow", Title: "Secrets of machines, which the server cannot read", Steps: steps}
}
