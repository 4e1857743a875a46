package escrow

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// first refuses whoever may not do something before anything of what they sent is
// looked at; the rule itself asks again, in its transaction.
func (u *surface) first(ctx context.Context, p Person, permission string) error {
	return u.s.d.DB.Read(ctx, func(tx *store.Tx) error { return u.s.may(tx, p, permission) })
}

// steppedUp asks for the second factor, where the caller has one.
func (u *surface) steppedUp(ctx context.Context, c *gateway.Call, token string) error {
	if u.s.d.Factors == nil {
		return nil
	}
	return u.s.d.Factors.Shown(ctx, c, token)
}

// setsKeys reads the body of an operation on keys for whoever may do it.
func (u *surface) setsKeys(ctx context.Context, c *gateway.Call, p Person, into any, stepUp *string) error {
	if err := u.first(ctx, p, setKeys); err != nil {
		return err
	}
	if err := input.JSON(c.Body, into); err != nil {
		return err
	}
	return u.steppedUp(ctx, c, *stepUp)
}

func (u *surface) challenge(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if err := u.first(ctx, p, setKeys); err != nil {
		return request.Reply{}, err
	}
	var b struct {
		PublicKey json.RawMessage `json:"publicKey"`
		StepUp    string          `json:"stepUp"` // looked at by demanded
	}
	if err := input.JSON(c.Body, &b); err != nil {
		return request.Reply{}, err
	}
	public, err := readPublic(b.PublicKey, 2048)
	if err != nil {
		return request.Reply{}, err
	}
	x, err := u.s.Challenge(ctx, p, public)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, struct {
		ChallengeID string  `json:"challengeId"`
		Ciphertext  string  `json:"ciphertext"`
		ExpiresAt   *string `json:"expiresAt"`
		Kid         string  `json:"kid"`
		Tenant      string  `json:"tenant"`
		CreatedAt   *string `json:"createdAt"`
		Predecessor *string `json:"predecessor"`
	}{x.ID, base64.StdEncoding.EncodeToString(x.Ciphertext), moment(x.ExpiresAt), x.Kid, p.Tenant, moment(x.CreatedAt), some(x.Predecessor)}), nil
}

// elsewhere reports whether a page of another site may have caused a GET: one that
// is counted is held to what posts are.
func (u *surface) elsewhere(c *gateway.Call) bool {
	v := *c.View
	v.Method = "POST"
	return identity.CrossSite(&v, false, u.origins)
}

func (u *surface) keys(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	text, _, err := input.Query(c.View, "wrappings")
	if err != nil {
		return request.Reply{}, err
	}
	if text != "" && text != "true" && text != "false" {
		return request.Reply{}, input.Invalid("wrappings", "must be true or false")
	}
	if text != "false" && u.elsewhere(c) {
		return request.Reply{}, ErrCrossSite
	}
	list, opened, err := u.s.Keys(ctx, p, text != "false")
	if err != nil {
		return request.Reply{}, err
	}
	views := make([]keyView, len(list))
	for i, k := range list {
		views[i] = viewKey(k, i == 0, opened)
	}
	return gateway.JSON(200, struct {
		Keys []keyView `json:"keys"`
	}{views}), nil
}

func (u *surface) onboard(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	var b keyBody
	if err := u.setsKeys(ctx, c, p, &b, &b.StepUp); err != nil {
		return request.Reply{}, err
	}
	o, err := readOnboarding(b)
	if err != nil {
		return request.Reply{}, err
	}
	if err := u.s.Onboard(ctx, p, o); err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, struct {
		Kid string `json:"kid"`
	}{o.Public.Kid}), nil
}

func (u *surface) rewrap(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	var b wrappingBody
	if err := u.setsKeys(ctx, c, p, &b, &b.StepUp); err != nil {
		return request.Reply{}, err
	}
	kid := param(c, "kid")
	version, err := u.s.Rewrap(ctx, p, kid, b)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, struct {
		Kid     string `json:"kid"`
		Version int    `json:"version"`
	}{kid, version}), nil
}

func (u *surface) unwrap(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	var b wrappingBody
	if err := u.setsKeys(ctx, c, p, &b, &b.StepUp); err != nil {
		return request.Reply{}, err
	}
	kid, text := param(c, "kid"), param(c, "version")
	version, err := strconv.Atoi(text)
	if err != nil || version < 1 || strconv.Itoa(version) != text {
		return request.Reply{}, ErrNotFound
	}
	if err := u.s.Unwrap(ctx, p, kid, version, b); err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, struct {
		Kid     string `json:"kid"`
		Removed int    `json:"removed"`
	}{kid, version}), nil
}

func (u *surface) reveal(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if err := u.first(ctx, p, reveal); err != nil {
		return request.Reply{}, err
	}
	var b struct {
		Reason string `json:"reason"`
		StepUp string `json:"stepUp"` // looked at by demanded
	}
	if err := input.JSON(c.Body, &b); err != nil {
		return request.Reply{}, err
	}
	r, err := u.s.Reveal(ctx, p, param(c, "id"), b.Reason)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, viewReveal(p.Tenant, r)), nil
}
