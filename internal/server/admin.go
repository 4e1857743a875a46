package server

import (
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
)

// AdminOptions is what the admin listener can do.
type AdminOptions struct {
	Token  secret.Value // asked for on every request; empty only on a unix socket
	Socket bool         // a unix socket: its mode is the lock, any Host will do
	Hosts  []string     // canonical hosts that requests may name, on TCP
	Ring   *explain.Ring
	Reload func() error // the error is what check would print
	State  func() any
	Pprof  bool
}

// AdminMux serves reload, explain and state. A browser never has business here:
// any Origin is refused, and so is a Host that is not the listener's own.
func AdminMux(o AdminOptions) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, _ *http.Request) {
		if err := o.Reload(); err != nil {
			writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"ok": false, "error": err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"ok": true})
	})
	mux.HandleFunc("GET /explain/{id}", func(w http.ResponseWriter, r *http.Request) {
		rec, ok := o.Ring.Get(r.PathValue("id"))
		if !ok {
			writeJSON(w, http.StatusNotFound, map[string]any{"error": "Not Found",
				"message": "no such decision here: it may have been on another node, before the last start, or pushed out by newer ones"})
			return
		}
		writeJSON(w, http.StatusOK, rec)
	})
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, o.State()) })
	if o.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
	return guardAdmin(o, mux)
}

func guardAdmin(o AdminOptions, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(status int, label, message string) {
			writeJSON(w, status, map[string]any{"error": label, "message": message})
		}
		if len(r.Header.Values("Origin")) > 0 {
			refuse(http.StatusForbidden, "Forbidden", "the admin listener takes no calls from web pages")
			return
		}
		if !o.Socket {
			host, ok := request.CanonicalHost(r.Host)
			if !ok || !slices.Contains(o.Hosts, host) {
				refuse(http.StatusMisdirectedRequest, "Misdirected Request", "the Host is not the admin listener's")
				return
			}
		}
		if !o.Token.Empty() {
			auth := r.Header.Values("Authorization")
			if len(auth) != 1 {
				auth = []string{""}
			}
			scheme, given, _ := strings.Cut(auth[0], " ")
			if !strings.EqualFold(scheme, "Bearer") || !o.Token.Equal(given) {
				w.Header().Set("WWW-Authenticate", "Bearer")
				refuse(http.StatusUnauthorized, "Unauthorized", "the admin token is needed: Authorization: Bearer …")
				return
			}
		} else if !o.Socket {
			refuse(http.StatusForbidden, "Forbidden", "the admin listener has no token")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// AdminHosts are the hosts that a TCP admin listener's requests may name.
func AdminHosts(addr net.Addr) []string {
	hosts := []string{"localhost", "127.0.0.1", "[::1]"}
	if t, ok := addr.(*net.TCPAddr); ok && !t.IP.IsUnspecified() {
		if h, ok := request.CanonicalHost(net.JoinHostPort(t.IP.String(), "0")); ok && !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}
