#!/bin/sh
# Names the Go files that gofmt would change, and fails if there are any.
set -eu
cd "$(dirname "$0")/.."
bad=$(git ls-files -co --exclude-standard -- '*.go' | while read -r f; do
	if [ -f "$f" ]; then gofmt -l "$f"; fi
done)
[ -z "$bad" ] || { printf 'not formatted (gofmt -w):\n%s\n' "$bad"; exit 1; }
