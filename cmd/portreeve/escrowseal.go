package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/outbound"
	fields "github.com/portreeve/portreeve/internal/request"
)

type escrowSealCmd struct {
	URL       string `name:"url" placeholder:"URL" help:"The API's origin: its key is fetched, and the sealed secret posted."`
	Key       string `placeholder:"FILE" help:"Without a server: what GET /v1/tenant/pubkey answered, or a public JWK. The sealed secret is printed."`
	TokenFile string `placeholder:"FILE" help:"The machine token; - for standard input. Otherwise PORTREEVE_MACHINE_TOKEN."`
	Machine   string `required:"" placeholder:"HOSTNAME" help:"The machine's hostname."`
	ID        string `name:"id" placeholder:"ID" help:"Its id, where it has one."`
	Serial    string `placeholder:"SERIAL" help:"Its serial number, where it has one."`
	Kind      string `required:"" placeholder:"KIND" help:"What the secret is: bitlocker, admin-password."`
	Label     string `placeholder:"TEXT" help:"Which one of them, for people."`
	Secret    string `placeholder:"FILE" default:"-" help:"The secret; standard input unless given, asked for on a terminal. One trailing line break is dropped."`
	Tenant    string `short:"t" placeholder:"ID" help:"The tenant that is meant; what the server says unless given."`
	Signer    string `placeholder:"THUMBPRINT" help:"Seal to no key but one that is signed by this signing key."`
	Seen      string `placeholder:"FILE" help:"Remember the key there, and refuse an older one the next time, or one by another signing key that the last one does not authorize."`
	Raw       bool   `help:"RSA-OAEP alone, as older engines send: not bound to its machine."`
	Print     bool   `help:"Print the sealed secret, and post nothing."`
	Plain     bool   `help:"The URL may be http, which shows the token to everybody on the way."`
}

// Help is shown by --help.
func (escrowSealCmd) Help() string {
	return `Examples:
  portreeve escrow seal --url https://api.example.com --token-file /etc/portreeve.token \
      --machine DESK-0042 --serial 5CG1234XYZ --kind bitlocker --signer kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k < key.txt
  portreeve escrow seal --key pubkey.json --machine DESK-0042 --kind bitlocker --secret key.txt

Without --signer a server can have another key sealed to than the tenant's: it is
said on standard error, with the thumbprint to pin. Without a terminal or a file
named otherwise the secret is standard input, and the token comes from a file or
the environment.
Exit status: 0 done, 1 refused, 2 usage.`
}

// Run seals a secret.
func (c escrowSealCmd) Run(s streams) error {
	switch {
	case (c.URL == "") == (c.Key == ""):
		return usage("give --url or --key, and one of them alone")
	case c.TokenFile == "-" && c.Secret == "-":
		return usage("the token and the secret cannot both be standard input")
	}
	ctx, stop := stopSignals(s)
	defer stop()
	server, err := c.server(s)
	if err != nil {
		return err
	}
	raw, err := c.published(ctx, s, server)
	if err != nil {
		return err
	}
	key, err := ends.ReadPublished(raw)
	if err != nil {
		return err
	}
	if err := c.trust(s, &key); err != nil {
		return err
	}
	secret, err := c.secret(s)
	if err != nil {
		return err
	}
	sealed, err := c.seal(key, secret)
	if err != nil {
		return err
	}
	if server == nil || c.Print {
		_, err = fmt.Fprintln(s.out, sealed)
	} else {
		err = c.post(ctx, s, server, key, sealed)
	}
	if err != nil {
		return err
	}
	return c.remember(key)
}

// secret is the plaintext.
func (c escrowSealCmd) secret(s streams) ([]byte, error) {
	if c.Secret == "-" {
		return askSecret(s, c.Kind)
	}
	b, err := readUpTo(s, c.Secret, maxSecret)
	return []byte(trimLine(b)), err
}

// trust holds the key against what is known of it, and says what is not.
func (c escrowSealCmd) trust(s streams, key *ends.Published) error {
	if key.Tenant == "" {
		key.Tenant = c.Tenant // a bare JWK says nothing of it
	}
	tenant := c.Tenant
	if tenant == "" {
		tenant = key.Tenant
	}
	if tenant == "" {
		return usage("--tenant is missing: the key does not say whose it is")
	}
	seen, err := c.seen()
	if err != nil {
		return err
	}
	if err := key.Check(tenant, c.Signer, seen); err != nil {
		return err
	}
	if c.Signer != "" {
		return nil
	}
	if seen != nil {
		if err := key.Follows(*seen); err != nil {
			return err
		}
	}
	signer, signed, err := key.Signer()
	if err != nil {
		return err
	}
	if signed {
		fmt.Fprintf(s.err, "warning: the key is believed because the server says so; pin its signing key: --signer %s\n", signer.Kid)
	} else {
		fmt.Fprintln(s.err, "warning: the key is not signed; nothing but the server says that it is the tenant's")
	}
	return nil
}

