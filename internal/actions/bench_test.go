package actions

import "testing"

// What a login pays for one script, with children started ahead and without.
func BenchmarkRun(b *testing.B) {
	for name, o := range map[string]Options{"ahead": {Idle: 2}, "cold": {Idle: -1}} {
		b.Run(name, func(b *testing.B) {
			e := engine(b, o)
			s := shipped(b, "mfa_action.js")
			for b.Loop() {
				if _, err := e.Run(b.Context(), PostLogin, []Script{s}, map[string]any{"stats": map[string]int{"logins_count": 3}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
