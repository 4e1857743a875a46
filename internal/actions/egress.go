package actions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

// Bounds of fetch.
const (
	maxFetches   = 10 // of one run
	fetchesAtOne = 4  // at once
	maxHops      = 5
	maxBody      = 64 << 10 // sent
	maxAnswer    = 512 << 10
	maxHeaders   = 32
	maxOrigins   = 32 // of one script
)

// origin is what fetch may reach: exactly this scheme, host and port.
type origin struct{ scheme, host, port string }

func (o origin) String() string { return o.scheme + "://" + net.JoinHostPort(o.host, o.port) }

// parseOrigin reads an entry of egress: a host, a host:port or an origin. plain
// lets it be http, and an address that is not of the public internet.
func parseOrigin(s string, plain bool) (origin, error) {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.ContainsAny(s, "*#") {
		return origin{}, errors.New("is no host, host:port or origin, such as api.example.com; it names one host exactly")
	}
	o, err := originOf(u)
	if err != nil {
		return origin{}, err
	}
	if o.scheme == "http" && !plain {
		return origin{}, errors.New("is http, which is for tests")
	}
	if a, err := netip.ParseAddr(o.host); err == nil && !outbound.Public(a) && !plain {
		return origin{}, errors.New("is an address that is not of the public internet, which is for tests")
	}
	return o, nil
}

func originOf(u *url.URL) (origin, error) {
	o := origin{scheme: u.Scheme, host: strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), port: u.Port()}
	for i := range len(o.host) {
		if c := o.host[i]; c <= ' ' || c >= 0x7f || c == '%' || c == '_' && i == 0 {
			return origin{}, errors.New("has a host that is not plain ASCII")
		}
	}
	switch {
	case o.host == "":
		return origin{}, errors.New("has no host")
	case o.scheme == "https" && o.port == "":
		o.port = "443"
	case o.scheme == "http" && o.port == "":
		o.port = "80"
	case o.scheme != "https" && o.scheme != "http":
		return origin{}, errors.New("is neither https nor http")
	}
	return o, nil
}

// fetcher does the fetches of one run.
type fetcher struct {
	allowed []origin
	options outbound.Options // what holds for all of them; BaseURL is the origin's
	clients func(origin, outbound.Options) (*outbound.Client, error)

	mu    sync.Mutex
	begun int
}

// fetchAsk is what a script asks for.
type fetchAsk struct {
	URL      string      `json:"url"`
	Method   string      `json:"method"`
	Headers  [][2]string `json:"headers"`
	Body     *string     `json:"body"`
	Redirect string      `json:"redirect"`
}

// fetchAnswer is what it gets.
type fetchAnswer struct {
	URL        string      `json:"url"`
	Status     int         `json:"status"`
	Redirected bool        `json:"redirected"`
	Headers    [][2]string `json:"headers"`
	Body       string      `json:"body"`
}

