package actions

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Bounds of what scripts ask for, Auth0's where it has one.
const (
	maxCalls    = 200
	maxLogs     = 200
	maxLine     = 1024     // of console; Auth0 keeps 256
	maxReason   = 1024     // of a refusal
	maxMetadata = 32 << 10 // of each kind, all keys
	maxClaims   = 100 << 10
	maxKey      = 256
	maxSets     = 100 // keys of each kind
)

// How a method of api is had.
const (
	viaCall = "call" // it is told; nothing comes back
	viaAsk  = "ask"  // it is answered
	viaNone = "none" // it is documented, and not to be had here
)

// methods is the surface of a trigger.
func methods(t Trigger) map[string]string {
	out := map[string]string{
		"access.deny":          viaCall,
		"user.setAppMetadata":  viaCall,
		"user.setUserMetadata": viaCall,
		"cache.get":            viaAsk,
		"cache.set":            viaAsk,
		"cache.delete":         viaAsk,
		"fetch":                viaAsk, // the global function
	}
	if t == PostLogin {
		for _, m := range []string{"multifactor.enable", "idToken.setCustomClaim", "accessToken.setCustomClaim"} {
			out[m] = viaCall
		}
		for _, m := range []string{"accessToken.addScope", "accessToken.removeScope", "authentication.challengeWith", "authentication.challengeWithAny",
			"authentication.enrollWith", "authentication.enrollWithAny", "authentication.recordMethod", "authentication.setPrimaryUser",
			"prompt.render", "redirect.encodeToken", "redirect.sendUserTo", "redirect.validateToken", "rules.wasExecuted",
			"session.revoke", "refreshToken.revoke", "validation.error"} {
			out[m] = viaNone
		}
	} else {
		out["validation.error"] = viaNone
	}
	return out
}

// apply does one call, or says why it has no effect, or (wrong) that the script
// called it as nobody may. args are the script's.
func (o *Outcome) apply(t Trigger, method string, args []json.RawMessage) (ignored, wrong string) {
	text := func(i int) (string, bool) {
		var s string
		if i >= len(args) || !bytes.HasPrefix(args[i], []byte(`"`)) || json.Unmarshal(args[i], &s) != nil {
			return "", false
		}
		return s, true
	}
	set := func(into *map[string]json.RawMessage, most int) string {
		key, ok := text(0)
		if !ok || key == "" || len(key) > maxKey || !utf8.ValidString(key) {
			return "wants a name as its first argument"
		}
		value := json.RawMessage("null")
		if len(args) > 1 {
			value = args[1]
		}
		return put(into, key, value, most)
	}
	switch method {
	case "access.deny":
		if o.Denied {
			return "the first refusal stands", ""
		}
		reason, _ := text(0)
		shown, _ := text(1)
		o.Denied, o.Code, o.Reason = true, "access_denied", cut(reason, maxReason)
		if t == PreUserRegistration {
			o.UserMessage = cut(shown, maxReason)
		}
		return "", ""
	case "multifactor.enable":
		switch provider, _ := text(0); provider {
		case "any", "duo", "google-authenticator", "guardian":
			o.MFA = provider
			return "", ""
		}
		return "", "wants any, duo, google-authenticator or guardian"
	case "user.setAppMetadata":
		return "", set(&o.AppMetadata, maxMetadata)
	case "user.setUserMetadata":
		return "", set(&o.UserMetadata, maxMetadata)
	case "idToken.setCustomClaim", "accessToken.setCustomClaim":
		if name, ok := text(0); ok && reservedClaim(name) {
			return "the claim is reserved", ""
		}
		if method == "idToken.setCustomClaim" {
			return "", set(&o.IDToken, maxClaims)
		}
		return "", set(&o.AccessToken, maxClaims)
	}
	return "", "is no method of this trigger"
}

// put keeps a value, unless that makes too many or too much.
func put(into *map[string]json.RawMessage, key string, value json.RawMessage, most int) (wrong string) {
	var compact bytes.Buffer
	if json.Compact(&compact, value) != nil {
		return "wants a value that JSON has"
	}
	sum := len(key) + compact.Len()
	for k, v := range *into {
		if k != key {
			sum += len(k) + len(v)
		}
	}
	if _, has := (*into)[key]; sum > most || !has && len(*into) >= maxSets {
		return "is given more than is kept"
	}
	if *into == nil {
		*into = map[string]json.RawMessage{}
	}
	(*into)[key] = compact.Bytes()
	return ""
}

// cut shortens text to so many bytes, at a rune's end, and takes out what would
// break a line.
func cut(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
