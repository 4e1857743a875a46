package actions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// maxEvent bounds an event as JSON; maxDeep its nesting.
const (
	maxEvent = 512 << 10
	maxDeep  = 32
)

// credentials are names under which something stands that opens a login or
// speaks for it; whatever else has one of these words in it is taken out too.
var credentials = [...]string{"password", "passwd", "passcode", "secret", "token", "assertion", "credential", "authorization", "cookie", "otp", "recovery_code",
	"binding_code", "oob_code", "code_verifier", "verification_code", "private_key", "api_key", "apikey"}

// mainly are names that are one whole.
var mainly = [...]string{"code", "pin", "jwt"}

// The settings of a script are its own, and stand in the event last.
var settings = [...]string{"secrets", "configuration"}

// scrub makes an event of what a caller gave, without passwords, tokens and
// codes in what a client sent, whatever depth they stand at, and without a name
// that JSON.parse would read otherwise than we do. Whoever makes an event leaves
// them out; this is for what they did not think of.
func scrub(event any, s Script) (json.RawMessage, error) {
	raw, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("the event is not JSON: %w", err)
	}
	if len(raw) > maxEvent {
		return nil, fmt.Errorf("the event is larger than %d bytes", maxEvent)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var top map[string]any
	if err := d.Decode(&top); err != nil || top == nil {
		return nil, fmt.Errorf("the event is no object")
	}
	for _, name := range settings {
		delete(top, name)
	}
	if err := clean(top, 0); err != nil {
		return nil, err
	}
	top["secrets"], top["configuration"] = orEmpty(s.Secrets), orEmpty(s.Configuration)
	return json.Marshal(top)
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func clean(v any, depth int) error {
	if depth > maxDeep {
		return fmt.Errorf("the event is nested deeper than %d", maxDeep)
	}
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if isCredential(name, value) {
				delete(v, name)
			} else if err := clean(value, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range v {
			if err := clean(value, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// isCredential reports whether a member goes. true, false and null tell nothing:
// app_metadata.password_reset_required stays.
func isCredential(name string, value any) bool {
	switch value.(type) {
	case nil, bool:
		return false
	}
	folded := strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(strings.ToLower(name))
	if slices.Contains(mainly[:], folded) {
		return true
	}
	return slices.ContainsFunc(credentials[:], func(c string) bool {
		return strings.Contains(folded, c) || strings.Contains(strings.ReplaceAll(folded, "_", ""), strings.ReplaceAll(c, "_", ""))
	})
}
