package portal

// reasons say in words why a request was refused, by the code of the record. A code
// that is not here stands for itself.
var reasons = map[string]string{
	"unauthenticated":       "Nobody was signed in",
	"wrong_provider":        "Signed in by a provider that does not count there",
	"missing_permission":    "A permission was missing",
	"missing_role":          "A role was missing",
	"missing_scope":         "A scope was missing",
	"missing_resource_role": "No role on that row",
	"mfa_required":          "A second factor was missing",
	"not_allowed":           "Not among those who are let in",
	"denied":                "Among those who are kept out",
	"condition_failed":      "A condition did not hold",
	"condition_error":       "A condition could not be worked out",
	"wrong_tenant":          "The request was about another tenant",
	"tenant_mismatch":       "The request was about another tenant",
	"no_tenant":             "The caller has no tenant",
	"unknown_tenant":        "The caller's tenant does not exist",
	"tenant_disabled":       "The tenant is disabled",
	"user_disabled":         "The user is disabled",
	"identity_conflict":     "The address belongs to another identity",
	"people_only":           "A program opened a page",
	"grants_more":           "It would give more than the caller has",
	"cross_site":            "Another site caused the request",

	"token_expired":        "The token or key had expired",
	"key_expired":          "The key had expired",
	"token_not_yet_valid":  "The token was not valid yet",
	"token_too_long_lived": "The token was valid for too long",
	"malformed_token":      "The credential was no token",
	"bad_signature":        "The token's signature was wrong",
	"unknown_key":          "Nobody knows this key",
	"invalid_key":          "Nobody knows this key",
	"key_revoked":          "The key was revoked",
	"key_disabled":         "The key is disabled",
	"keys_not_taken":       "Keys are not taken there",
	"address_not_allowed":  "The key may not be used from that address",
	"wrong_audience":       "The token was for somebody else",
	"wrong_issuer":         "The token came from another issuer",
	"unknown_issuer":       "Nobody knows the token's issuer",
	"wrong_algorithm":      "The token was signed another way than expected",
	"wrong_token_type":     "The token was of another kind",
	"session_ended":        "The session had ended",
	"duplicate_credential": "There were two credentials",
	"tenant_conflict":      "Two tenants were named",

	"no_route":           "There is no such path",
	"method_not_allowed": "The path takes other methods",
	"bad_path":           "The path was not acceptable",
	"bad_host":           "The host was none",
	"rate_limited":       "Too many requests",
	"too_many_attempts":  "Too many attempts",
	"mfa_locked":         "Too many wrong codes",
	"issuer_unavailable": "The issuer's keys could not be fetched",
	"store_unavailable":  "The store could not be asked",
}

// offeredReasons are those that the filter of the list offers: the usual ones.
func offeredReasons() []string {
	return []string{"missing_permission", "missing_role", "missing_scope", "mfa_required", "unauthenticated", "wrong_provider", "not_allowed", "denied",
		"condition_failed", "wrong_tenant", "cross_site", "token_expired", "bad_signature", "unknown_key", "key_revoked", "session_ended",
		"user_disabled", "rate_limited", "no_route", "method_not_allowed"}
}

// checks say in words what a step of a decision looked at, by its stage and check,
// or its stage alone.
var checks = map[string]string{
	"host site":                  "The site",
	"host Host":                  "The host",
	"host client certificate":    "The client's certificate",
	"host TLS server name":       "The name of the connection",
	"path canonical path":        "The path",
	"route path and method":      "The route",
	"route operation":            "The operation",
	"operation":                  "What the operation said",
	"identify":                   "The credential",
	"limit":                      "How often",
	"identify same site":         "Who caused the request",
	"identify identify: none":    "Credentials",
	"identify auth: none":        "Credentials",
	"store stored facts":         "What is stored about the caller",
	"directory caller":           "The caller",
	"directory key":              "The key's end",
	"directory session":          "The session's end",
	"directory allowedIPs":       "The key's addresses",
	"directory tenant":           "The caller's tenant",
	"directory second factors":   "Second factors",
	"directory roles on rows":    "Roles on rows",
	"decide requireAuth":         "Signed in",
	"decide authProvider":        "Signed in by whom",
	"decide requiredPermissions": "Permissions",
	"decide requiredRoles":       "Roles",
	"decide requiredScopes":      "Scopes",
	"decide allow":               "Let in",
	"decide deny":                "Kept out",
	"decide tenant":              "The tenant",
	"decide when":                "A condition",
	"decide resource":            "The role on the row",
	"decide requireMfa":          "A second factor",
	"decide X-Tenant-ID":         "The tenant that was asked for",
}

// reasonWords is a reason as people read it.
func reasonWords(code string) string {
	if words := reasons[code]; words != "" {
		return words
	}
	if code == "" {
		return "No reason was given"
	}
	return code
}
