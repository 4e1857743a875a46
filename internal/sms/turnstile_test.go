package sms

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestTheBotCheck(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	with := func(more string) *node {
		return r.node(r.configured(`turnstile: {secret: a-secret, baseURL: "`+r.turnstile.URL()+`"`+more+`}`), Place{}).impatient(300 * time.Millisecond)
	}
	n := with("")
	i := 0
	try := func(n *node, token string) answer {
		i++
		return n.ask(visitor, "POST", "/", `{"to":"`+numberOf(i)+`","cf-turnstile-response":"`+token+`"}`)
	}
	good := r.turnstile.Solve("example.com", "")
	try(n, good).sent(t)
	last := r.turnstile.Seen()[len(r.turnstile.Seen())-1]
	if last.Text("remoteip") != visitor.ip || last.Text("response") != good || last.Text("secret") != "a-secret" {
		t.Errorf("asked %v", last.Params)
	}
	try(n, r.turnstile.Solve("localhost", "")).sent(t)
	refused := func(n *node, token string) {
		t.Helper()
		try(n, token).is(t, 403, "bot_check_failed")
	}
	refused(n, good) // once
	refused(n, "made-up")
	refused(n, "")
	refused(n, strings.Repeat("x", 2049))
	refused(n, r.turnstile.Solve("evil.example", ""))
	refused(n, r.turnstile.Solve("", ""))
	n.ask(visitor, "POST", "/", `{"to":"`+mobile+`"}`).is(t, 403, "bot_check_failed")

	named := with(", action: text-me, hostnames: [www.example.com]")
	try(named, r.turnstile.Solve("www.example.com", "text-me")).sent(t)
	refused(named, r.turnstile.Solve("www.example.com", "login"))
	refused(named, r.turnstile.Solve("example.com", "text-me"))

	for _, how := range []standin.Mishap{standin.Slow, standin.Reset, standin.Garbage, standin.Cut, standin.Unavailable, standin.Broken, standin.Busy, standin.Redirect, standin.Huge, standin.Denied} {
		r.turnstile.Fail(how)
		refused(n, r.turnstile.Solve("example.com", ""))
	}
	if r.turnstile.Followed() > 0 {
		t.Error("a redirect was followed")
	}
	r.texts(t, 3)
	if log := r.log.String(); strings.Contains(log, good) {
		t.Error("a token is in the log")
	}
	if got := fmt.Sprint(n.s.Counts()); !strings.Contains(got, "bot_check_failed") {
		t.Errorf("counts %s", got)
	}
}
