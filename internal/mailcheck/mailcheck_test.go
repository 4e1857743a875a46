package mailcheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// names is a name system. What it does not list does not exist.
type names struct {
	mu     sync.Mutex
	mx     map[string][]string
	ip     map[string]string
	ns     map[string]bool
	broken map[string]error // for MX
	late   map[string]error // for addresses
	wait   time.Duration
	asked  []string
	now    int
	most   int
}

func (n *names) ask(ctx context.Context, kind, name string) error {
	n.mu.Lock()
	n.asked = append(n.asked, kind+" "+name)
	n.now++
	n.most = max(n.most, n.now)
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.now--
		n.mu.Unlock()
	}()
	if n.wait == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return &net.DNSError{Err: "timed out", Name: name, IsTimeout: true}
	case <-time.After(n.wait):
		return nil
	}
}

func gone(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (n *names) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	if err := n.ask(ctx, "MX", name); err != nil {
		return nil, err
	}
	if err := n.broken[name]; err != nil {
		return nil, err
	}
	var out []*net.MX
	for _, host := range n.mx[name] {
		out = append(out, &net.MX{Host: host, Pref: 10})
	}
	if out == nil {
		return nil, gone(name)
	}
	return out, nil
}

func (n *names) LookupNetIP(ctx context.Context, _, name string) ([]netip.Addr, error) {
	if err := n.ask(ctx, "IP", name); err != nil {
		return nil, err
	}
	if err := n.late[name]; err != nil {
		return nil, err
	}
	if a := n.ip[name]; a != "" {
		return []netip.Addr{netip.MustParseAddr(a)}, nil
	}
	return nil, gone(name)
}

func (n *names) LookupNS(ctx context.Context, name string) ([]*net.NS, error) {
	if err := n.ask(ctx, "NS", name); err != nil {
		return nil, err
	}
	if n.ns[name] {
		return []*net.NS{{Host: "ns.example."}}, nil
	}
	return nil, gone(name)
}

func TestWhatIsSaidOfAddresses(t *testing.T) {
	t.Parallel()
	failed := &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	n := &names{
		mx: map[string][]string{"mail.example.": {"mx1.mail.example."}, "null.example.": {"."}, "odd.example.": {".", "mx.odd.example."}, "xn--bcher-kva.example.": {"mx.example."}},
		ip: map[string]string{"old.example.": "192.0.2.1", "six.example.": "2001:db8::1", "null.example.": "192.0.2.1", "sure.example.": "192.0.2.1"},
		ns: map[string]bool{"web.example.": true}, broken: map[string]error{"fails.example.": failed, "other.example.": errors.New("no resolver")},
		late: map[string]error{"half.example.": &net.DNSError{Err: "i/o timeout", IsTimeout: true, IsNotFound: true}},
	}
	c := New(Options{Resolver: n})
	for _, k := range []struct {
		email  string
		valid  bool
		reason string
	}{
		{"alice@mail.example", true, ""}, {"Alice.B+tag@MAIL.example", true, ""}, {"o'neil@mail.example", true, ""}, {"josé@mail.example", true, ""}, {"a@bücher.example", true, ""}, {"a@xn--bcher-kva.example", true, ""},
		{"a@BÜCHER。example", true, ""}, {"a@old.example", true, ""}, {"a@six.example", true, ""}, {"a@odd.example", true, ""}, {"a_@mail.example", true, ""}, {strings.Repeat("a", 64) + "@mail.example", true, ""},
		{"a@null.example", false, NoMX}, {"a@web.example", false, NoMX}, {"a@nothing.example", false, Domain},
		{"a@fails.example", true, Unknown}, {"a@other.example", true, Unknown}, {"a@half.example", true, Unknown},
		{"", false, Format}, {"alice", false, Format}, {"@mail.example", false, Format}, {"a@", false, Format}, {"a@b@mail.example", false, Format}, {"a b@mail.example", false, Format}, {" a@mail.example", false, Format},
		{"a@mail.example ", false, Format}, {".a@mail.example", false, Format}, {"a.@mail.example", false, Format}, {"a..b@mail.example", false, Format}, {`"a"@mail.example`, false, Format}, {"a(c)@mail.example", false, Format},
		{"a@[192.0.2.1]", false, Format}, {"a@192.0.2.1", false, Format}, {"a@localhost", false, Format}, {"a@mail.example.", false, Format}, {"a@mail..example", false, Format}, {"a@.example", false, Format}, {"a@-mail.example", false, Format},
		{"a@mail_.example", false, Format}, {"a@mail.example\r\nBcc: x", false, Format}, {"a\x00@mail.example", false, Format}, {"a@mail.e", false, Format}, {"a@\xffmail.example", false, Format}, {"Alice <a@mail.example>", false, Format},
		{"a\u200b@mail.example", false, Format}, {"a@xn--a.example", false, Format}, {strings.Repeat("a", 65) + "@mail.example", false, Format}, {"a@" + strings.Repeat("a", 64) + ".example", false, Format}, {"a@" + strings.Repeat("a.", 130) + "example", false, Format},
	} {
		if got, want := c.Check(t.Context(), k.email), (Answer{k.email, k.valid, k.reason}); got != want {
			t.Errorf("%q: %+v, want %+v", k.email, got, want)
		}
	}
	for _, name := range n.asked {
		if !strings.HasSuffix(name, ".") {
			t.Errorf("asked for %q: a search list could be used", name)
		}
	}
}

