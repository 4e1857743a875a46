package actions

import "strings"

// Uses reports whether a script has a word in its code, comments aside: what it may
// call, as far as can be seen without running it. A name that is put together is not
// seen.
func Uses(s Script, t Trigger, word string) bool {
	code, err := lower(s, t)
	if err != nil {
		return false // Check says so
	}
	if at := strings.LastIndex(code, "//# sourceMappingURL="); at >= 0 {
		code = code[:at]
	}
	return strings.Contains(code, word)
}
