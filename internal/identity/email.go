package identity

import (
	"strings"

	"github.com/portreeve/portreeve/internal/principal"
)

// plainEmail is principal.FoldEmail for an address that is to count as
// verified: one that is spelt with a final dot is shown and no more.
func plainEmail(address string) (folded, domain string, ok bool) {
	folded, domain, ok = principal.FoldEmail(address)
	return folded, domain, ok && !strings.HasSuffix(address, ".")
}
