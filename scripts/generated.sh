#!/bin/sh
# Runs every generator and fails if that changed a file. It compares digests
# from before and after instead of asking git for a clean tree, so that it also
# works in the middle of a change.
set -eu
cd "$(dirname "$0")/.."
digests() { git ls-files -co --exclude-standard | sort | while read -r f; do
	if [ -f "$f" ]; then sha256sum "$f"; fi
done; }
before=$(mktemp) after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
digests >"$before"
go generate ./...
digests >"$after"
diff "$before" "$after" >/dev/null || {
	echo 'make generate changes these files; commit what it writes:'
	diff "$before" "$after" | sed -n 's/^[<>] [0-9a-f]*  /  /p' | sort -u
	exit 1
}
