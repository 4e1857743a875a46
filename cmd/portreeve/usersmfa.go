package main

import (
	"context"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/tenant"
)

type userResetMFACmd struct{ userFlags }

// Help is shown by --help.
func (userResetMFACmd) Help() string {
	return `Example:
  portreeve users reset-mfa anna@example.com

For somebody who has lost the telephone and the backup codes: every factor, step-up
and lock of the user is gone, and the next sign-in can set one up anew. Make sure
first that it is that user who asks.`
}

// Run removes a user's second factors.
func (c userResetMFACmd) Run(s streams) error {
	return c.change(s, "without second factors", func(ctx context.Context, h *app.Host, t, id string) (tenant.User, error) {
		if err := h.MFA.Reset(ctx, h.By(), t, id); err != nil {
			return tenant.User{}, err
		}
		return h.Tenants.User(ctx, t, id)
	})
}
