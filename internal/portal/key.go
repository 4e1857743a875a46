package portal

import (
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// keyPage is one key, and what its reader may do with it.
type keyPage struct {
	standing
	Key                    apiKey
	Change, Rotate, Revoke lock
	Why                    bool   // "who can do what" stands here
	Maker                  string // what whoever made it is called, where that is a user
	Chart                  chart
}

func showKey(v *visit) (request.Reply, error) {
	k, err := apiKeys().read(v)
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key", k.Name, apiKeys().pageOf(v, k))
}

func (kind keyKind) pageOf(v *visit, k apiKey) keyPage {
	at := kind.at(k.ID)
	return keyPage{standing: standing{k.tag}, Key: k, Change: v.may("PATCH", at), Rotate: v.may("POST", at+"/rotate"), Revoke: v.may("DELETE", at),
		Why: v.may("GET", "/.portreeve/insight/access?key="+segment(k.ID)).OK, Maker: v.called(k.CreatedBy.UserID), Chart: v.keyChart(k.ID)}
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
func (v *visit) keyChart(id string) chart {
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
	if err := v.ask("GET", apiKeys().at(id)+"/usage?bucket=day", nil, &days); err != nil {
		return chart{}
	}
	for _, d := range days.Data {
		out.Bars = append(out.Bars, bar{d.Start, []int{d.One + d.Two + d.Three, d.Four + d.Five}})
	}
	return out
}

// switchKey disables a key, or enables it again.
func switchKey(v *visit, f *form) (request.Reply, error) {
	kind, off := apiKeys(), f.get("do") == "disable"
	ask := v.change
	if off { // whatever became of it: whoever stops a key is not to be held up
		ask = func(_ *form, method, target string, in any) error { return v.ask(method, target, in, nil) }
	}
	if err := ask(f, "PATCH", kind.at(v.param("id")), map[string]bool{"disabled": off}); err != nil {
		e := v.keyEdit(f)
		e.again, e.fields = "", nil
		e.shown = func(k apiKey) (string, string, any) { return "key", k.Name, kind.pageOf(v, k) }
		if reply, ok, err := e.meanwhile(v, f, err); ok {
			return reply, err
		}
		k, errKey := kind.read(v)
		if errKey == nil && f.problems(err) {
			return v.again(f, "key", k.Name, kind.pageOf(v, k))
		}
		return request.Reply{}, err
	}
	return v.done(kind.page(v.param("id")), map[bool]string{true: "key-disabled", false: "key-enabled"}[off])
}
