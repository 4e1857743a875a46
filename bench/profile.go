package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// profile takes a CPU profile of a Portreeve while it is loaded, into the
// folder that -profile names. The function waits for it. Profiled runs are
// slower than others.
func profile(ctx context.Context, o options, s *scenario, length time.Duration) func() {
	if o.profile == "" || s.target.admin == "" || length < 2*time.Second {
		return func() {}
	}
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet,
				fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.target.admin, int(length/time.Second)-1), nil)
			if err != nil {
				return err
			}
			r.Header.Set("Authorization", "Bearer "+adminToken)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				return err
			}
			defer func() { _ = res.Body.Close() }()
			if res.StatusCode != http.StatusOK {
				return fmt.Errorf("the admin listener answers %s", res.Status)
			}
			name := strings.NewReplacer(" ", "-", ",", "", "/", "").Replace(s.name) + ".pprof"
			f, err := os.Create(filepath.Join(o.profile, name))
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			_, err = io.Copy(f, res.Body)
			return err
		}()
	}()
	return func() {
		if err := <-done; err != nil {
			fmt.Fprintln(os.Stderr, "bench: no profile of", s.name+":", err)
		}
	}
}
