package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed drive.lua
var driveLua []byte

// load is what a load generator saw in one run.
type load struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50"` // milliseconds
	P99      float64 `json:"p99"`
	Errors   int     `json:"errors"` // answers above 399, broken connections, time-outs
}

// byWrk runs wrk with one thread: requests with the first tokens in turn. wrk
// does not look at certificates.
func byWrk(ctx context.Context, s *scenario, connections int, length time.Duration) (load, error) {
	script := filepath.Join(s.dir, "drive.lua")
	if err := os.WriteFile(script, driveLua, 0o600); err != nil {
		return load{}, err
	}
	seconds := max(1, int(length/time.Second))
	cmd := exec.CommandContext(ctx, "wrk", "-t1", "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(seconds)+"s", "--timeout", "10s",
		"-s", script, s.target.url(""), "--", s.file, s.path, strconv.Itoa(s.tokens), s.verb(), strconv.Itoa(s.body))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if text, ok := strings.CutPrefix(line, "RESULT "); ok {
			var l load
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				return load{}, fmt.Errorf("read wrk's result %q: %w", text, err)
			}
			return l, nil
		}
	}
	return load{}, fmt.Errorf("wrk gave no result:\n%s", out)
}
