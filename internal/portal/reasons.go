package portal

import "strings"

// reasons say in words why a request was refused, by the code of the record. A code
// that is not here stands for itself.
var reasons = map[string]string{
	"unauthenticated":       "Nobody was signed in",
	"wrong_provider":        "Signed in by a provider that does not count there",
	"missing_permission":    "A permission was missing",
	"missing_role":          "A role was missing",
	"missing_scope":         "A scope was missing",
	"missing_resource_role": "No role on that resource",
	"mfa_required":          "A second factor was missing",
	"not_allowed":           "Not on the allow list",
	"denied":                "On the deny list",
	"condition_failed":      "A condition did not hold",
	"condition_error":       "A condition could not be evaluated",
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
	"not_anew":             "The provider did not ask for a new sign-in",
	"duplicate_credential": "There were two credentials",
	"tenant_conflict":      "Two tenants were named",

	"no_route":           "There is no such path",
	"method_not_allowed": "The path takes other methods",
	"bad_path":           "The path was not acceptable",
	"bad_host":           "The host was not acceptable",
	"rate_limited":       "Too many requests",
	"too_many_attempts":  "Too many attempts",
	"mfa_locked":         "Too many wrong codes",
	"issuer_unavailable": "The issuer's keys could not be fetched",
	"store_unavailable":  "The store could not be asked",

	"other_tenant":       "It belongs to another tenant",
	"no_users_row":       "The caller is no user of the tenant",
	"not_yours":          "It belongs to somebody else",
	"sign_in_again":      "The sign-in was too long ago",
	"origin_not_allowed": "Pages of that origin may not ask",
	"region_not_allowed": "Numbers of that country are not texted",
	"risk_unavailable":   "The risk check could not be asked",
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
	"limit":                      "The rate limit",
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
	"directory roles on rows":    "Roles on resources",
	"decide requireAuth":         "Signed in",
	"decide authProvider":        "Signed in by whom",
	"decide requiredPermissions": "Permissions",
	"decide requiredRoles":       "Roles",
	"decide requiredScopes":      "Scopes",
	"decide allow":               "The allow list",
	"decide deny":                "The deny list",
	"decide tenant":              "The tenant",
	"decide when":                "A condition",
	"decide resource":            "The role on the resource",
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
	if strings.HasPrefix(code, "risk_") { // by whom or what, as the code says
		return "The risk check refused the sign-in"
	}
	return code
}
