package demo

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
)

//go:embed page.html
var pageHTML string

// page is a page of the company's, with the widget of text-me-the-app in it and,
// below, the telephone that gets the texts. It also is a device: it makes tokens as
// Castle's script does.
type page struct {
	url    string
	l      net.Listener
	server *http.Server
	done   chan struct{}
}

// newPage is the page on l, which is served from begin until Close.
//
//	GET /         the page
//	GET /texts    what the telephone got
//	GET /device   a device token, as the line of a head
func (d *Demo) newPage(l net.Listener) *page {
	p := &page{url: "http://" + l.Addr().String(), l: l}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, strings.ReplaceAll(pageHTML, "@GET@", d.at("get", "")))
	})
	mux.HandleFunc("GET /texts", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		texts := d.twilio.Texts()
		if texts == nil {
			texts = []standin.SMS{}
		}
		_ = json.NewEncoder(w).Encode(texts)
	})
	mux.HandleFunc("GET /device", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "X-Castle-Request-Token: %s\n", d.castle.Token())
	})
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	return p
}

// begin serves the page, once Portreeve's own address is known.
func (p *page) begin() error {
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		_ = p.server.Serve(p.l) // always http.ErrServerClosed
	}()
	return nil
}

// Close ends the page.
func (p *page) Close() error {
	if p.done == nil {
		return p.l.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := p.server.Shutdown(ctx)
	if err != nil {
		err = p.server.Close()
	}
	<-p.done
	return err
}
