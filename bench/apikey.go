package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
)

// apiKey is a key of a running Portreeve, in a file as tokens are.
type apiKey struct{ file, id string }

// apiKey makes a key at the command line, beside the process that serves.
func (h *house) apiKey(binary string, t target) (apiKey, error) {
	cmd := exec.CommandContext(h.ctx, binary, "keys", "create", "-c", t.file, "--name", "bench", "--scope", "items:read", "--json")
	out, err := cmd.Output()
	if err != nil {
		return apiKey{}, fmt.Errorf("make an API key: %w\n%s", err, out)
	}
	var made struct{ ID, Key string }
	if err := json.Unmarshal(out, &made); err != nil {
		return apiKey{}, fmt.Errorf("make an API key: %w", err)
	}
	file := filepath.Join(h.dir, "api-key")
	return apiKey{file, "key:" + made.ID}, writeText(file, made.Key+"\n")
}
