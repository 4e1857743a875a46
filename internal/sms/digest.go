package sms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/seal"
)

const purpose = "sms"

// digests are one value under each master key, the first key's first: rows that
// were written before a rotation are found under the key of then.
type digests []string

// whom are the digests by which a send is counted.
type whom struct{ number, network, prefix digests }

// digest makes the digests of a send. Numbers are few enough to try them all, so
// that only a key keeps them unreadable: without one nothing is sent.
func digest(keys *seal.Keys, n number, client netip.Addr) (w whom, err error) {
	if keys.First() == "" {
		return w, seal.ErrNoKey
	}
	network := "unknown" // who has no address is counted with all others who have none
	if client.IsValid() {
		network = request.Network(client).String()
	}
	ids := []string{keys.First()}
	for _, id := range keys.IDs() {
		if id != ids[0] {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		key, err := keys.Derive(purpose, id)
		if err != nil {
			return w, err
		}
		w.number = append(w.number, under(key, "number", n.e164))
		w.network = append(w.network, under(key, "network", network))
		w.prefix = append(w.prefix, under(key, "prefix", n.prefix()))
	}
	return w, nil
}

func under(key []byte, what, value string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(what + "\x00" + value))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
