package demo

// escrow is "Verify it's wired" of the older system, and then a secret's way from
// a machine to a person. The key was made when the demo began (onboard), and its
// passphrase is in a file, from which the command reads it.
func (d *Demo) escrow() Group {
	to := func(path string) string { return d.at("escrow", path) }
	pin := " --signer " + d.signer
	steps := []Step{
		{curl(200, to("/health")), 200, "it is there", false},
		{curl(409, "-H @newcomer "+to("/v1/tenant/pubkey")), 409, "a machine of a tenant that has no key yet", true},
		{curl(200, "-H @engine "+to("/v1/tenant/pubkey")), 200, "one whose tenant has: olga made it, under the passphrase " + d.passphrase, true},
		{curl(200, "-H @engine "+to("/v1/tenant/pubkey")) + " > pubkey.json", 0, "that key, kept", false},
		{"printf 'Tr0ub4dor&3' > secret.txt", 0, "a secret of the machine laptop-7", false},
		{"./portreeve escrow seal --key pubkey.json" + pin + " --machine laptop-7 --kind admin-password --secret secret.txt > sealed", 0,
			"on the machine it is sealed to that key, which the key that is pinned has signed", false},
		{`printf '{"machine": "laptop-7", "kind": "admin-password", "ciphertext": "%s"}' "$(cat sealed)" | ` + curl(201, "-H @engine -d @- "+to("/v1/secret")), 201, "and handed over", false},
		{curl(200, "-H @olga "+to("/v1/secrets")), 200, "olga sees that there is one", false},
		{curl(200, "-H @olga '"+to("/v1/secrets?kind=admin-password")+"'") + ` | sed 's/.*"id":"\(sec_[^"]*\)".*/\1/' > secret.id`, 0, "its id, kept", false},
		{curl(200, `-H @olga -d '{"reason": "laptop-7 is locked out"}' `+to("/v1/secrets/$(cat secret.id)/reveal")) + " > revealed.json", 0,
			"she has it revealed, still sealed: her reason is on record before", false},
		{curl(200, "-H @olga "+to("/v1/tenant/key")) + " > keys.json", 0, "and the private key, wrapped by the passphrase", false},
		{`printf '{"tenant": "main", "secrets": [%s], %s' "$(cat revealed.json)" "$(sed 's/^{//' keys.json)" > both.json`, 0, "both in one file", false},
		{"./portreeve escrow open --export both.json" + pin + " --passphrase-file passphrase", 0, "on her own machine she opens it", false},
		{"if grep -aqFf secret.txt portreeve.db*; then exit 1; else echo no; fi", 0, "is it anywhere in the store?", false},
		{curl(200, "-H @olga "+to("/v1/audit")), 200, "who did what", false},
		{"./portreeve tenants export main > main.json && ./portreeve escrow open --export main.json --list", 0, "and an export opens without any server", false},
	}
	return Group{Name: "escrow", Title: "Secrets of machines, which the server cannot read", Steps: steps}
}