func (c escrowSealCmd) seal(key ends.Published, secret []byte) (string, error) {
	if c.Raw {
		return ends.SealRaw(key.Public, secret)
	}
	b := ends.Binding{Tenant: key.Tenant, Machine: c.Machine, Kind: c.Kind}
	switch { // the name that changes least
	case c.ID != "":
		b.Machine = c.ID
	case c.Serial != "":
		b.Machine = c.Serial
	}
	return ends.Seal(key.Public, b, secret)
}

// apiOf is a server's API with a machine token.
type apiOf struct {
	client *outbound.Client
	token  string
}

func (c escrowSealCmd) server(s streams) (*apiOf, error) {
	if c.URL == "" {
		return nil, nil
	}
	client, err := outbound.New(outbound.Options{BaseURL: c.URL, Plain: c.Plain, Private: true, Timeout: 30 * time.Second})
	if err != nil {
		return nil, usage("--url %v", err)
	}
	token, _ := s.env("PORTREEVE_MACHINE_TOKEN")
	if c.TokenFile != "" {
		b, err := readUpTo(s, c.TokenFile, 4<<10)
		if err != nil {
			return nil, err
		}
		token = trimLine(b)
	}
	if token == "" {
		return nil, usage("there is no machine token: --token-file, or PORTREEVE_MACHINE_TOKEN")
	}
	return &apiOf{client, token}, nil
}

func (a *apiOf) ask(ctx context.Context, method, path string, body any) ([]byte, error) {
	r := outbound.Request{Method: method, Path: path, Header: fields.Header{{Name: "Authorization", Value: "Bearer " + a.token}, {Name: "Accept", Value: "application/json"}}}
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r.Body, r.Header = raw, append(r.Header, fields.Field{Name: "Content-Type", Value: "application/json"})
	}
	answer, err := a.client.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	if answer.Status >= 300 {
		var said struct{ Error, Message string }
		_ = json.Unmarshal(answer.Body, &said)
		return nil, fmt.Errorf("%s %s: %d %s", method, path, answer.Status, printable(said.Message))
	}
	return answer.Body, nil
}

func (c escrowSealCmd) published(ctx context.Context, s streams, server *apiOf) ([]byte, error) {
	if server != nil {
		return server.ask(ctx, http.MethodGet, "/v1/tenant/pubkey", nil)
	}
	return readUpTo(s, c.Key, 64<<10)
}

func (c escrowSealCmd) post(ctx context.Context, s streams, server *apiOf, key ends.Published, sealed string) error {
	machine := map[string]string{"hostname": c.Machine}
	for name, value := range map[string]string{"id": c.ID, "serial": c.Serial} {
		if value != "" {
			machine[name] = value
		}
	}
	body := map[string]any{"machine": machine, "kind": c.Kind, "kid": key.Public.Kid, "ciphertext": sealed}
	if c.Label != "" {
		body["label"] = c.Label
	}
	raw, err := server.ask(ctx, http.MethodPost, "/v1/secret", body)
	if err != nil {
		return err
	}
	var made struct{ ID string }
	if err := json.Unmarshal(raw, &made); err != nil || made.ID == "" {
		return errors.New("the server's answer names no id: whether it has the secret is not known")
	}
	_, err = fmt.Fprintln(s.out, printable(made.ID))
	return err
}

// seen is the key of the last time, nil for the first.
func (c escrowSealCmd) seen() (*ends.Seen, error) {
	if c.Seen == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(c.Seen)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var seen ends.Seen
	if err == nil {
		err = json.Unmarshal(raw, &seen)
	}
	if err == nil && seen.Kid == "" {
		err = errors.New("names no key")
	}
	if err != nil {
		return nil, fmt.Errorf("--seen %s: %w", c.Seen, err)
	}
	return &seen, nil
}

func (c escrowSealCmd) remember(key ends.Published) error {
	if c.Seen == "" || key.CreatedAt == "" {
		return nil
	}
	signer, _, err := key.Signer()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(ends.Seen{Kid: key.Public.Kid, Signer: signer.Kid, CreatedAt: key.CreatedAt, SigningKey: signer.JWK})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(c.Seen), ".seen-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(raw, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), c.Seen)
}
