package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/wire"
)

// ExplainRequest describes a request to decide without serving it.
type ExplainRequest struct {
	Method string
	URL    string
	Header []string // "Name: value"
	Peer   string
}

// Explain decides a request by the configuration and returns the whole trace.
// allowed reports whether it would be let through.
func Explain(s Source, q ExplainRequest) (rec *explain.Record, allowed bool, err error) {
	l, err := Load(s)
	if err != nil {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stored, err := l.rehearse(ctx)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, stored.close()) }()
	b := build(l, Deps{Memory: identity.NewMemory(16), Stored: stored})
	if b.Doc.Failed() {
		return nil, false, &ConfigError{b.Doc.Problems()}
	}
	a, err := q.arrival()
	if err != nil {
		return nil, false, err
	}
	// Only the keys that the request's credential needs are fetched, by the gate
	// as in service: another issuer that is down is no matter of this request.
	gate := &gateway.Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: time.Now}
	x := &gateway.Exchange{}
	v := gate.Ask(ctx, b.Snapshot, x, *a)
	rec = &explain.Record{Time: a.Received, Method: a.Method, Steps: x.Explain(*a, time.Now()), Status: answers(x, v), Client: x.View.Client, Principal: x.Stand.Who.ID(), Path: x.ShownPath()}
	if x.Site != nil {
		rec.Site = x.Site.Name
	}
	if x.Entry != nil {
		rec.Route = x.Entry.Text
	}
	if v.Fault != nil {
		rec.Status, rec.Reason = x.Fault(v.Fault, "", "").Status, v.Fault.Code // the site's owner may have another status for it
	}
	_, denied := rec.Denied() // what is sent on to https was not let through
	return rec, v.Kind == gateway.Allow && !denied, nil
}

// rehearse opens the store that stands, so that what is stored about callers and
// keys counts, and keeps nothing of what a decision writes. nil where nothing is
// stored, or nothing yet: explain makes no store.
func (l *Loaded) rehearse(ctx context.Context) (*Stored, error) {
	if l.Doc.Failed() || !l.File.usesStore() || l.newStore() {
		return nil, nil
	}
	return openStored(ctx, l, openWith{Now: time.Now, Rehearse: true})
}

// answers is the status of what Portreeve itself would answer; 0 where that is
// the upstream's to say.
func answers(x *gateway.Exchange, v gateway.Verdict) int {
	if v.Reply != nil {
		return v.Reply.Status
	}
	if x.Route == nil {
		return 0
	}
	switch a := x.Route.Answer.(type) {
	case *gateway.Document:
		return a.Status
	case *gateway.Redirect:
		return a.Status
	case *gateway.Forwarding:
		return 0
	}
	return 200
}

// arrival turns the description into what an engine would have read, by way of
// the same head check.
func (q ExplainRequest) arrival() (*gateway.Arrival, error) {
	u, err := url.Parse(q.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--url is no http or https URL: write it with its host, which chooses the site")
	}
	_, rest, _ := strings.Cut(q.URL, "://")
	target := "/"
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		if target = rest[i:]; target[0] != '/' {
			target = "/" + target
		}
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n", q.Method, target, u.Host)
	for _, h := range q.Header {
		head.WriteString(h + "\r\n")
	}
	head.WriteString("\r\n")
	parsed, n, err := wire.ParseHead([]byte(head.String()), wire.Limits{HeadBytes: 64 << 10, Headers: 100})
	if err != nil {
		return nil, fmt.Errorf("this request would be refused before anything is decided: %w", err)
	}
	if n != head.Len() {
		return nil, errors.New("the method, URL or a header field holds a line break")
	}
	peer, err := netip.ParseAddr(q.Peer)
	if err != nil {
		return nil, fmt.Errorf("--peer is no address: %w", err)
	}
	return &gateway.Arrival{ID: explain.NewID(), Method: parsed.Method, Target: parsed.Target, Host: parsed.Header.Get("Host"),
		Header: parsed.Header, Peer: netip.AddrPortFrom(peer, 0), TLS: u.Scheme == "https", Received: time.Now()}, nil
}

// Lookup asks the running process for a refusal that happened.
func Lookup(s Source, id string) (*explain.Record, error) {
	l, err := Load(s)
	if err != nil {
		return nil, err
	}
	at, token := "unix:"+l.AdminSocket(), ""
	if a := l.File.Admin; a != nil {
		at, token = a.Listen, a.Token.Reveal()
	}
	network, addr := "tcp", at
	if file, ok := strings.CutPrefix(at, "unix:"); ok {
		network, addr = "unix", l.abs(file)
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}}}
	req, err := http.NewRequest(http.MethodGet, "http://localhost/explain/"+request.EscapeQuery(id), nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the admin listener at %s does not answer; is portreeve serving this configuration? %w", at, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		var says struct{ Message string }
		_ = json.Unmarshal(raw, &says) // an answer that is no JSON has no message
		return nil, fmt.Errorf("%s: %s", resp.Status, says.Message)
	}
	var rec explain.Record
	if err := json.Unmarshal(raw, &rec); err != nil {
		return nil, fmt.Errorf("the admin listener's answer: %w", err)
	}
	return &rec, nil
}
