package standin

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238's, as authenticator apps have it
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Phone stands in for a telephone with an authenticator app: it scans what
// /mfa/setup answers, and shows codes (RFC 6238: SHA-1, six digits, 30 seconds).
type Phone struct {
	*site
	mu     sync.Mutex
	secret []byte
	shown  int64 // the step of the code that was shown last
}

// NewPhone answers on l until Close.
//
//	POST /scan   the answer of /mfa/setup
//	GET  /code   a code that was not shown before
func NewPhone(l net.Listener) *Phone {
	p := &Phone{site: newSite(l)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /scan", p.scan)
	mux.HandleFunc("GET /code", p.code)
	p.serve(l, mux)
	return p
}

func (p *Phone) scan(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Secret string `json:"secret"`
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(raw, &body)
	}
	secret, wrong := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(strings.ToUpper(body.Secret), "="))
	if err != nil || wrong != nil || len(secret) == 0 {
		http.Error(w, "there is no secret in "+string(raw), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.secret, p.shown = secret, 0
	p.mu.Unlock()
	fmt.Fprintln(w, "scanned")
}

const step = 30 // seconds

// code shows a code that counts: a code counts once, and up to 30 seconds before
// its time. The third within that time has to be waited for, as on a telephone.
func (p *Phone) code(w http.ResponseWriter, r *http.Request) {
	for {
		p.mu.Lock()
		secret, now := p.secret, time.Now().Unix()/step
		next := max(now, p.shown+1)
		if secret != nil && next <= now+1 {
			p.shown = next
			p.mu.Unlock()
			fmt.Fprint(w, totp(secret, next))
			return
		}
		p.mu.Unlock()
		if secret == nil {
			http.Error(w, "nothing was scanned yet", http.StatusConflict)
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// totp is RFC 4226 section 5.3 over a time step.
func totp(secret []byte, at int64) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, at)
	sum := mac.Sum(nil)
	from := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[from:])&0x7fffffff%1_000_000)
}
