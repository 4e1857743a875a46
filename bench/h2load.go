package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// streams is how many requests each HTTP/2 connection has under way; there are
// so many fewer connections.
const streams = 10

// byH2load runs h2load: HTTP/2 over TLS 1.3, one token. It does not look at
// certificates.
func byH2load(ctx context.Context, s *scenario, connections int, length time.Duration) (load, error) {
	token, err := firstToken(s.file)
	if err != nil {
		return load{}, err
	}
	log := filepath.Join(s.dir, "h2load.log")
	_ = os.Remove(log)
	seconds := max(1, int(length/time.Second))
	cmd := exec.CommandContext(ctx, "h2load", "-t1", "-c"+strconv.Itoa(max(1, connections/streams)), "-m"+strconv.Itoa(streams),
		"-D"+strconv.Itoa(seconds), "--log-file="+log, "-H", "authorization: Bearer "+token, "-H", "accept: */*", s.target.url(s.path))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("h2load: %w\n%s", err, out)
	}
	if text := string(out); !strings.Contains(text, "TLSv1.3") || !strings.Contains(text, "Application protocol: h2") {
		return load{}, fmt.Errorf("h2load did not speak HTTP/2 over TLS 1.3:\n%s", out)
	}
	f, err := os.Open(log)
	if err != nil {
		return load{}, err
	}
	defer func() { _ = f.Close() }()
	return parseH2load(bufio.NewScanner(f), float64(seconds))
}

// parseH2load reads h2load's log: of each request when it began, its status (-1
// where there is none) and how long it took, in microseconds.
func parseH2load(lines *bufio.Scanner, seconds float64) (load, error) {
	l := load{Seconds: seconds}
	var took []float64
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 3 {
			return load{}, fmt.Errorf("h2load's log has the line %q", lines.Text())
		}
		status, err1 := strconv.Atoi(f[1])
		us, err2 := strconv.ParseFloat(f[2], 64)
		if err1 != nil || err2 != nil {
			return load{}, fmt.Errorf("h2load's log has the line %q", lines.Text())
		}
		if status != 200 {
			l.Errors++
			continue
		}
		l.Requests++
		took = append(took, us/1000)
	}
	l.P50, l.P99 = percentiles(took)
	return l, lines.Err()
}

// percentiles are the 50th and the 99th; zero of nothing.
func percentiles(took []float64) (p50, p99 float64) {
	if len(took) == 0 {
		return 0, 0
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100]
}

// firstToken is the first line of the file of tokens.
func firstToken(file string) (string, error) {
	b, err := os.ReadFile(file)
	token, _, _ := strings.Cut(string(b), "\n")
	return token, err
}
