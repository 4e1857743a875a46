package sms

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		to, regions, want string
		err               error
	}{
		{"4155552671", "US", "+14155552671", nil},
		{"07400 123456", "GB US", "+447400123456", nil},
		{"07400 123456", "US GB", "", ErrNumber}, // read as of the first
		{"+44 7400 123456", "US GB", "+447400123456", nil},
		{"+44 7400 123456", "US", "", ErrRegion},
		{"+1 604 555 0123", "US", "", ErrRegion}, // Canada
		{"+1 604 555 0123", "US CA", "+16045550123", nil},
		{"+1 900 555 0123", "US", "", ErrNumber},         // premium rate
		{"+44 56 0012 3456", "GB", "+445600123456", nil}, // VOIP
		{"+44 70 1234 5678", "GB", "", ErrNumber},        // personal number
		{"+44 121 234 5678", "GB", "", ErrNumber},        // fixed line
		{"+44 7640 123456", "GB", "", ErrNumber},         // pager
		{"+39 312 345 6789", "IT", "+393123456789", nil},
		{"（415）555-2671", "US", "+14155552671", nil},
		{"٤١٥٥٥٥٢٦٧١", "US", "+14155552671", nil},
		{"911", "US", "", ErrNumber},
		{"", "US", "", ErrNumber},
		{"   ", "US", "", ErrNumber},
		{"+", "US", "", ErrNumber},
		{"+1" + strings.Repeat("4155552671", 20), "US", "", ErrNumber},
		{"4155552671\r\nBody: x", "US", "", ErrNumber},
	} {
		n, err := read(c.to, strings.Fields(c.regions))
		if n.e164 != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q in %s: %q %v", c.to, c.regions, n.e164, err)
		}
	}
	if got := (number{mobile}).prefix(); got != "+1415555" {
		t.Errorf("prefix %q", got)
	}
	if got := (number{mobile}).shown(); got != "…71" {
		t.Errorf("shown %q", got)
	}
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{3,14}$`)

func FuzzPhone(f *testing.F) {
	for _, s := range []string{"4155552671", "+44 7400 123456", "tel:+1-415-555-2671;ext=5", "(415) 555-2671 x9", "011 44 7400 123456", "+1", "１２３", "1-800-FLOWERS", "tel:863-1234;phone-context=+1-914-555"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, to string) {
		n, err := read(to, []string{"US", "GB", "IT"})
		if (err == nil) != e164.MatchString(n.e164) {
			t.Fatalf("%q: %q %v", to, n.e164, err)
		}
		if err == nil {
			if again, err := read(n.e164, []string{"US", "GB", "IT"}); err != nil || again != n {
				t.Fatalf("%q is %q, which is %q, %v", to, n.e164, again.e164, err)
			}
			_, _ = n.prefix(), n.shown()
		}
	})
}

func FuzzBody(f *testing.F) {
	for _, s := range []string{`{"to":"4155552671"}`, `{"to":"x","cf-turnstile-response":"y"}`, `{"to":["x"]}`, `{"To":"x"}`, `{"to":"a","to":"b"}`, "", "null", `{"to":"\ud800"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var a asked
		if err := input.JSON(body, &a); err != nil || a.To == "" {
			return
		}
		var plain map[string]any
		if err := json.Unmarshal(body, &plain); err != nil {
			t.Fatalf("%q is no JSON, and was read: %v", body, err)
		}
		if plain["to"] != a.To {
			t.Fatalf("%q: to is %q", body, a.To)
		}
		_, _ = read(a.To, []string{"US"})
	})
}

func FuzzCampaign(f *testing.F) {
	for _, s := range []string{"/", "/spring", "/a/spring.html", "/.x", "/%2e%2e", "/a%2fb", "/spring;x", "//", "/%00", "/a.b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		parsed := request.ParseTarget(target, request.PathRules{}, nil)
		if _, refused := parsed.Refused(request.PathRules{}); refused {
			return
		}
		got := campaignOf(parsed.Path)
		if got == "" || strings.ContainsAny(got, "./\x00") {
			t.Fatalf("%q names %q", target, got)
		}
		path, _, _ := strings.Cut(target, "?")
		if last := path[strings.LastIndexByte(path, '/')+1:]; campaignName(last) && got != last {
			t.Fatalf("%q names %q", target, got)
		}
	})
}
