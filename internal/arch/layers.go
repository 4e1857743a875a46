package arch

// layer is one floor of the house. A package imports packages of the floors
// above it in the table, and of its own floor only those that it names.
type layer struct {
	name     string
	packages map[string][]string // path under the module → neighbours on the same floor it may import
	// http lists the packages of this floor that may import net/http; all when nil.
	http []string
}

// none is for a floor where nothing may know net/http.
var none = []string{}

// layers returns the house from the words that every room shares down to the
// command. A package that stands in no layer fails the test: where it belongs
// is decided when it is made.
func layers() []layer {
	return []layer{
		{name: "texts", http: none, packages: map[string][]string{
			"docs":     nil,
			"examples": nil,
		}},
		{name: "words", http: none, packages: map[string][]string{
			"internal/fault":     nil,
			"internal/secret":    nil,
			"internal/trace":     nil,
			"internal/principal": nil,
			"internal/request":   nil,
		}},
		{name: "mechanisms", http: []string{"internal/keyset", "internal/outbound", "internal/datadog"}, packages: map[string][]string{
			"internal/park":            nil,
			"internal/wire":            nil,
			"internal/template":        nil,
			"internal/config":          {"internal/template"},
			"internal/jws":             nil,
			"internal/keyset":          {"internal/jws"},
			"internal/limit":           {"internal/config"},
			"internal/client":          {"internal/config"},
			"internal/seal":            nil,
			"internal/vault":           {"internal/seal", "internal/store"},
			"internal/audit":           {"internal/seal", "internal/store", "internal/vault"},
			"internal/store":           nil,
			"internal/change":          {"internal/store"},
			"internal/input":           nil,
			"internal/escrow/envelope": {"internal/jws"},
			"internal/escrow/shares":   nil,
			"internal/escrow/web":      nil,
			"internal/escrow/ends":     {"internal/escrow/envelope", "internal/escrow/shares", "internal/jws"},
			"internal/pages":           nil,
			"internal/manual":          {"internal/pages"},
			"internal/outbound":        nil,
			"internal/datadog":         {"internal/config", "internal/outbound"},
		}},
		{name: "decisions", http: []string{"internal/proxy"}, packages: map[string][]string{
			"internal/assertion": nil,
			"internal/identity":  nil,
			"internal/policy":    {"internal/identity"},
			"internal/gateway":   {"internal/assertion", "internal/identity", "internal/policy"},
			"internal/proxy":     {"internal/gateway"},
		}},
		{name: "features", http: []string{"internal/session", "internal/castle", "internal/userservice", "internal/metric"}, packages: map[string][]string{
			"internal/rbac":        {"internal/tenant"},
			"internal/tenant":      nil,
			"internal/apikey":      {"internal/tenant"},
			"internal/usage":       nil,
			"internal/secrets":     {"internal/tenant"},
			"internal/mfa":         {"internal/tenant"},
			"internal/session":     {"internal/tenant"},
			"internal/agents":      {"internal/tenant"},
			"internal/escrow":      {"internal/tenant"},
			"internal/sms":         nil,
			"internal/castle":      nil,
			"internal/userservice": nil,
			"internal/lockout":     nil,
			"internal/mailcheck":   nil,
			"internal/metric":      nil,
			"internal/actions":     nil,
			"internal/login":       {"internal/actions", "internal/castle", "internal/lockout", "internal/mailcheck", "internal/metric", "internal/userservice"},
			"internal/loginhooks":  {"internal/actions", "internal/login", "internal/mfa", "internal/tenant"},
			"internal/links":       nil,
			"internal/migrate":     {"internal/tenant", "internal/apikey", "internal/agents", "internal/escrow"},
		}},
		{name: "faces", packages: map[string][]string{
			"internal/docs":    nil,
			"internal/explain": nil,
			"internal/portal":  nil,
			"internal/insight": {"internal/explain"},
		}},
		{name: "server", packages: map[string][]string{
			"internal/server/std": nil,
			"internal/server":     {"internal/server/std"},
		}},
		{name: "app", packages: map[string][]string{
			"internal/app":     nil,
			"internal/standin": nil,
			"internal/demo":    {"internal/app", "internal/standin"},
		}},
		{name: "command", packages: map[string][]string{
			"cmd/portreeve": nil,
		}},
		// What no part of the product may import, and what may import all of it.
		{name: "workshop", packages: map[string][]string{
			"internal/arch":                nil,
			"internal/audit/audittest":     nil,
			"internal/gateway/gatewaytest": nil,
			"internal/store/storetest":     nil,
			"test/peer":                    nil,
			"test/oidc":                    {"test/peer"},
			"test/edge":                    {"internal/store/storetest"},
			"test/browser":                 {"test/edge", "test/oidc", "test/peer"},
			"test/escrow":                  {"test/edge", "test/peer", "internal/store/storetest"},
			"test/vectors":                 {"test/peer"},
			"test/durability":              {"test/edge", "test/peer", "internal/store/storetest"},
			"test/flows":                   {"internal/store/storetest"},
			"test/login":                   {"test/edge", "test/peer"},
			"test/properties":              {"test/peer", "internal/store/storetest"},
			"test/streams":                 {"internal/store/storetest"},
			"test/surfaces":                {"test/edge", "internal/store/storetest"},
			"test/transport":               {"test/peer", "internal/store/storetest"},
			"bench":                        nil,
		}},
	}
}
