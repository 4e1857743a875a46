package secrets

import "github.com/portreeve/portreeve/internal/vault"

// Sealed lists the columns that hold sealed values, for the checks of master
// keys and for resealing.
func Sealed() []vault.Column {
	purpose := func(tenant string) string { return place(tenant, "", "").Purpose }
	return []vault.Column{
		{Table: "tenant_secrets", Column: "sealed", Tenant: "tenant_id", Row: []string{"id"}, Purpose: purpose},
		{Table: "tenant_secrets", Column: "previous", Tenant: "tenant_id", Row: []string{"id"}, Purpose: purpose},
	}
}
