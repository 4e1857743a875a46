package portal

import (
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) machineTokens() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/machine-tokens", "machine tokens", listTokens),
		s.get("/machine-tokens/new", "make a machine token", newToken),
		s.post("/machine-tokens/new", "make a machine token", createToken),
		s.get("/machine-tokens/:id", "a machine token", showToken),
		s.get("/machine-tokens/:id/rotate", "rotate a machine token", askRotateToken),
		s.post("/machine-tokens/:id/rotate", "rotate a machine token", rotateToken),
		s.get("/machine-tokens/:id/revoke", "revoke a machine token", askRevokeToken),
		s.post("/machine-tokens/:id/revoke", "revoke a machine token", revokeToken),
	}
}

const tokensAPI = "/tenant/machine-tokens"

func listTokens(v *visit) (request.Reply, error) {
	out, err := v.keyList(tokensAPI, "")
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("machine-tokens", "Machine tokens", out)
}

func (v *visit) token() (k apiKey, err error) {
	err = v.ask("GET", tokensAPI+"/"+segment(v.param("id")), nil, &k)
	return k, err
}

func showToken(v *visit) (request.Reply, error) {
	k, err := v.token()
	if err != nil {
		return request.Reply{}, err
	}
	at := tokensAPI + "/" + segment(k.ID)
	return v.show("machine-token", k.Name, keyPage{Key: k, Rotate: v.may("POST", at+"/rotate"), Revoke: v.may("DELETE", at),
		Why: v.may("GET", "/.portreeve/insight/access?key="+segment(k.ID)).OK, Maker: v.called(k.CreatedBy.UserID), Chart: v.keyChart("/tenant/api-keys/" + segment(k.ID))})
}

func newToken(v *visit) (request.Reply, error) {
	return v.show("machine-token-new", "Make a machine token", v.may("POST", tokensAPI))
}

// madeToken is a machine token that is shown this once.
type madeToken struct {
	madeKey
	Token string
}

// shown is the page of it, with a line to try it with.
func (t madeToken) shown(v *visit, title string) (request.Reply, error) {
	p := t.madeKey
	p.Key, p.At, p.List, p.ListName = t.Token, "/machine-tokens/"+segment(t.ID), "/machine-tokens", "Machine tokens"
	p.Try = `curl -H "Authorization: Bearer ` + t.Token + `" ` + v.c.View.Origin() + "/.portreeve/whoami"
	return v.show("key-made", title, p)
}

func createToken(v *visit, f *form) (request.Reply, error) {
	again := func() (request.Reply, error) {
		return v.again(f, "machine-token-new", "Make a machine token", v.may("POST", tokensAPI))
	}
	ends, ok := v.lastDay(f, "expires")
	if !ok {
		return again()
	}
	ips := append([]string{}, f.lines("allowedIPs")...)
	var made madeToken
	if err := v.ask("POST", tokensAPI, map[string]any{"name": f.get("name"), "allowedIPs": ips, "expiresAt": ends}, &made); err != nil {
		if f.namely(err, "allowedIPs", ips).problems(err, "expiresAt", "expires") {
			return again()
		}
		return request.Reply{}, err
	}
	return made.shown(v, "Your new machine token")
}

func askRotateToken(v *visit) (request.Reply, error) {
	k, err := v.token()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key-rotate", "Rotate "+k.Name, v.endPage(k, "POST", "/rotate"))
}

func rotateToken(v *visit, f *form) (request.Reply, error) {
	k, err := v.token()
	if err != nil {
		return request.Reply{}, err
	}
	var made madeToken
	if err := v.ask("POST", tokensAPI+"/"+segment(k.ID)+"/rotate", f.grace(), &made); err != nil {
		if f.problems(err, "gracePeriodSeconds", "grace", "scopes", "grace", "permissions", "grace") {
			return v.again(f, "key-rotate", "Rotate "+k.Name, v.endPage(k, "POST", "/rotate"))
		}
		return request.Reply{}, err
	}
	return made.shown(v, "The new secret of "+k.Name)
}

func askRevokeToken(v *visit) (request.Reply, error) {
	k, err := v.token()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key-revoke", "Revoke "+k.Name, v.endPage(k, "DELETE", ""))
}

func revokeToken(v *visit, f *form) (request.Reply, error) {
	if err := v.ask("DELETE", tokensAPI+"/"+segment(v.param("id")), nil, nil); err != nil {
		if k, errKey := v.token(); errKey == nil && f.problems(err) {
			return v.again(f, "key-revoke", "Revoke "+k.Name, v.endPage(k, "DELETE", ""))
		}
		return request.Reply{}, err
	}
	return v.done("/machine-tokens", "revoked")
}
