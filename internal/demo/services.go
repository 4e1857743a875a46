package demo

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/portreeve/portreeve/internal/standin"
)

// services are other people's, and telephones. Each stands in on a port of its own.
type services struct {
	issuer *standin.Issuer
	access *standin.Access
	echo   *standin.Echo
	auth0  *standin.Auth0
	castle *standin.Castle
	users  *standin.UserService
	twilio *standin.Twilio
	alices *standin.Phone // with alice's authenticator app
	noras  *standin.Phone // and nora's
	page   *page
	keys   map[string]string // the services' secrets, by the name of their file
	open   []io.Closer
}

// The accounts of the services that have names.
const (
	account   = "AC00000000000000000000000000000000"
	messaging = "MG00000000000000000000000000000000"
	api       = "https://api.example" // that Auth0's tokens are for
)

func (d *Demo) standIns() error {
	s := &d.services
	s.keys = map[string]string{}
	for _, name := range []string{"jwt", "auth0", "castle", "aws-id", "aws", "twilio"} {
		s.keys[name] = random()
	}
	for _, begin := range []func(l net.Listener) (io.Closer, error){
		func(l net.Listener) (_ io.Closer, err error) {
			s.issuer, err = standin.NewIssuer(l, standin.IssuerOptions{Lifetime: lifetime, Clients: []standin.Client{{
				ID: "robot", Secret: "robot-demo-secret", Audiences: []string{"demo-api"}, Scopes: []string{"reports:read"},
				Claims: map[string]any{"sub": "robot"}}}})
			return s.issuer, err
		},
		func(l net.Listener) (_ io.Closer, err error) {
			s.access, err = standin.NewAccess(l, standin.AccessOptions{Team: team, Audience: audience, Lifetime: lifetime,
				ServiceTokens: []standin.ServiceToken{{ID: "deploy.access", Secret: "deploy-demo-secret"}}})
			return s.access, err
		},
		func(l net.Listener) (_ io.Closer, err error) {
			s.auth0, err = standin.NewAuth0(l, standin.Auth0Options{Connection: "people", Audiences: []string{api},
				Clients: []standin.Client{{ID: "app", Secret: s.keys["auth0"]}}})
			return s.auth0, err
		},
		func(l net.Listener) (io.Closer, error) {
			s.castle = standin.NewCastle(l, standin.CastleOptions{APISecret: s.keys["castle"]})
			return s.castle, nil
		},
		func(l net.Listener) (io.Closer, error) {
			s.users = standin.NewUserService(l, standin.UserServiceOptions{Region: "eu-west-1", Service: "execute-api", AccessKeyID: s.keys["aws-id"], SecretAccessKey: s.keys["aws"]})
			return s.users, nil
		},
		func(l net.Listener) (io.Closer, error) {
			s.twilio = standin.NewTwilio(l, standin.TwilioOptions{AccountSid: account, AuthToken: s.keys["twilio"], Services: []string{messaging}, Taken: d.text})
			return s.twilio, nil
		},
		func(l net.Listener) (io.Closer, error) {
			s.echo = standin.NewEcho(l, standin.EchoOptions{Name: "the demo's application"})
			return s.echo, nil
		},
		func(l net.Listener) (io.Closer, error) { s.alices = standin.NewPhone(l); return s.alices, nil },
		func(l net.Listener) (io.Closer, error) { s.noras = standin.NewPhone(l); return s.noras, nil },
		func(l net.Listener) (io.Closer, error) { s.page = d.newPage(l); return s.page, nil },
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		c, err := begin(l)
		if err != nil {
			return err
		}
		s.open = append(s.open, c)
	}
	return nil
}

// text shows a text that a telephone got to whoever runs the demo.
func (d *Demo) text(t standin.SMS) {
	if d.texts != nil {
		fmt.Fprintf(d.texts, "\nA text for %s: %s\n", t.To, t.Body)
	}
}

// random is a secret.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(b[:])
}

// writeConfig fills in the stand-ins' addresses, which are new each time.
func (d *Demo) writeConfig() error {
	for name, value := range d.keys {
		if err := d.write("secrets/"+name, value); err != nil {
			return err
		}
	}
	return d.write("portreeve.yaml", strings.NewReplacer("@ISSUER@", d.issuer.URL(), "@TEAM@", team, "@AUDIENCE@", audience,
		"@CERTS@", d.access.CertsURL(), "@ECHO@", d.echo.URL(), "@AUTH0@", d.auth0.URL(), "@CASTLE@", d.castle.URL(), "@USERS@", d.users.URL(),
		"@TWILIO@", d.twilio.URL(), "@ACCOUNT@", account, "@MESSAGING@", messaging, "@PAGE@", d.page.url,
		"@SHA256@", strings.TrimSuffix(strings.Repeat("0D:", 32), ":")).Replace(configuration))
}

func (s *services) close() error {
	var errs []error
	for _, c := range s.open {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
