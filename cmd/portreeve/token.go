package main

import (
	"fmt"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/config"
)

type tokenCmd struct {
	configFlag
	Sub     string   `required:"" placeholder:"SUBJECT" help:"Who the token is for (sub)."`
	Role    []string `help:"A role of the file; may be given more than once."`
	Tenant  string   `help:"The tenant (tenant_id)."`
	Email   string   `help:"The e-mail address."`
	Claim   []string `sep:"none" placeholder:"KEY=VALUE" help:"A further claim; a value that is JSON is taken as JSON."`
	Expires string   `default:"1h" help:"How long it is valid: 15m, 1h, 30d."`
}

// Help is shown by --help.
func (tokenCmd) Help() string {
	return `Example:
  TOKEN=$(portreeve token --sub alice --role admin --expires 15m)
  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8787/.portreeve/whoami

Prints the token and nothing else on standard output.`
}

// Run prints a token.
func (c tokenCmd) Run(s streams) error {
	src, err := c.source(s)
	if err != nil {
		return err
	}
	expires, err := config.ParseDuration(c.Expires)
	if err != nil || expires <= 0 {
		return usage("--expires %q is no duration; write 15m, 1h or 30d", c.Expires)
	}
	token, err := app.Token(src, app.TokenRequest{Subject: c.Sub, Roles: c.Role, Tenant: c.Tenant, Email: c.Email,
		Claims: c.Claim, Expires: time.Duration(expires), Now: time.Now()})
	if err != nil {
		return configProblem(s, src, err, "nothing is signed")
	}
	fmt.Fprintln(s.out, token)
	return nil
}
