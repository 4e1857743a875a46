package demo

import "path/filepath"

// SharedSteps are a second factor that alice sets up and shows, and an agent that
// she makes and shares with dave.
func (d *Demo) SharedSteps() []Step {
	file := func(name string) string { return filepath.Join(d.Dir, name) }
	as := func(who, rest string) string { return "curl -s -H @" + file(who) + " " + rest }
	code := `"{\"code\": \"$(curl -s ` + d.phone.URL() + `/code)\"}"`
	to := func(path string) string { return d.URL + path }
	return []Step{
		{as("alice", "-i "+to("/vault")), 403, "asks for a second factor, and alice has none"},
		{as("alice", "-X POST "+to("/mfa/setup")) + " | curl -s --data-binary @- " + d.phone.URL() + "/scan", 0,
			"alice's telephone, a stand-in too, scans the QR code (the token must be ten minutes old at most)"},
		{as("alice", "-d "+code+" "+to("/mfa/enable")), 200, "a code of it turns the factor on: ten backup codes, shown this once"},
		{"printf 'X-Portreeve-MFA: %s\\n' \"$(" + as("alice", "-d "+code+" "+to("/mfa/verify")) + ` | sed 's/.*"stepUpToken":"\([^"]*\)".*/\1/')" > ` + file("alice.mfa"), 0,
			"another code, for a token that is good for ten minutes"},
		{as("alice", "-H @"+file("alice.mfa")+" "+to("/vault")), 200, "it opens the vault, for alice and nobody else"},
		{as("dave", "-i -H @"+file("alice.mfa")+" "+to("/vault")), 403, "not for dave"},
		{as("alice", `-d '{"name": "helpdesk", "description": "Answers what it can"}' `+to("/api/agents")), 201, "an agent, which alice owns"},
		{as("dave", "-i "+to("/api/agents/helpdesk")), 403, "dave has no role on it"},
		{as("alice", `-d '{"email": "dave@example.com", "role": "viewer"}' `+to("/api/agents/helpdesk/admins")), 201, "alice shares it"},
		{as("dave", to("/api/agents/helpdesk")), 200, "dave reads it"},
		{as("dave", "-i "+to("/agents/helpdesk/run")), 403, "a route of the file asks for the role admin on it"},
		{as("alice", to("/agents/helpdesk/run")), 200, "which its owner has"},
	}
}
