package main

import "strings"

// joined makes one argument of --signer and its value: one thumbprint in 64 begins
// with a hyphen, and would be taken for a flag.
func joined(args []string) []string {
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		if a := args[i]; a == "--signer" && i+1 < len(args) && len(args[i+1]) == 43 && strings.HasPrefix(args[i+1], "-") {
			i++
			out = append(out, a+"="+args[i])
			continue
		}
		out = append(out, args[i])
	}
	return out
}
