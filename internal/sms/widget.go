package sms

import (
	"crypto/sha256"
	_ "embed" // widget.js
	"encoding/base64"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

//go:embed widget.js
var widgetSource []byte

// widget answers with the script. Any page may load it, also one that isolates
// itself (Cross-Origin-Embedder-Policy); what it may then ask is decided by the
// page's origin.
func widget(v *request.View) request.Reply {
	sum := sha256.Sum256(widgetSource)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	h := request.Header{
		{Name: "Content-Type", Value: "text/javascript; charset=utf-8"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "Cache-Control", Value: "public, max-age=3600"},
		{Name: "Cross-Origin-Resource-Policy", Value: "cross-origin"},
		{Name: "ETag", Value: tag},
	}
	for _, known := range v.Header.Values("If-None-Match") {
		if strings.Contains(known, tag) || known == "*" {
			return request.Reply{Status: 304, Header: h}
		}
	}
	return request.Reply{Status: 200, Header: h, Body: widgetSource}
}
