package demo

// sharing is a second factor that alice sets up and shows, and an agent that she
// makes and shares with dave.
func (d *Demo) sharing() Group {
	as := func(who, rest string) string { return "curl -s -H @" + who + " " + rest }
	// A shell's own printf, so that the code is in no list of processes.
	code := `printf '{"code": "%s"}' "$(curl -s ` + d.alices.URL() + `/code)" | `
	to := func(path string) string { return d.URL + path }
	steps := []Step{
		{as("alice", "-i "+to("/vault")), 403, "asks for a second factor, and alice has none", false},
		{as("alice", "-X POST "+to("/mfa/setup")) + " | curl -s --data-binary @- " + d.alices.URL() + "/scan", 0,
			"alice's telephone, a stand-in too, scans the QR code (the token must be ten minutes old at most)", false},
		{code + as("alice", "-d @- "+to("/mfa/enable")), 200, "a code of it turns the factor on: ten backup codes, shown this once", false},
		{code + as("alice", "-d @- "+to("/mfa/verify")) + ` | sed 's/.*"stepUpToken":"\([^"]*\)".*/X-Portreeve-MFA: \1/' > alice.mfa`, 0,
			"another code, for a token that is good for ten minutes", false},
		{as("alice", "-H @alice.mfa "+to("/vault")), 200, "it opens the vault, for alice and nobody else", false},
		{as("dave", "-i -H @alice.mfa "+to("/vault")), 403, "not for dave", false},
		{as("alice", `-d '{"name": "helpdesk", "description": "Answers what it can"}' `+to("/api/agents")), 201, "an agent, which alice owns", false},
		{as("dave", "-i "+to("/api/agents/helpdesk")), 403, "dave has no role on it", false},
		{as("alice", `-d '{"email": "dave@example.com", "role": "viewer"}' `+to("/api/agents/helpdesk/admins")), 201, "alice shares it", false},
		{as("dave", to("/api/agents/helpdesk")), 200, "dave reads it", false},
		{as("dave", "-i "+to("/agents/helpdesk/run")), 403, "a route of the file asks for the role admin on it", false},
		{as("alice", to("/agents/helpdesk/run")), 200, "which its owner has", false},
	}
	return Group{Name: "people", Title: "A second factor, and an agent that is shared", Steps: steps}
}
