package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/principal"
)

// Access is what is known of a request when its answer is complete.
type Access struct {
	Time      time.Time
	RequestID string
	Site      string
	Route     string // the pattern, "" where none matched
	Method    string
	Path      string // canonical, without query; the pattern where it holds a secret
	Status    int
	Bytes     int64
	Duration  time.Duration
	Who       *principal.Principal
	Client    string
	Decision  string // of a refusal
	Reason    string // code of a refusal
	Err       error  // cause, for the log alone
	Note      string // what strictness: report passed over, or why a proxy's word did not count
}

// AccessLog writes one line for each request: no query string, no header value
// and no body ever stands in it.
type AccessLog struct {
	Log  *slog.Logger
	Key  []byte // of the digest that stands for an e-mail address
	Mail bool   // log: {user: email}
	// JSON is where Log's JSON handler writes; nil where Log has another one.
	JSON io.Writer
}

// Write writes the line of one request.
func (l *AccessLog) Write(a *Access) {
	attrs := make([]slog.Attr, 0, 18)
	attrs = append(attrs,
		slog.String("request", a.RequestID), slog.String("site", a.Site), slog.String("route", a.Route),
		slog.String("method", clean(a.Method)), slog.String("path", a.Path), slog.Int("status", a.Status),
		slog.Int64("bytes", a.Bytes), slog.Float64("ms", float64(a.Duration.Microseconds())/1000),
		slog.String("client", a.Client))
	if a.Who.Authenticated() {
		attrs = append(attrs, slog.String("user", l.user(a.Who)), slog.String("provider", a.Who.Provider))
	}
	attrs = append(attrs, slog.String("action", "api_request"), slog.String("resource", a.Route))
	if a.Decision != "" {
		attrs = append(attrs, slog.String("decision", a.Decision))
	}
	if a.Reason != "" {
		attrs = append(attrs, slog.String("reason", a.Reason))
	}
	if a.Note != "" {
		attrs = append(attrs, slog.String("note", a.Note))
	}
	level := slog.LevelInfo
	if a.Err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("error", a.Err.Error()))
	}
	// By the handler itself: LogAttrs would look up who called it, which no
	// handler here prints.
	ctx, h, now := context.Background(), l.Log.Handler(), time.Now()
	if l.JSON != nil && writeLine(l.JSON, now, level, attrs) {
		return
	}
	if h.Enabled(ctx, level) {
		r := slog.NewRecord(now, level, "access", 0)
		r.AddAttrs(attrs...)
		_ = h.Handle(ctx, r)
	}
}

// Name is how the log calls a caller; "" for nobody.
func (l *AccessLog) Name(p *principal.Principal) string {
	if !p.Authenticated() {
		return ""
	}
	return l.user(p)
}

// user names a caller without giving an address away: the subject, or a keyed
// digest of an e-mail address where that is all there is or where the subject
// is one.
func (l *AccessLog) user(p *principal.Principal) string {
	if l.Mail && p.Email != "" {
		return p.Email
	}
	id := p.ID()
	if id == "" {
		id = p.Email
	}
	if l.Mail || !strings.Contains(id, "@") {
		return id
	}
	mac := hmac.New(sha256.New, l.Key)
	mac.Write([]byte(id))
	return "mail:" + hex.EncodeToString(mac.Sum(nil)[:12])
}

// clean keeps an odd method out of the log's way; methods are tokens already.
func clean(method string) string {
	if len(method) > 32 {
		return method[:32] + "…"
	}
	return method
}
