#!/bin/sh
# govulncheck fails on a known vulnerability that this code reaches. Where its
# database cannot be reached, that is said and is not a failure: nothing was
# checked, and nothing claims otherwise.
set -u
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go tool govulncheck ./... >"$out" 2>&1
rc=$?
if [ "$rc" -ne 0 ] && grep -q 'fetching vulnerabilities' "$out"; then
	echo 'govulncheck: NOT CHECKED, its database is out of reach from here:'
	sed 's/^/  /' "$out"
	exit 0
fi
cat "$out"
exit "$rc"
