package portal

import (
	"slices"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// keyPage is one key, and what its reader may do with it.
type keyPage struct {
	Key                    apiKey
	Change, Rotate, Revoke lock
	Why                    bool   // "who can do what" stands here
	Maker                  string // what whoever made it is called, where that is a user
	Chart                  chart
}

func (v *visit) key() (k apiKey, err error) {
	err = v.ask("GET", "/tenant/api-keys/"+segment(v.param("id")), nil, &k)
	return k, err
}

func showKey(v *visit) (request.Reply, error) {
	k, err := v.key()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key", k.Name, v.keyPage(k))
}

func (v *visit) keyPage(k apiKey) keyPage {
	at := "/tenant/api-keys/" + segment(k.ID)
	return keyPage{Key: k, Change: v.may("PATCH", at), Rotate: v.may("POST", at+"/rotate"), Revoke: v.may("DELETE", at),
		Why: v.may("GET", "/.portreeve/insight/access?key="+segment(k.ID)).OK, Maker: v.called(k.CreatedBy.UserID), Chart: v.keyChart(at)}
}

// called is what people call a user; its id where the reader may not know.
func (v *visit) called(id string) string {
	if id == "" {
		return ""
	}
	var u user
	if v.ask("GET", "/tenant/users/"+segment(id), nil, &u) != nil {
		return id
	}
	return u.Title()
}

// keyChart is what a key was used for in the last days. A page without it is a
// page all the same.
func (v *visit) keyChart(at string) chart {
	out := chart{Title: "Requests a day", Series: []string{"answered", "refused or failed"}}
	var days struct {
		Data []struct {
			Start time.Time
			One   int `json:"1xx"`
			Two   int `json:"2xx"`
			Three int `json:"3xx"`
			Four  int `json:"4xx"`
			Five  int `json:"5xx"`
		}
	}
	if err := v.ask("GET", at+"/usage?bucket=day", nil, &days); err != nil {
		return chart{}
	}
	for _, d := range days.Data {
		out.Bars = append(out.Bars, bar{d.Start, []int{d.One + d.Two + d.Three, d.Four + d.Five}})
	}
	return out
}

// switchKey disables a key, or enables it again.
func switchKey(v *visit, f *form) (request.Reply, error) {
	off := f.get("do") == "disable"
	at := "/tenant/api-keys/" + segment(v.param("id"))
	if err := v.ask("PATCH", at, map[string]bool{"disabled": off}, nil); err != nil {
		k, errKey := v.key()
		if errKey == nil && f.problems(err) {
			return v.again(f, "key", k.Name, v.keyPage(k))
		}
		return request.Reply{}, err
	}
	return v.done("/keys/"+segment(v.param("id")), map[bool]string{true: "key-disabled", false: "key-enabled"}[off])
}

func editKey(v *visit) (request.Reply, error) {
	k, err := v.key()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key-form", "Change "+k.Name, v.keyForm(nil, &k))
}

func changeKey(v *visit, f *form) (request.Reply, error) {
	k, err := v.key()
	if err != nil {
		return request.Reply{}, err
	}
	again := func() (request.Reply, error) {
		return v.again(f, "key-form", "Change "+k.Name, v.keyForm(f, &k))
	}
	in, scopes := map[string]any{"name": f.get("name")}, f.chosen("scopes", "moreScopes")
	if !sameList(scopes, k.Scopes) { // what did not change is not judged anew
		in["scopes"] = scopes
	}
	if ips := f.lines("allowedIPs"); !sameList(ips, k.AllowedIPs) {
		in["allowedIPs"] = append([]string{}, ips...)
	}
	if f.get("expires") != v.day(k.ExpiresAt) {
		ends, ok := v.lastDay(f, "expires")
		if !ok {
			return again()
		}
		in["expiresAt"] = ends
	}
	if err := v.ask("PATCH", "/tenant/api-keys/"+segment(k.ID), in, nil); err != nil {
		if f.namely(err, "scopes", scopes).namely(err, "allowedIPs", f.lines("allowedIPs")).problems(err, "expiresAt", "expires") {
			return again()
		}
		return request.Reply{}, err
	}
	return v.done("/keys/"+segment(k.ID), "saved")
}

func sameList(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// endPage asks before something ends, or is exchanged: a key or a machine token.
type endPage struct {
	Key            apiKey
	At, List, Name string // where its page stands, the list's, and what that is called
	Allowed        lock
	Grace          []graceChoice
}

// endPage is the page of an operation upon a key.
func (v *visit) endPage(k apiKey, method, operation string) endPage {
	p := endPage{Key: k, At: "/keys/" + segment(k.ID), List: "/keys", Name: "API keys", Grace: graces()}
	at := "/tenant/api-keys/"
	if k.Machine {
		p.At, p.List, p.Name = "/machine-tokens/"+segment(k.ID), "/machine-tokens", "Machine tokens"
		at = "/tenant/machine-tokens/"
	}
	p.Allowed = v.may(method, at+segment(k.ID)+operation)
	return p
}

// graceChoice is how long the secret before a rotation goes on.
type graceChoice struct {
	Seconds int
	Label   string
}

func graces() []graceChoice {
	return []graceChoice{{3600, "for one more hour"}, {86400, "for one more day"}, {7 * 86400, "for seven more days"}, {30 * 86400, "for thirty more days"}, {0, "not at all: it ends now"}}
}

func askRotateKey(v *visit) (request.Reply, error) {
	k, err := v.key()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key-rotate", "Rotate "+k.Name, v.endPage(k, "POST", "/rotate"))
}

func rotateKey(v *visit, f *form) (request.Reply, error) {
	k, err := v.key()
	if err != nil {
		return request.Reply{}, err
	}
	var made madeKey
	if err := v.ask("POST", "/tenant/api-keys/"+segment(k.ID)+"/rotate", f.grace(), &made); err != nil {
		if f.problems(err, "gracePeriodSeconds", "grace", "scopes", "grace", "permissions", "grace") {
			return v.again(f, "key-rotate", "Rotate "+k.Name, v.endPage(k, "POST", "/rotate"))
		}
		return request.Reply{}, err
	}
	made.At, made.List, made.ListName = "/keys/"+segment(k.ID), "/keys", "API keys"
	return v.show("key-made", "The new secret of "+k.Name, made)
}

// grace is the body of a rotation. What is no number is the operation's to refuse.
func (f *form) grace() map[string]any {
	if n, err := strconv.Atoi(f.get("grace")); err == nil {
		return map[string]any{"gracePeriodSeconds": n}
	}
	return map[string]any{"gracePeriodSeconds": f.get("grace")}
}

func askRevokeKey(v *visit) (request.Reply, error) {
	k, err := v.key()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key-revoke", "Revoke "+k.Name, v.endPage(k, "DELETE", ""))
}

func revokeKey(v *visit, f *form) (request.Reply, error) {
	if err := v.ask("DELETE", "/tenant/api-keys/"+segment(v.param("id")), nil, nil); err != nil {
		if k, errKey := v.key(); errKey == nil && f.problems(err) {
			return v.again(f, "key-revoke", "Revoke "+k.Name, v.endPage(k, "DELETE", ""))
		}
		return request.Reply{}, err
	}
	return v.done("/keys", "revoked")
}
