package request

import "strings"

// EachQuery calls f for every parameter of the query, in order, decoded as
// QueryValues does.
func (v *View) EachQuery(f func(name, value string)) {
	rest := v.Query
	for rest != "" {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		f(unescapeQuery(name), unescapeQuery(value))
	}
}
