package identity

import (
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// The cookies and the header of Portreeve's own credentials. The prefix keeps a
// cookie to the one host that set it, by TLS alone (RFC 6265bis section 4.1.3);
// browsers take it on localhost without TLS too.
const (
	CookieSession = "__Host-portreeve"
	CookieMFA     = "__Host-portreeve-mfa"
	CookiePre     = "__Host-portreeve-pre" // says which browser began a sign-in
	HeaderMFA     = "X-Portreeve-MFA"
)

// SetCookie is the field that makes a browser keep a cookie of ours. age 0 keeps
// it until the browser closes; one below 0 ends it.
func SetCookie(name, value string, age time.Duration) request.Field {
	text := name + "=" + value + "; Path=/; Secure; HttpOnly; SameSite=Lax"
	switch {
	case age < 0:
		text += "; Max-Age=0"
	case age > 0:
		text += "; Max-Age=" + strconv.FormatInt(int64(age/time.Second), 10)
	}
	return request.Field{Name: "Set-Cookie", Value: text}
}