func TestHugeInputIsRefusedUnasked(t *testing.T) {
	t.Parallel()
	n := &names{}
	a := New(Options{Resolver: n}).Check(t.Context(), strings.Repeat("é", 20_000)+"@mail.example")
	if a.Valid || a.Reason != Format || len(a.Email) > longestEcho || len(n.asked) != 0 {
		t.Errorf("%d bytes come back, %d questions", len(a.Email), len(n.asked))
	}
}

func TestTheSameDomainIsAskedForOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &names{mx: map[string][]string{"mail.example.": {"mx."}}, wait: time.Second}
		c := New(Options{Resolver: n})
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				if a := c.Check(t.Context(), fmt.Sprintf("u%d@Mail.example", i)); !a.Valid || a.Reason != "" {
					t.Errorf("%+v", a)
				}
			})
		}
		all.Wait()
		c.Check(t.Context(), "x@mail.example")
		if len(n.asked) != 1 {
			t.Errorf("%d questions", len(n.asked))
		}
		time.Sleep(keptFor)
		c.Check(t.Context(), "x@mail.example")
		if len(n.asked) != 2 {
			t.Errorf("%d questions after five minutes", len(n.asked))
		}
	})
}

func TestASlowNameSystemTurnsNobodyAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &names{wait: time.Hour}
		c := New(Options{Resolver: n, Now: time.Now})
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				began := time.Now()
				if a := c.Check(t.Context(), fmt.Sprintf("a@d%d.example", i)); !a.Valid || a.Reason != Unknown || time.Since(began) > standardTime {
					t.Errorf("%+v after %s", a, time.Since(began))
				}
			})
		}
		all.Wait()
		if n.most > mostAtOnce {
			t.Errorf("%d questions at a time", n.most)
		}
		// And what was not answered is asked again soon.
		n.wait, n.mx = 0, map[string][]string{"d1.example.": {"mx."}}
		time.Sleep(unsureFor)
		if a := c.Check(t.Context(), "a@d1.example"); !a.Valid || a.Reason != "" {
			t.Errorf("%+v", a)
		}
	})
}

func TestWhoHangsUpEndsTheQuestionForNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &names{mx: map[string][]string{"mail.example.": {"mx."}}, wait: time.Second}
		c := New(Options{Resolver: n})
		ctx, hangUp := context.WithCancel(t.Context())
		go c.Check(ctx, "a@mail.example")
		synctest.Wait()
		hangUp()
		if a := c.Check(t.Context(), "b@mail.example"); !a.Valid || a.Reason != "" {
			t.Errorf("%+v", a)
		}
	})
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	t.Parallel()
	c := New(Options{Resolver: &names{}})
	for i := range mostDomains + 500 {
		c.Check(t.Context(), fmt.Sprintf("a@d%d.example", i))
	}
	if n := len(c.known.by); n > mostDomains {
		t.Errorf("%d domains are kept", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a@b.example", "é@bücher.example", "a@xn--", "@", "a@b@c", "a@。.example", "\xff@b.c", "a@٠.example", strings.Repeat("a", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		domain, ok := parse(s)
		if !ok {
			return
		}
		if again, ok := parse("a@" + domain); !ok || again != domain || len(domain) > longestDomain || strings.ContainsAny(domain, " \r\n\x00@/\\:") {
			t.Errorf("%q has the domain %q, and that %q", s, domain, again)
		}
	})
}
