package datadog

import (
	"encoding/json"
	"strings"
	"time"
)

// Entry is one entry, in Datadog's standard attributes where there are any.
type Entry struct {
	Time    time.Time
	Status  string // info, warn: its level
	Message string
	HTTP    *HTTP
	Client  string // address
	Took    time.Duration
	User    string
	Error   string
	// Own are further attributes, under "portreeve".
	Own map[string]any
}

// HTTP is the request that an entry is about.
type HTTP struct {
	Method    string `json:"method,omitempty"`
	Status    int    `json:"status_code,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Bytes     int64  `json:"-"`
	Path      string `json:"-"`
}

// MarshalJSON puts path and size where Datadog looks for them.
func (h *HTTP) MarshalJSON() ([]byte, error) {
	type plain HTTP
	return json.Marshal(struct {
		*plain
		URL     map[string]string `json:"url_details,omitempty"`
		Network map[string]int64  `json:"response,omitempty"`
	}{(*plain)(h), map[string]string{"path": clip(h.Path, maxText)}, map[string]int64{"bytes_written": h.Bytes}})
}

// maxText bounds what came from outside in one entry.
const maxText = 4 << 10

type wire struct {
	Source   string         `json:"ddsource"`
	Tags     string         `json:"ddtags,omitempty"`
	Host     string         `json:"hostname,omitempty"`
	Service  string         `json:"service"`
	Message  string         `json:"message"`
	Status   string         `json:"status"`
	Time     int64          `json:"timestamp"` // Unix milliseconds
	HTTP     *HTTP          `json:"http,omitempty"`
	Network  any            `json:"network,omitempty"`
	Duration int64          `json:"duration,omitempty"` // nanoseconds
	User     any            `json:"usr,omitempty"`
	Error    any            `json:"error,omitempty"`
	Own      map[string]any `json:"portreeve,omitempty"`
}

// encode is the entry as it is sent.
func (s *Shipper) encode(e *Entry) ([]byte, error) {
	w := wire{Source: "portreeve", Tags: s.tags, Host: s.o.Host, Service: s.c.Service, Message: clip(e.Message, maxText), Status: e.Status,
		Time: e.Time.UnixMilli(), HTTP: e.HTTP, Duration: int64(e.Took), Own: e.Own}
	if e.Client != "" {
		w.Network = map[string]any{"client": map[string]string{"ip": e.Client}}
	}
	if e.User != "" {
		w.User = map[string]string{"id": e.User}
	}
	if e.Error != "" {
		w.Error = map[string]string{"message": clip(e.Error, maxText)}
	}
	return json.Marshal(w)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
