package standin

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Mishap is what can be wrong with a service.
type Mishap string

// The ways in which services fail. Each is told to a stand-in by Fail.
const (
	Well        Mishap = ""            // nothing is wrong
	Slow        Mishap = "slow"        // an answer that does not come: the connection is held until the caller leaves
	Reset       Mishap = "reset"       // the connection is reset after the request was read
	Garbage     Mishap = "garbage"     // 200 that says JSON and is none
	Cut         Mishap = "cut"         // 200 that ends before its Content-Length
	Unavailable Mishap = "unavailable" // 503
	Broken      Mishap = "broken"      // 500
	Busy        Mishap = "busy"        // 429 with Retry-After: 7
	Redirect    Mishap = "redirect"    // 302 to /elsewhere of the same stand-in, which counts who follows
	Huge        Mishap = "huge"        // 200 with 8 MiB of good JSON
	Denied      Mishap = "denied"      // 401, as where our own secret is wrong
)

// mishaps makes a handler fail as it was told.
type mishaps struct {
	mu       sync.Mutex
	how      map[string]Mishap // by path; "" for every path
	followed int
}

// Fail makes the answers to paths fail until it is called again for them; every
// path where none is named, but for those of keys (/.well-known/). Fail(Well) ends
// all of it. What fails was received all the same, and stands in Seen.
func (m *mishaps) Fail(how Mishap, paths ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.how == nil || len(paths) == 0 {
		m.how = map[string]Mishap{}
	}
	if len(paths) == 0 {
		paths = []string{""}
	}
	for _, p := range paths {
		m.how[p] = how
	}
}

// Followed is how often somebody went where a redirect pointed.
func (m *mishaps) Followed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.followed
}

func (m *mishaps) at(path string) Mishap {
	m.mu.Lock()
	defer m.mu.Unlock()
	if path == elsewhere {
		m.followed++
		return Unavailable
	}
	if how, ok := m.how[path]; ok {
		return how
	}
	if strings.HasPrefix(path, "/.well-known/") {
		return Well
	}
	return m.how[""]
}

const (
	elsewhere  = "/elsewhere"
	retryAfter = 7 // seconds, of Busy
	hugeBytes  = 8 << 20
	slowest    = 30 * time.Second // bounds a wait that nobody ends
)

// fail answers badly and reports whether it did.
func (m *mishaps) fail(w http.ResponseWriter, r *http.Request) bool {
	switch m.at(r.URL.Path) {
	case Well:
		return false
	case Slow:
		select {
		case <-r.Context().Done():
		case <-time.After(slowest):
		}
		panic(http.ErrAbortHandler)
	case Reset:
		reset(w)
	case Cut:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "4096")
		_, _ = w.Write([]byte(`{"access_token":"`))
		panic(http.ErrAbortHandler)
	case Garbage:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("<html>\x00 not {json"))
	case Unavailable:
		reply(w, http.StatusServiceUnavailable, map[string]string{"error": "temporarily_unavailable"})
	case Broken:
		reply(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
	case Busy:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		w.Header().Set("X-RateLimit-Limit", "10")
		w.Header().Set("X-RateLimit-Remaining", "0")
		reply(w, http.StatusTooManyRequests, map[string]string{"error": "too_many_requests", "error_description": "Global limit has been reached"})
	case Redirect:
		http.Redirect(w, r, elsewhere, http.StatusFound)
	case Huge:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"filler":"`))
		block := []byte(strings.Repeat("x", 64<<10))
		for range hugeBytes / len(block) {
			if _, err := w.Write(block); err != nil {
				return true // who is sent too much may leave
			}
		}
		_, _ = w.Write([]byte(`"}`))
	case Denied:
		reply(w, http.StatusUnauthorized, map[string]string{"error": "unauthorized"})
	}
	return true
}

// reset ends the connection with RST, not FIN.
func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if under, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = under.NetConn()
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
