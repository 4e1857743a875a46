package app

import (
	"crypto/tls"
	"slices"
	"testing"
)

// By TLS 1.2 an authority that were asked for a client certificate would see no
// answer to its challenge. Whoever offers more than the challenge's protocol is
// asked.
func TestOnlyTheAuthorityIsNotAskedForACertificate(t *testing.T) {
	t.Parallel()
	choose := forAuthority(&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"h2", "http/1.1", "acme-tls/1"}})
	c, err := choose(&tls.ClientHelloInfo{SupportedProtos: []string{"acme-tls/1"}})
	if err != nil || c == nil || c.ClientAuth != tls.NoClientCert || !slices.Equal(c.NextProtos, []string{"acme-tls/1"}) {
		t.Errorf("the authority gets %+v, %v", c, err)
	}
	for _, offered := range [][]string{nil, {"h2"}, {"http/1.1", "acme-tls/1"}, {"acme-tls/1", "http/1.1"}} {
		if c, err := choose(&tls.ClientHelloInfo{SupportedProtos: offered}); c != nil || err != nil {
			t.Errorf("%q gets a configuration of its own", offered)
		}
	}
}
