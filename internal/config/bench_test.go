package config

import (
	"fmt"
	"strings"
	"testing"
)

func BenchmarkDecode10000Routes(b *testing.B) {
	var yaml, json strings.Builder
	yaml.WriteString("routes:\n")
	json.WriteString(`{"routes": [` + "\n")
	for i := range 10000 {
		fmt.Fprintf(&yaml, "  - port: %d\n    listen: [a, b]\n    drain: 10s\n    text: \"{{auth.sub}} %d\"\n    watch: true\n", i, i)
		fmt.Fprintf(&json, `{"port": %d, "listen": ["a", "b"], "drain": "10s", "text": "{{auth.sub}} %d", "watch": true},`+"\n", i, i)
	}
	yaml.WriteString("watch: true\n")
	text := strings.TrimSuffix(json.String(), ",\n") + `], "watch": true}`
	for name, src := range map[string]string{"yaml": yaml.String(), "json": text} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				var into everyKind
				if d := Decode([]byte(src), &into, Options{}); d.Failed() {
					b.Fatal(d.Problems()[:1])
				}
			}
		})
	}
}
