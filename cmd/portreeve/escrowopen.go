package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/shares"
)

type escrowOpenCmd struct {
	listFlag
	Export         string   `required:"" placeholder:"FILE" help:"What portreeve tenants export wrote, or the API's answers put together."`
	ID             []string `arg:"" optional:"" help:"Secrets, by their ids."`
	Machine        string   `placeholder:"NAME" help:"Those of a machine: its id, serial or hostname."`
	Kind           string   `placeholder:"KIND" help:"Those of a kind."`
	All            bool     `help:"All that are meant, older versions too."`
	List           bool     `help:"Say which there are; open none."`
	PassphraseFile string   `placeholder:"FILE" help:"The passphrase; - for standard input, /dev/fd/3 for a descriptor. Asked for unless given."`
	Share          []string `placeholder:"FILE" help:"Recovery shares instead of the passphrase, one a line; may be given more than once, - for standard input."`
	Signer         string   `placeholder:"THUMBPRINT" help:"Refuse keys that do not hang on this signing key."`
}

// Help is shown by --help.
func (escrowOpenCmd) Help() string {
	return `Examples:
  portreeve escrow open --export acme.json --list
  portreeve escrow open --export acme.json --machine DESK-0042 --kind bitlocker
  portreeve escrow open --export acme.json --share alice.txt --share bob.txt sec_0b6d1f5e9c3a47d2801f6e2ab95c4d73

Works without a server and without a configuration. The secret alone stands on
standard output, what is to be known of it on standard error: whose machine sealed
it, or that it is not bound to its machine. What was swapped is not shown. With
--all or --json each is a line of JSON.
Exit status: 0 opened, 1 refused, 2 usage.`
}

// Run opens secrets.
func (c escrowOpenCmd) Run(s streams) error {
	if c.PassphraseFile != "" && len(c.Share) > 0 {
		return usage("give the passphrase or shares, not both")
	}
	raw, err := readUpTo(s, c.Export, maxEscrowFile)
	if err != nil {
		return err
	}
	e, err := readEscrowExport(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Export, err)
	}
	if err := c.trust(s, e); err != nil {
		return err
	}
	chosen := c.choose(e)
	if c.List {
		return c.list(s, chosen)
	}
	if chosen, err = c.meant(chosen); err != nil {
		return err
	}
	open, err := c.opener(s, e)
	if err != nil {
		return err
	}
	keys, failed := map[string]*ends.Key{}, 0
	for _, x := range chosen {
		if keys[x.Kid] == nil {
			if keys[x.Kid], err = open(x.Kid); err != nil {
				return err
			}
		}
		if err := c.show(s, keys[x.Kid], x); err != nil {
			failed++
			fmt.Fprintf(s.err, "%s: %s\n", printable(x.ID), printable(err.Error()))
		}
	}
	if failed > 0 {
		return errRefused
	}
	return nil
}

// trust holds the keys against one another and the pin. Without a pin whoever made
// the export can have signed all of it, so that what is wrong is a warning: the
// secrets are what somebody came for.
func (c escrowOpenCmd) trust(s streams, e escrowExport) error {
	keys, err := e.published()
	if err != nil {
		return err
	}
	err = ends.CheckChain(keys, e.Tenant, c.Signer)
	if err == nil || c.Signer != "" {
		return err
	}
	fmt.Fprintln(s.err, "warning:", printable(err.Error()))
	return nil
}

// choose is what the flags name.
func (c escrowOpenCmd) choose(e escrowExport) (out []exportedSecret) {
	for _, x := range e.Secrets {
		if (len(c.ID) == 0 || slices.Contains(c.ID, x.ID)) && (c.Machine == "" || x.Machine.named(c.Machine)) && (c.Kind == "" || c.Kind == x.Kind) {
			out = append(out, x)
		}
	}
	return out
}

// meant is one secret, the newest of its versions, unless more are asked for.
func (c escrowOpenCmd) meant(chosen []exportedSecret) ([]exportedSecret, error) {
	for _, id := range c.ID {
		if !slices.ContainsFunc(chosen, func(x exportedSecret) bool { return x.ID == id }) {
			return nil, fmt.Errorf("the export has no such secret: %s", printable(id))
		}
	}
	switch {
	case len(chosen) == 0:
		return nil, errors.New("the export has no such secret: see --list")
	case c.All || len(c.ID) > 0:
		return chosen, nil
	}
	newest := chosen[0]
	for _, x := range chosen[1:] {
		if x.Machine.ID != newest.Machine.ID || x.Kind != newest.Kind || x.Label != newest.Label {
			return nil, fmt.Errorf("%d secrets are meant: name one by its id (--list), or open them with --all", len(chosen))
		}
		if x.Version > newest.Version {
			newest = x
		}
	}
	return []exportedSecret{newest}, nil
}