// sendable are methods that have no effect on the connection.
var sendable = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// ours are header fields that a script does not set: they say where a message
// goes, or how it is framed.
var ours = [...]string{"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "keep-alive", "expect", "accept-encoding", "via"}

// errFetch is an error that a script is told.
type errFetch string

func (e errFetch) Error() string { return string(e) }

// do answers one fetch. An error is for the script, which may go on without.
func (f *fetcher) do(ctx context.Context, args []json.RawMessage) (*fetchAnswer, error) {
	f.mu.Lock()
	f.begun++
	begun := f.begun
	f.mu.Unlock()
	if begun > maxFetches {
		return nil, errFetch(fmt.Sprintf("a run may fetch %d times", maxFetches))
	}
	var a fetchAsk
	if len(args) != 1 || json.Unmarshal(args[0], &a) != nil {
		return nil, errFetch("fetch is called as nobody may")
	}
	head, err := checkAsk(&a)
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(a.URL)
	if err != nil {
		return nil, errFetch("the URL cannot be read")
	}
	for hop := 0; ; hop++ {
		got, err := f.once(ctx, target, a, head)
		if err != nil {
			return nil, err
		}
		to := got.Header.Get("Location")
		if got.Status < 300 || got.Status > 399 || got.Status == 304 || to == "" || a.Redirect == "manual" {
			return answerOf(target, got, hop > 0)
		}
		if a.Redirect == "error" || hop >= maxHops {
			return nil, errFetch("the answer is a redirect too many")
		}
		next, err := target.Parse(to)
		if err != nil {
			return nil, errFetch("the answer redirects to nowhere")
		}
		if from, _ := originOf(target); !f.may(next) || next.User != nil {
			return nil, errFetch(fmt.Sprintf("%s redirects out of the egress list", from))
		} else if to, _ := originOf(next); to != from {
			head = slices.DeleteFunc(slices.Clone(head), func(h request.Field) bool {
				return slices.Contains([]string{"authorization", "cookie", "proxy-authorization"}, strings.ToLower(h.Name))
			})
		}
		if got.Status == 303 || got.Status < 303 && a.Method == "POST" {
			if a.Method != "HEAD" {
				a.Method = "GET"
			}
			a.Body = nil
		}
		target = next
	}
}

// checkAsk bounds what is asked, and makes the head.
func checkAsk(a *fetchAsk) (request.Header, error) {
	if a.Method == "" {
		a.Method = "GET"
	}
	if a.Method = strings.ToUpper(a.Method); !slices.Contains(sendable[:], a.Method) {
		return nil, errFetch("no such method is sent")
	}
	if len(a.Headers) > maxHeaders || a.Body != nil && len(*a.Body) > maxBody {
		return nil, errFetch("what is sent is too large")
	}
	if a.Body != nil && (a.Method == "GET" || a.Method == "HEAD") {
		return nil, errFetch("GET and HEAD have no body")
	}
	var head request.Header
	for _, h := range a.Headers {
		name := strings.ToLower(h[0])
		if !isToken(name) || len(h[1]) > 4096 || strings.ContainsFunc(h[1], func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f }) ||
			slices.Contains(ours[:], name) || strings.HasPrefix(name, "proxy-") {
			return nil, errFetch("a header field is not a script's to set")
		}
		head = append(head, request.Field{Name: h[0], Value: h[1]})
	}
	return head, nil
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

// may reports whether a URL is on the list.
func (f *fetcher) may(u *url.URL) bool {
	o, err := originOf(u)
	return err == nil && slices.Contains(f.allowed, o)
}

// once is one exchange with a host of the list. Its name is resolved and dialled
// by outbound, which looks at every address in between.
func (f *fetcher) once(ctx context.Context, u *url.URL, a fetchAsk, head request.Header) (*outbound.Answer, error) {
	o, err := originOf(u)
	if err != nil || u.User != nil || !slices.Contains(f.allowed, o) {
		return nil, errFetch("the host is not on the egress list")
	}
	opts := f.options
	if addr, err := netip.ParseAddr(o.host); err == nil && opts.Plain && !outbound.Public(addr) {
		opts.Private = true // listed as an address, in test and dev alone (parseOrigin)
	}
	c, err := f.clients(o, opts)
	if err != nil {
		return nil, errFetch("the host cannot be called")
	}
	r := outbound.Request{Method: a.Method, Path: u.EscapedPath(), Query: u.RawQuery, Header: head}
	if r.Path == "" {
		r.Path = "/"
	}
	if a.Body != nil {
		r.Body = []byte(*a.Body)
	}
	got, err := c.Do(ctx, r)
	if err != nil {
		why := "unreachable"
		if e := (*outbound.Error)(nil); errors.As(err, &e) {
			why = string(e.Why)
		}
		return nil, errFetch(fmt.Sprintf("%s: %s", o.host, strings.ReplaceAll(why, "_", " ")))
	}
	return got, nil
}

// answerOf is an answer as a script reads it: text alone.
func answerOf(u *url.URL, got *outbound.Answer, redirected bool) (*fetchAnswer, error) {
	if !utf8.Valid(got.Body) {
		return nil, errFetch("the answer is no text")
	}
	plain := *u
	plain.Fragment = ""
	out := &fetchAnswer{URL: plain.String(), Status: got.Status, Redirected: redirected, Body: string(got.Body), Headers: [][2]string{}}
	for _, h := range got.Header {
		if len(out.Headers) < maxHeaders*2 && !strings.EqualFold(h.Name, "Set-Cookie") {
			out.Headers = append(out.Headers, [2]string{h.Name, cut(h.Value, 4096)})
		}
	}
	return out, nil
}

// fetchTime bounds one exchange.
const fetchTime = 5 * time.Second

// pooled keeps a client for each origin, a bounded number of them.
type pooled struct {
	mu      sync.Mutex
	clients map[string]*outbound.Client
}

const maxClients = 64

func (p *pooled) client(o origin, opts outbound.Options) (*outbound.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := o.String()
	if c, ok := p.clients[key]; ok {
		return c, nil
	}
	opts.BaseURL = key
	c, err := outbound.New(opts)
	if err != nil {
		return nil, err
	}
	if p.clients == nil {
		p.clients = map[string]*outbound.Client{}
	}
	for k, old := range p.clients {
		if len(p.clients) < maxClients {
			break
		}
		old.Close()
		delete(p.clients, k)
	}
	p.clients[key] = c
	return c, nil
}

func (p *pooled) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, c := range p.clients {
		c.Close()
		delete(p.clients, k)
	}
}
