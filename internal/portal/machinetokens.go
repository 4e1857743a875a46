package portal

import (
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) machineTokens() []gateway.SurfaceRoute {
	return append([]gateway.SurfaceRoute{
		s.get("/machine-tokens", "machine tokens", listTokens),
		s.get("/machine-tokens/new", "make a machine token", newToken),
		s.post("/machine-tokens/new", "make a machine token", createToken),
		s.get("/machine-tokens/:id", "a machine token", showToken),
	}, s.keyEnds(machineTokens())...)
}

func listTokens(v *visit) (request.Reply, error) {
	out, err := v.keyList(machineTokens().api, "")
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("machine-tokens", "Machine tokens", out)
}

func showToken(v *visit) (request.Reply, error) {
	k, err := machineTokens().read(v)
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("machine-token", k.Name, machineTokens().pageOf(v, k))
}

func newToken(v *visit) (request.Reply, error) {
	return v.show("machine-token-new", "Make a machine token", v.may("POST", machineTokens().api))
}

func createToken(v *visit, f *form) (request.Reply, error) {
	again := func() (request.Reply, error) {
		return v.again(f, "machine-token-new", "Make a machine token", v.may("POST", machineTokens().api))
	}
	ends, ok := v.lastDay(f, "expires")
	if !ok {
		return again()
	}
	ips := append([]string{}, f.lines("allowedIPs")...)
	var made madeKey
	if err := v.ask("POST", machineTokens().api, map[string]any{"name": f.get("name"), "allowedIPs": ips, "expiresAt": ends}, &made); err != nil {
		if f.namely(err, "allowedIPs", ips).problems(err, "expiresAt", "expires") {
			return again()
		}
		return request.Reply{}, err
	}
	return machineTokens().made(v, "Your new machine token", made)
}
