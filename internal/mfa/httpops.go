package mfa

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

func (h *surface) state(ctx context.Context, _ *gateway.Call, p Person) (request.Reply, error) {
	st, err := h.s.State(ctx, p)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, st), nil
}

func (h *surface) setup(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	proof, err := proofOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	made, err := h.s.Setup(ctx, by(c), p, proof, h.issuer(c))
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, made), nil
}

func (h *surface) verify(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	proof, err := proofOf(c)
	switch {
	case err != nil:
		return request.Reply{}, err
	case proof.Code == "":
		return request.Reply{}, input.Invalid("code", "is required")
	}
	done, err := h.s.Verify(ctx, by(c), p, proof.Code, h.set)
	switch {
	case err != nil:
		return request.Reply{}, err
	case done.StepUp != nil:
		return steppedUp(c, *done.StepUp), nil
	}
	return gateway.JSON(200, verified{Verified: true}), nil
}

func (h *surface) enable(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	proof, err := proofOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	codes, err := h.s.Enable(ctx, by(c), p, proof)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, struct {
		Enabled     bool     `json:"enabled"`
		BackupCodes []string `json:"backupCodes"`
	}{true, codes}), nil
}

func (h *surface) disable(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	proof, err := proofOf(c)
	switch {
	case err != nil:
		return request.Reply{}, err
	case proof.Code == "" && proof.Token == "":
		return request.Reply{}, input.Invalid("code", "is required")
	}
	if err := h.s.Disable(ctx, by(c), p, proof); err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, struct {
		Enabled bool `json:"enabled"`
	}{}), nil
}

func (h *surface) codes(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	// Of a page elsewhere that has a browser fetch this, nobody reads the answer:
	// the one time would be gone.
	site := c.View.Header.Get("Sec-Fetch-Site")
	show, ok, err := input.Query(c.View, "codes")
	if err == nil && ok && show != "false" {
		err = input.Invalid("codes", "must be false, or not there")
	}
	if err != nil {
		return request.Reply{}, err
	}
	var got Codes
	if ok {
		got, err = h.s.CodesKept(ctx, p, tokenOf(c))
	} else {
		got, err = h.s.Codes(ctx, by(c), p, tokenOf(c), site == "" || site == "same-origin" || site == "none")
	}
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, got), nil
}

func (h *surface) newCodes(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	proof, err := proofOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	codes, err := h.s.NewCodes(ctx, by(c), p, proof)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, Codes{Remaining: len(codes), Codes: codes}), nil
}

func (h *surface) beginRegister(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	proof, err := proofOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	asked, err := h.s.BeginRegister(ctx, by(c), p, h.partyOf(c), proof)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, asked), nil
}

func (h *surface) finishRegister(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	name, raw, err := credentialOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	made, err := h.s.FinishRegister(ctx, by(c), p, h.partyOf(c), name, raw)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, made), nil
}

func (h *surface) beginLogin(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	asked, err := h.s.BeginLogin(ctx, by(c), p, h.partyOf(c))
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, asked), nil
}

func (h *surface) finishLogin(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	_, raw, err := credentialOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	up, err := h.s.FinishLogin(ctx, by(c), p, h.partyOf(c), raw, h.set)
	if err != nil {
		return request.Reply{}, err
	}
	return steppedUp(c, up), nil
}

func (h *surface) removePasskey(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	proof, err := proofOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	id, _ := c.Params.Get("id")
	if err := h.s.RemovePasskey(ctx, by(c), p, id, proof); err != nil {
		return request.Reply{}, err
	}
	return request.Reply{Status: 204, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}, nil
}
