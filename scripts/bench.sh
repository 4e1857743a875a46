#!/bin/sh
# The micro-benchmarks of every package, one line each.
set -eu
cd "$(dirname "$0")/.."
go test -run '^$' -bench . -benchmem ./internal/... | grep -E '^(Benchmark|FAIL|panic|---)'
