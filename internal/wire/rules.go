package wire

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// seen counts the fields that may stand once at most.
type seen struct{ host, length, coding, expect, upgrade, http2 int }

// rules reads the fields that decide where a request ends and for whom it is,
// and sets what follows from them.
func (h *Head) rules() *Refusal {
	var n seen
	keepAlive, wantsUpgrade, websocket := false, false, false
	for i := range h.Header {
		f := &h.Header[i]
		var r *Refusal
		switch name := f.Name; len(name) {
		case len("host"):
			if same(name, "host") {
				n.host++
				h.Host = f.Value
			}
		case len("expect"):
			if same(name, "expect") {
				n.expect++
				r = expectation(f.Value)
			}
		case len("upgrade"): // and trailer
			switch {
			case same(name, "upgrade"):
				n.upgrade++
				websocket = same(f.Value, "websocket")
			case same(name, "trailer"):
				r = announced(f.Value)
			}
		case len("connection"):
			if same(name, "connection") {
				h.Close = h.Close || listed(f.Value, "close")
				keepAlive = keepAlive || listed(f.Value, "keep-alive")
				wantsUpgrade = wantsUpgrade || listed(f.Value, "upgrade")
			}
		case len("content-length"): // and http2-settings
			switch {
			case same(name, "content-length"):
				n.length++
				h.ContentLength, r = length(f.Value)
			case same(name, "http2-settings"):
				n.http2++
			case request.Fold(name) == "content-length":
				r = bad("a header field resembles Content-Length")
			}
		case len("transfer-encoding"):
			switch {
			case same(name, "transfer-encoding"):
				if n.coding++; n.coding > 1 {
					return bad("the request has several Transfer-Encoding fields")
				}
				r = coding(f.Value)
				h.Chunked = true
			case request.Fold(name) == "transfer-encoding":
				r = bad("a header field resembles Transfer-Encoding")
			}
		}
		if r != nil {
			return r
		}
	}
	old := h.Proto == "HTTP/1.0"
	h.Close = h.Close || old && !keepAlive
	if r := n.check(h, old); r != nil {
		return r
	}
	h.Websocket = websocket && wantsUpgrade && n.upgrade == 1 && h.Method == "GET" && !old
	if h.Websocket && h.HasBody() {
		return bad("a WebSocket handshake has a body")
	}
	h.dropUpgrades(n)
	return nil
}

func (n seen) check(h *Head, old bool) *Refusal {
	switch {
	case n.host != 1:
		return bad("the request has no Host field, or several")
	case !hostOK(h.Host):
		return bad("the Host field is no host")
	case n.length > 1:
		return bad("the request has several Content-Length fields")
	case n.coding > 0 && n.length > 0:
		return bad("the request has both Transfer-Encoding and Content-Length")
	case n.coding > 0 && old:
		return bad("HTTP/1.0 knows no Transfer-Encoding")
	case n.expect > 1:
		return bad("the request has several Expect fields")
	}
	return nil
}

// dropUpgrades removes h2c and every other offer that is no WebSocket, so that
// nobody further on takes it up.
func (h *Head) dropUpgrades(n seen) {
	if n.http2 == 0 && (n.upgrade == 0 || h.Websocket) {
		return
	}
	h.Header = slices.DeleteFunc(h.Header, func(f request.Field) bool {
		return same(f.Name, "http2-settings") || same(f.Name, "upgrade") && !h.Websocket
	})
}

// length reads 1*DIGIT below 10^18: no sign, no list, no overflow anywhere.
func length(v string) (int64, *Refusal) {
	if v == "" || len(v) > 18 {
		return -1, bad("Content-Length is not a number of bytes")
	}
	var n int64
	for i := 0; i < len(v); i++ {
		if !digit(v[i]) {
			return -1, bad("Content-Length is not a number of bytes")
		}
		n = n*10 + int64(v[i]-'0')
	}
	return n, nil
}

// coding takes exactly "chunked". What resembles it is an attempt (400), any
// other coding merely unknown (501, RFC 9112 section 6.1).
func coding(v string) *Refusal {
	switch {
	case v == "chunked":
		return nil
	case v == "" || !all(v, targetByte) || strings.Contains(strings.ToLower(v), "chunked"):
		return bad("Transfer-Encoding is not exactly chunked")
	}
	return &Refusal{Status: 501, Reason: "this transfer coding is not implemented"}
}

// expectation takes 100-continue alone: net/http answers any other by itself.
func expectation(v string) *Refusal {
	if same(v, "100-continue") {
		return nil
	}
	return bad("the Expect field asks for something other than 100-continue")
}

// announced checks a Trailer field: names, and none that would change framing.
func announced(list string) *Refusal {
	for list != "" {
		var name string
		name, list, _ = strings.Cut(list, ",")
		if name = trim(name); name != "" && (!token(name) || forbiddenTrailer(name)) {
			return bad("the Trailer field names a field that cannot be one")
		}
	}
	return nil
}
