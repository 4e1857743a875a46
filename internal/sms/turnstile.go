package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

// tokenMember is the member of the body that holds the token; maxToken is the
// longest that Turnstile gives.
const (
	tokenMember = "cf-turnstile-response"
	maxToken    = 2048
	checkTime   = 5 * time.Second
)

// turnstile asks Cloudflare about tokens (server-side validation, siteverify).
type turnstile struct {
	client *outbound.Client
	c      *TurnstileConfig
	hosts  []string
}

// hostnames are where a check may have been solved.
func (c *Config) hostnames() []string {
	if len(c.Turnstile.Hostnames) > 0 {
		return c.Turnstile.Hostnames
	}
	var out []string
	for _, o := range c.Origins {
		if u, err := url.Parse(o); err == nil {
			out = append(out, u.Hostname())
		}
	}
	return out
}

// check fails unless Cloudflare says that a token is good, was not used before,
// and was made on one of our pages. Everything else is a refusal, its being out
// of reach too: the limits of a site with a bot check count on it.
func (t *turnstile) check(ctx context.Context, token string, client netip.Addr) error {
	if token == "" || len(token) > maxToken {
		return errors.New("no token")
	}
	form := "secret=" + request.EscapeQuery(t.c.Secret.Reveal()) + "&response=" + request.EscapeQuery(token)
	if client.IsValid() {
		form += "&remoteip=" + request.EscapeQuery(client.Unmap().WithZone("").String())
	}
	answer, err := t.client.Do(ctx, outbound.Request{Method: "POST", Path: "/siteverify", Body: []byte(form),
		Header: request.Header{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}, {Name: "Accept", Value: "application/json"}}})
	if err != nil {
		return fmt.Errorf("turnstile: %w", err)
	}
	var said struct {
		Success  bool     `json:"success"`
		Hostname string   `json:"hostname"`
		Action   string   `json:"action"`
		Codes    []string `json:"error-codes"`
	}
	switch err := json.Unmarshal(answer.Body, &said); {
	case answer.Status != 200 || err != nil:
		return fmt.Errorf("turnstile answered status %d, or no verdict", answer.Status)
	case !said.Success:
		return fmt.Errorf("turnstile: %s", codes(said.Codes))
	case !slices.Contains(t.hosts, said.Hostname):
		return errors.New("turnstile: the check was solved on a page that is none of ours")
	case t.c.Action != "" && said.Action != t.c.Action:
		return errors.New("turnstile: the check was solved for another action")
	}
	return nil
}

// codes are Cloudflare's words for the log, as far as they are words.
func codes(list []string) string {
	var out []string
	for _, c := range list[:min(len(list), 5)] {
		if len(c) <= 64 && !strings.ContainsFunc(c, func(r rune) bool { return !plainLetter(r) && r != '-' }) {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return "refused"
	}
	return strings.Join(out, ", ")
}
