#!/bin/sh
# Runs every fuzz target in turn for FUZZTIME. go test takes one at a time.
set -eu
cd "$(dirname "$0")/.."
grep -rl --include='*_test.go' '^func Fuzz' cmd internal 2>/dev/null | xargs -r -n1 dirname | sort -u |
while read -r dir; do
	for target in $(go test -list '^Fuzz' "./$dir" | grep '^Fuzz'); do
		echo "== $dir $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-15s}" "./$dir"
	done
done
