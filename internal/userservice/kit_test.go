package userservice

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

const (
	keyID     = "AKIDEXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// peer stands for the service: it checks signatures by its own hand and answers as
// it is told.
type peer struct {
	*httptest.Server
	t      *testing.T
	mu     sync.Mutex
	answer http.HandlerFunc
	now    time.Time
	seen   []string // path and body of what was signed
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{t: t, answer: says(200, `{}`), now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		now, answer := p.now, p.answer
		p.mu.Unlock()
		if wrong := verify(r, b, now); wrong != "" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"`+wrong+`"}`)
			return
		}
		p.mu.Lock()
		p.seen = append(p.seen, r.Method+" "+r.URL.Path+" "+string(b))
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(func() { p.CloseClientConnections(); p.Close() })
	return p
}

func (p *peer) will(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = h
}

func (p *peer) last() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) == 0 {
		return ""
	}
	return p.seen[len(p.seen)-1]
}

// client asks the peer; change may alter the configuration.
func (p *peer) client(change func(*Config, *Deps)) *Client {
	p.t.Helper()
	c := &Config{URL: config.URL(p.URL), Timeout: config.Duration(300 * time.Millisecond), OnError: "deny",
		Signing: &Signing{AWSSigV4: &SigV4{Region: "eu-central-1", Service: "execute-api", AccessKeyID: secret.New(keyID), SecretAccessKey: secret.New(secretKey)}}}
	d := Deps{Plain: true, Now: func() time.Time { return p.now }}
	if change != nil {
		change(c, &d)
	}
	cl, err := New(d, c)
	if err != nil {
		p.t.Fatal(err)
	}
	return cl
}

// verify is Signature Version 4 as its documentation has it, written without the
// library that signs. It says what is wrong.
func verify(r *http.Request, body []byte, now time.Time) string {
	auth, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return "not signed"
	}
	part := map[string]string{}
	for p := range strings.SplitSeq(auth, ", ") {
		k, v, _ := strings.Cut(p, "=")
		part[k] = v
	}
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	if err != nil || at.Sub(now).Abs() > 5*time.Minute {
		return "the date is too far off"
	}
	scope := date[:8] + "/eu-central-1/execute-api/aws4_request"
	if part["Credential"] != keyID+"/"+scope {
		return "another scope"
	}
	if part["SignedHeaders"] != "content-length;content-type;host;x-amz-content-sha256;x-amz-date" {
		return "signed are " + part["SignedHeaders"]
	}
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery,
		"content-length:" + strconv.FormatInt(r.ContentLength, 10), "content-type:" + r.Header.Get("Content-Type"), "host:" + r.Host,
		"x-amz-content-sha256:" + r.Header.Get("X-Amz-Content-Sha256"), "x-amz-date:" + date, "", part["SignedHeaders"], digest}, "\n")
	hashed := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + secretKey)
	for _, s := range []string{date[:8], "eu-central-1", "execute-api", "aws4_request"} {
		key = mac(key, s)
	}
	if want := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+hex.EncodeToString(hashed[:]))); want != part["Signature"] {
		return "the signature is wrong"
	}
	return ""
}

func mac(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

func says(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func reset(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}

func slow(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(10 * time.Second):
	}
}

func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "5000")
	_, _ = io.WriteString(w, `{"id":"1","status":"active"}`)
}

func huge(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"id":"1","status":"active","more":"`+strings.Repeat("x", mostAnswer)+`"}`)
}
