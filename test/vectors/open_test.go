package vectors

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/escrow/shares"
)

// unwraps are wrappings that were opened, or were refused: deriving is what takes time.
var unwraps sync.Map

// unwrap opens a wrapping by a passphrase, once in this process.
func unwrap(text, kid, passphrase string) (*ends.Key, error) {
	done, _ := unwraps.LoadOrStore([3]string{text, kid, passphrase}, sync.OnceValues(func() (*ends.Key, error) { return ends.Unwrap(text, kid, passphrase) }))
	once, _ := done.(func() (*ends.Key, error))
	return once()
}

// opened are the keys of keys.json, by kid. They come out of wrappings, as keys do.
func opened(t testing.TB) map[string]*ends.Key {
	t.Helper()
	out := map[string]*ends.Key{}
	for _, w := range read[good](t, "good.json").Wrapped {
		if out[w.Kid] == nil && w.By == "go" {
			out[w.Kid] = must(unwrap(w.Wrapped, w.Kid, w.Passphrase))
		}
	}
	return out
}

func listed(r revealed) ends.Listed {
	return ends.Listed{Kid: r.Kid, Tenant: r.Tenant, Kind: r.Kind, MachineID: r.Machine.ID, Serial: r.Machine.Serial, Hostnames: []string{r.Machine.Hostname, r.Machine.LastHostname}}
}

// published is a key as the command line reads it in an export.
func published(tenant string, k listedKey) (ends.Published, error) {
	public, err := envelope.ParsePublic(k.PublicKey, envelope.ImportedBits)
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return ends.Published{Public: public, Tenant: tenant, CreatedAt: k.CreatedAt, Predecessor: text(k.Predecessor), SigningKey: k.SigningKey, Signature: text(k.Signature), Authorization: text(k.Authorization)}, err
}

func checkChain(c chain) error {
	var keys []ends.Published
	for _, k := range c.Keys {
		p, err := published(c.Tenant, k)
		if err != nil {
			return err
		}
		keys = append(keys, p)
	}
	if err := ends.CheckChain(keys, c.Tenant, c.Pin); err != nil || c.Seen == nil {
		return err
	}
	return keys[0].Check(c.Tenant, "", &ends.Seen{Kid: c.Seen.Kid, Signer: c.Seen.Signer, CreatedAt: c.Seen.CreatedAt})
}

// opens requires the command line to open all of something.
func (g good) opens(t *testing.T, keys map[string]*ends.Key) {
	t.Helper()
	for _, s := range g.Sealed {
		o, err := keys[s.Answer.Kid].Open(s.Answer.Ciphertext, listed(s.Answer))
		if err != nil || string(o.Secret) != s.Secret || o.Bound != s.Bound {
			t.Errorf("sealed by %s, %s: %v", s.By, s.Name, err)
		}
	}
	for _, w := range g.Wrapped {
		k, err := unwrap(w.Wrapped, w.Kid, w.Passphrase)
		if err != nil || k.Public.Kid != w.Kid {
			t.Errorf("wrapped by %s, %s: %v", w.By, w.Name, err)
		}
	}
	for _, r := range g.Recovery {
		list := make([]shares.Share, 0, len(r.Shares))
		for _, text := range r.Shares {
			s, err := shares.Parse(text)
			if err != nil {
				t.Fatalf("share by %s, %s: %v", r.By, r.Name, err)
			}
			list = append(list, s)
		}
		for _, some := range [][]shares.Share{list, list[len(list)-list[0].K:], list[:list[0].K]} {
			k, err := ends.Restore(r.Sealed, r.Kid, some)
			if err != nil || k.Public.Kid != r.Kid {
				t.Errorf("shared by %s, %s: %v", r.By, r.Name, err)
			}
		}
	}
	for _, c := range g.Chains {
		if err := checkChain(c); err != nil {
			t.Errorf("signed by %s, %s: %v", c.By, c.Name, err)
		}
	}
}

func TestTheCommandLineOpensAll(t *testing.T) {
	t.Parallel()
	read[good](t, "good.json").opens(t, opened(t))
}

func TestTheCommandLineRefusesWhatIsHostile(t *testing.T) {
	t.Parallel()
	keys := opened(t)
	list := read[[]hostile](t, "hostile.json")
	for _, h := range list {
		t.Run(h.Reader+"/"+h.Name, func(t *testing.T) {
			t.Parallel()
			if err := refusal(h, keys); err == nil {
				t.Error("it is taken")
			}
			if h.Wrapped != nil && h.Before && envelope.CheckWrapping(h.Wrapped.Wrapped, h.Wrapped.Kid) == nil {
				t.Error("a key is derived for it")
			}
		})
	}
	if len(list) < 60 {
		t.Errorf("only %d", len(list))
	}
}

// refusal is what the reader says that something is for.
func refusal(h hostile, keys map[string]*ends.Key) error {
	switch h.Reader {
	case "public":
		_, err := envelope.ParsePublic([]byte(h.Text), h.Least)
		return err
	case "signer":
		_, err := envelope.ParseSigner([]byte(h.Text))
		return err
	case "share":
		_, err := shares.Parse(h.Text)
		return err
	case "statement", "succession":
		by, err := envelope.ParseSigner([]byte(h.Signer))
		if err != nil {
			panic(err)
		}
		if h.Reader == "statement" {
			_, err = envelope.VerifyStatement(h.Text, by)
		} else {
			_, err = envelope.VerifySuccession(h.Text, by)
		}
		return err
	case "sealed":
		_, err := keys[h.Sealed.Name].Open(h.Sealed.Answer.Ciphertext, listed(h.Sealed.Answer))
		return err
	case "challenge":
		_, err := keys[h.Sealed.Name].Answer(h.Sealed.Answer.Ciphertext)
		return err
	case "wrapping":
		_, err := unwrap(h.Wrapped.Wrapped, h.Wrapped.Kid, h.Wrapped.Passphrase)
		return err
	case "recovery":
		list := []shares.Share{}
		for _, text := range h.Recovery.Shares {
			s, err := shares.Parse(text)
			if err != nil {
				return err
			}
			list = append(list, s)
		}
		_, err := ends.Restore(h.Recovery.Sealed, h.Recovery.Kid, list)
		return err
	case "chain":
		return checkChain(*h.Chain)
	}
	panic("no reader " + h.Reader)
}

// A refusal never quotes what it is about.
func TestRefusalsQuoteNoSecret(t *testing.T) {
	t.Parallel()
	keys := opened(t)
	for _, h := range read[[]hostile](t, "hostile.json") {
		err := refusal(h, keys)
		raw, _ := json.Marshal(h)
		if err != nil && (h.Wrapped != nil && h.Wrapped.Passphrase != "" && bytes.Contains([]byte(err.Error()), []byte(h.Wrapped.Passphrase)) || len(err.Error()) > 400) {
			t.Errorf("%s: %.200s", err, raw)
		}
	}
}
