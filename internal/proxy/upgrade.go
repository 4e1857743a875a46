package proxy

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// CodeBadHandshake is of a client's handshake that is none (RFC 6455 section
// 4.2.1): 400.
const CodeBadHandshake = "bad_handshake"

const badUpgrade malformed = "101 that does not take up the handshake that was sent"

const (
	acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455 section 1.3
	hopRequest = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	hop101     = "HTTP/1.1 101 Switching Protocols\r\n"
	keyBytes   = 16
	theVersion = "13"
	wsKey      = "Sec-WebSocket-Key"
	wsVersion  = "Sec-WebSocket-Version"
	wsProtocol = "Sec-WebSocket-Protocol"
	wsAccept   = "Sec-WebSocket-Accept"
)

// checkHandshake holds a handshake to its rules before an upstream sees it: one
// that is refused there, but taken for accepted here, would open a way past
// every decision.
func checkHandshake(h request.Header) *fault.Error {
	key, err := base64.StdEncoding.Strict().DecodeString(h.Get(wsKey))
	if err != nil || len(key) != keyBytes || h.Count(wsKey) != 1 || h.Count(wsVersion) != 1 || h.Get(wsVersion) != theVersion {
		return fault.New(fault.BadRequest, CodeBadHandshake, "The WebSocket handshake is malformed")
	}
	return nil
}

func (x *exchange) asksUpgrade() bool { return x.o != nil && x.o.Websocket }

// upgraded checks a 101: it was asked for, and it is the answer to this very
// handshake, which nobody can give who does not read the request (RFC 6455
// section 4.1).
func (x *exchange) upgraded() error {
	if !x.asksUpgrade() {
		return unasked
	}
	key, offered := "", ""
	for _, f := range x.o.Header {
		switch {
		case equalFold(f.Name, wsKey):
			key = f.Value
		case equalFold(f.Name, wsProtocol):
			offered += "," + f.Value
		}
	}
	sum := sha1.Sum([]byte(key + acceptGUID))
	accept, n := x.ans.only(wsAccept)
	upgrade, m := x.ans.only("Upgrade")
	protocol, p := x.ans.only(wsProtocol)
	switch {
	case n != 1 || accept != base64.StdEncoding.EncodeToString(sum[:]):
		return badUpgrade
	case m != 1 || !equalFold(upgrade, "websocket") || !lists(x.ans.options, "upgrade"):
		return badUpgrade
	case p > 1 || p == 1 && !slices.Contains(listItems(offered), protocol):
		return badUpgrade
	}
	return nil
}

// only returns the last value of a field, and how often it stands there.
func (a *answer) only(name string) (value string, n int) {
	for i := range a.fields {
		if equalFold(a.fields[i].Name, name) {
			value, n = a.fields[i].Value, n+1
		}
	}
	return value, n
}

func listItems(list string) (out []string) {
	for item := range strings.SplitSeq(list, ",") {
		out = append(out, blanks(item))
	}
	return out
}

// tunnel makes the connections of both sides one WebSocket and carries it to
// its end. Neither is used for anything else afterwards.
func (x *exchange) tunnel() (status int, f *fault.Error) {
	x.guard() // the end of the context is the tunnel's business now
	head := x.switching()
	client, buffered, err := x.rc.Hijack()
	if err != nil {
		x.release(false)
		clear(x.w.Header())
		return 0, fault.Wrap(fault.BadGateway, CodeMalformed, "", err)
	}
	t := newTunnel(client, x.c, x.u.set.IdleTimeout)
	defer x.release(false)
	if n := buffered.Reader.Buffered(); n > 0 { // frames that came behind the handshake
		t.up.first, _ = buffered.Reader.Peek(n)
	}
	t.down.first = x.in.ready()
	if _, err := client.Write(head); err != nil {
		_ = client.Close()
		return http.StatusSwitchingProtocols, fault.Wrap(fault.BadRequest, CodeClientGone, "", err)
	}
	err = t.run(x.ctx)
	x.sent = t.down.bytes
	if e := endedBy(x.ctx); e != nil {
		return http.StatusSwitchingProtocols, nil // who ended it knows why
	}
	if bad, ok := err.(malformed); ok {
		return http.StatusSwitchingProtocols, fault.Wrap(fault.BadGateway, CodeMalformed, "", bad)
	}
	return http.StatusSwitchingProtocols, nil
}

// switching is the head that makes the client's connection a WebSocket: the
// upstream's fields as of any answer, and what stands for this hop.
func (x *exchange) switching() []byte {
	h := x.w.Header()
	h.Del("Content-Length")
	h.Del("Connection")
	var b strings.Builder
	b.WriteString(hop101 + hopRequest)
	_ = h.Write(&b) // a Builder takes everything
	b.WriteString("\r\n")
	return []byte(b.String())
}
