package surfaces

import "strings"

// specimens are bodies that operations take, with every member that they know.
// An operation that reads a body and is not here fails TestBadInput: write down
// what it takes.
func specimens() map[string]string {
	const (
		key  = `{"name":"a key","scopes":["docs:read"],"expiresAt":"2099-01-31T12:00:00Z","allowedIPs":["192.0.2.0/24"],"rateLimit":{"windowMs":60000,"max":10},"disabled":false,"enabled":true}`
		role = `{"name":"@","description":"a role","permissions":["docs:read"],"parentRole":"viewer"}`
		user = `{"email":"new@example.test","name":"New","roles":["viewer"],"disabled":false}`
		of   = `{"userId":"u-clerk","role":"viewer","provider":"jwt"}`
	)
	named := func(role, name string) string { return replace(role, "@", name) }
	// A role of end users inherits from one of theirs alone.
	end := func(name string) string {
		return replace(named(role, name), `"parentRole":"viewer"`, `"parentRole":""`)
	}
	return map[string]string{
		"POST /tenant/api-keys":                  key,
		"PATCH /tenant/api-keys/:id":             key,
		"POST /tenant/api-keys/:id/rotate":       `{"gracePeriodSeconds":60}`,
		"POST /tenant/machine-tokens":            `{"name":"an engine","expiresAt":"2099-01-31T12:00:00Z","allowedIPs":["192.0.2.0/24"],"rateLimit":{"windowMs":60000,"max":10},"disabled":false,"enabled":true}`,
		"POST /tenant/machine-tokens/:id/rotate": `{"gracePeriodSeconds":60}`,
		"POST /tenant/secrets":                   `{"key":"FRESH","value":"zq9kx7wv3-value","metadata":{"a":"b"}}`,
		"POST /tenant/secrets/rotate":            `{"key":"STRIPE","newValue":"zq9kx7wv3-value","gracePeriodDays":1}`,
		"POST /tenant/users":                     user,
		"PATCH /tenant/users/:id":                user,
		"POST /tenant/config":                    `{"rateLimit":{"windowMs":60000,"max":100000}}`,
		"POST /rbac/roles":                       named(role, "fresh"),
		"PUT /rbac/roles/:name":                  replace(named(role, "clerk"), `"name":"clerk",`, ""),
		"POST /rbac/assign":                      of,
		"DELETE /rbac/assign":                    of,
		"PUT /tenant/rbac":                       `{"enabled":true,"defaultRole":"buyer","roles":[` + end("buyer") + `]}`,
		"POST /tenant/rbac":                      end("fresh-one"),
		"POST /tenant/rbac/roles":                end("fresh-two"),
		"PUT /tenant/rbac/roles/:name":           replace(end("buyer"), `"name":"buyer",`, ""),

		"POST /v1/tenant/key/challenge": `{"publicKey":{"kty":"RSA","n":"AQAB","e":"AQAB"}}`,
		"POST /v1/secrets/:id/reveal":   `{"reason":"the customer is on the phone"}`,
		"POST /v1/configs":              `{"name":"fresh","match":{"machine":"PC-9","group":"lab"},"config":{"a":"b"},"disabled":false}`,
		"POST /v1/configs/:name":        `{"name":"lab","match":{"group":"lab"},"config":{"a":"c"},"disabled":false}`,
	}
}

// checkedElsewhere are operations whose bodies hold what only a client can make, or
// whatever it likes: test/escrow has what is wrong with those.
func checkedElsewhere() []string {
	return []string{"POST /v1/tenant/key", "POST /v1/tenant/key/:kid/wrapping", "POST /v1/tenant/key/:kid/wrapping/:version/remove", "POST /v1/report", "POST /v1/secret"}
}

// named is the body that is sent where the path is what is meant.
func (o operation) named() string {
	if s := replace(specimens()[o.String()], `"name":"lab",`, ""); s != "" || !strings.HasPrefix(o.Path, "/v1/") || o.reads() {
		return s
	}
	return "{}"
}
