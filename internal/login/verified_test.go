package login

import (
	"encoding/json"
	"testing"
)

// An address that nobody has proved to have opens nobody's record.
func TestAnAddressThatIsNotVerifiedOpensNoRecord(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	s := issuer(t, k)
	for name, c := range map[string]struct{ userinfo, id, account string }{
		"verified":                               {`{"sub":"auth0|1","email":"ann@example.com","email_verified":true}`, "u1", `{"id":"u1","plan":"gold"}`},
		"not verified":                           {`{"sub":"auth0|1","email":"ann@example.com","email_verified":false}`, "u1", `null`},
		"not verified, and the record is theirs": {`{"sub":"auth0|1","email":"ann@example.com","email_verified":false}`, "auth0|1", `{"id":"u1","plan":"gold"}`},
		"nothing is said":                        {`{"sub":"auth0|1","email":"ann@example.com"}`, "u1", `null`},
		"of somebody else's sub":                 {`{"sub":"auth0|2","email":"ann@example.com","email_verified":true}`, "u1", `null`},
	} {
		k.info, k.users.id = c.userinfo, c.id
		var session struct {
			Token string `json:"session_token"`
		}
		if got := k.send("GET /layer/session", "", "Authorization: Bearer "+access(t, k, s, nil)); json.Unmarshal([]byte(got.body), &session) != nil || got.status != 200 {
			t.Fatal(name, got)
		}
		var out struct {
			Account json.RawMessage `json:"account"`
		}
		if got := k.send("POST /layer/session/account", "", "Authorization: Bearer "+session.Token); json.Unmarshal([]byte(got.body), &out) != nil || string(out.Account) != c.account {
			t.Errorf("%s: %v", name, got)
		}
	}
}