func (c escrowOpenCmd) list(s streams, chosen []exportedSecret) error {
	rows := make([][]string, 0, len(chosen))
	for _, x := range chosen {
		bound := "yes"
		if !strings.Contains(x.Ciphertext, ".") {
			bound = "no"
		}
		rows = append(rows, []string{x.Machine.Hostname, x.Kind, dash(x.Label), strconv.Itoa(x.Version), bound, x.CreatedAt, x.ID})
	}
	if c.JSON {
		views := make([]map[string]any, 0, len(chosen))
		for _, x := range chosen {
			views = append(views, map[string]any{"id": x.ID, "machine": x.Machine.Hostname, "kind": x.Kind, "label": x.Label, "version": x.Version, "kid": x.Kid, "createdAt": x.CreatedAt})
		}
		return printJSON(s.out, views)
	}
	table(s.out, []string{"MACHINE", "KIND", "LABEL", "VERSION", "BOUND", "CREATED", "ID"}, rows)
	return nil
}

// opener asks for the passphrase, or reads the shares, and opens keys by it.
func (c escrowOpenCmd) opener(s streams, e escrowExport) (func(kid string) (*ends.Key, error), error) {
	if len(c.Share) > 0 {
		list, err := c.shares(s)
		if err != nil {
			return nil, err
		}
		return func(kid string) (*ends.Key, error) { return restoreKey(e, kid, list) }, nil
	}
	passphrase, err := hidden(s, c.PassphraseFile, "passphrase of tenant "+printable(e.Tenant)+": ")
	if err != nil {
		return nil, err
	}
	return func(kid string) (*ends.Key, error) { return unwrapKey(e, kid, passphrase) }, nil
}

// unwrapKey tries each wrapping of a key, the current one first: after a change of
// the passphrase the old one may be all that somebody has.
func unwrapKey(e escrowExport, kid, passphrase string) (*ends.Key, error) {
	k, err := e.key(kid)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("the export has no wrapping of the key %s: it was made without them", printable(kid))
	for i, w := range k.Wrappings {
		text := string(w.Wrapped)
		if strings.HasPrefix(text, `"`) && json.Unmarshal(w.Wrapped, &text) != nil {
			text = ""
		}
		opened, problem := ends.Unwrap(text, kid, passphrase)
		if problem == nil {
			return opened, nil
		}
		if i == 0 || !errors.Is(problem, ends.ErrPassphrase) {
			err = fmt.Errorf("key %s: %w", printable(kid), problem)
		}
	}
	return nil, err
}

func (c escrowOpenCmd) shares(s streams) (list []shares.Share, err error) {
	for _, name := range c.Share {
		raw, err := readUpTo(s, name, maxSecret)
		if err != nil {
			return nil, err
		}
		n := 0
		for line := range strings.Lines(string(raw)) {
			n++
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			one, err := shares.Parse(line)
			if err != nil {
				return nil, fmt.Errorf("%s, line %d %w", name, n, err)
			}
			list = append(list, one)
		}
	}
	return list, nil
}

// restoreKey opens the recovery copy that the shares are of.
func restoreKey(e escrowExport, kid string, list []shares.Share) (*ends.Key, error) {
	k, err := e.key(kid)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("the export has no recovery copy of the key %s that these shares are of", printable(kid))
	for _, r := range k.Recovery {
		if len(list) > 0 && r.Set != list[0].Set {
			continue
		}
		opened, problem := ends.Restore(r.Sealed, kid, list)
		if problem == nil {
			return opened, nil
		}
		err = problem
	}
	return nil, err
}

// show opens one secret and prints it.
func (c escrowOpenCmd) show(s streams, k *ends.Key, x exportedSecret) error {
	o, err := k.Open(x.Ciphertext, x.listed())
	if err != nil {
		return err
	}
	if c.JSON || c.All {
		line := map[string]any{"id": x.ID, "machine": x.Machine.Hostname, "kind": x.Kind, "label": x.Label, "version": x.Version, "bound": o.Bound}
		if utf8.Valid(o.Secret) {
			line["secret"] = string(o.Secret)
		} else {
			line["secretBase64"] = base64.StdEncoding.EncodeToString(o.Secret)
		}
		return printLine(s.out, line)
	}
	if o.Bound {
		fmt.Fprintf(s.err, "%s: sealed by %s for %s, version %d\n", printable(x.ID), printable(o.Machine), printable(x.Kind), x.Version)
	} else {
		fmt.Fprintf(s.err, "%s: listed under %s, and not bound to its machine: nothing in it shows whose it is\n", printable(x.ID), printable(x.Machine.Hostname))
	}
	_, err = fmt.Fprintf(s.out, "%s\n", o.Secret)
	return err
}
