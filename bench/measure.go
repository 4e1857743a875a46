package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// sample is one run of one scenario.
type sample struct {
	rate     float64 // requests per second
	cpu      float64 // CPU seconds of the proxy per 1,000 requests
	p50, p99 float64 // milliseconds
}

// result is all runs of one scenario, in the order of the rounds.
type result struct {
	samples []sample
	memory  float64 // MB, after the last run
}

// measure checks and warms every scenario, then runs them in turn.
func measure(ctx context.Context, o options, list []scenario) ([]result, error) {
	results := make([]result, len(list))
	for i := range list {
		if err := list[i].sound(); err != nil {
			return nil, err
		}
		warm := 2 * time.Second
		if list[i].tokens > 1 {
			warm = 8 * time.Second // each token is seen once before the clock starts
		}
		if _, err := list[i].run(ctx, o, warm); err != nil {
			return nil, err
		}
	}
	for round := range o.rounds {
		for i := range list {
			s, err := list[i].run(ctx, o, o.length)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(os.Stderr, "round %d of %d, %s: %.0f req/s, %.4f CPU s per 1000, p99 %.2f ms\n",
				round+1, o.rounds, list[i].name, s.rate, s.cpu, s.p99)
			results[i].samples = append(results[i].samples, s)
		}
	}
	for i := range list {
		results[i].memory = list[i].target.memory()
	}
	return results, nil
}

// run loads one scenario. A single wrong answer makes the run worthless.
func (s *scenario) run(ctx context.Context, o options, length time.Duration) (sample, error) {
	before, err := s.target.cpu()
	if err != nil {
		return sample{}, err
	}
	l, err := drive(ctx, s.dir, s.file, "http://"+s.target.address, s.path, s.tokens, o.connections, length)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", s.name, err)
	}
	after, err := s.target.cpu()
	if err != nil {
		return sample{}, err
	}
	if l.Errors > 0 || l.Requests == 0 || l.Seconds <= 0 {
		return sample{}, fmt.Errorf("%s: %d requests in %.1f s, %d of them wrong", s.name, l.Requests, l.Seconds, l.Errors)
	}
	return sample{
		rate: float64(l.Requests) / l.Seconds,
		cpu:  (after - before).Seconds() / float64(l.Requests) * 1000,
		p50:  l.P50, p99: l.P99,
	}, nil
}
