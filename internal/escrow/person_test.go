package escrow

import (
	"errors"
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// The portal side is for people. A program that somebody gave a users row (an Access
// service token) has no second factor that it could be asked for.
func TestProgramsAreNoPeople(t *testing.T) {
	t.Parallel()
	for kind, in := range map[principal.Kind]bool{principal.User: true, principal.Service: false, principal.Machine: false, principal.Anonymous: false} {
		who := &principal.Principal{Kind: kind, ProviderKind: "access"}
		_, err := personOf(&gateway.Call{Who: who, Tenant: "main", Standing: &policy.Standing{Who: who, Tenant: "main", UserID: "u1"}, Site: &gateway.Site{},
			Actor: func() audit.Actor { return audit.Actor{} }, View: &request.View{}})
		if in != (err == nil) || !in && !errors.Is(err, ErrNoUser) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
