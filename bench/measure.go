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
		s := &list[i]
		if err := s.sound(); err != nil {
			return nil, err
		}
		warm := time.Second
		if s.tokens > 1 {
			warm = max(time.Second, time.Duration(s.tokens/4000)*time.Second) // each token is seen once before the clock starts
		}
		if s.fresh != nil {
			continue
		}
		if _, err := s.run(ctx, o, warm); err != nil {
			return nil, err
		}
	}
	for round := range o.rounds {
		for i := range list {
			s, err := list[i].once(ctx, o, &results[i])
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(os.Stderr, "round %d of %d, %s: %.0f a second, %.4f CPU s per 1000, p99 %.2f ms\n",
				round+1, o.rounds, list[i].name, s.rate, s.cpu, s.p99)
			results[i].samples = append(results[i].samples, s)
		}
	}
	for i := range list {
		if list[i].fresh == nil {
			results[i].memory = list[i].target.memory()
		}
	}
	return results, nil
}

// once is one run in a round: in a new process where the scenario wants that.
func (s *scenario) once(ctx context.Context, o options, r *result) (sample, error) {
	length := o.length
	if s.fresh != nil {
		t, err := s.fresh()
		if err != nil {
			return sample{}, err
		}
		defer func() { _ = s.house.end(t.process) }()
		s.target, length = t, time.Second // so that the tokens last
		defer func() { r.memory = t.memory() }()
	}
	stop := profile(ctx, o, s, length)
	defer stop()
	return s.run(ctx, o, length)
}

// run loads one scenario. A single wrong answer makes the run worthless.
func (s *scenario) run(ctx context.Context, o options, length time.Duration) (sample, error) {
	before, err := s.target.cpu()
	if err != nil {
		return sample{}, err
	}
	connections := o.connections
	if s.single {
		connections = 1
	}
	l, err := s.drive(ctx, s, connections, length)
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
	if s.fresh != nil && l.Requests+connections > s.tokens {
		return sample{}, fmt.Errorf("%s: %d tokens are too few for %d requests; raise -tokens", s.name, s.tokens, l.Requests)
	}
	return sample{
		rate: float64(l.Requests) / l.Seconds,
		cpu:  (after - before).Seconds() / float64(l.Requests) * 1000,
		p50:  l.P50, p99: l.P99,
	}, nil
}
