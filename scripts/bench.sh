#!/bin/sh
# bench.sh           the micro-benchmarks of every package, one line each, and
#                    then Portreeve beside nginx, briefly
# bench.sh results   Portreeve beside nginx at length, into bench/RESULTS.md
# bench.sh soak      everything at once for a minute, watched for growth and loss
# Further words go to the harness (go run ./bench -help lists them).
set -eu
cd "$(dirname "$0")/.."

say() { echo "bench: $*" >&2; }

# need COMMAND PACKAGE installs what is missing, as root or where sudo asks no question.
need() {
	PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null && return 0
	if [ "$(id -u)" = 0 ]; then as=''
	elif sudo -n true 2>/dev/null; then as='sudo'
	else say "install $2, which has $1"; exit 1
	fi
	command -v apt-get >/dev/null || { say "install $2, which has $1"; exit 1; }
	say "apt-get install $2"
	$as apt-get update -qq
	$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

need nginx nginx-light
need wrk wrk
need h2load nghttp2-client
PATH="$PATH:/usr/sbin"; export PATH
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/portreeve ./cmd/portreeve

what=${1:-}
[ $# = 0 ] || shift
case "$what" in
results) go run ./bench -portreeve bin/portreeve -rounds 4 -length 3s -out bench/RESULTS.md "$@" ;;
soak) go run ./bench soak -portreeve bin/portreeve -for 60s "$@" ;;
'')
	go test -run '^$' -bench . -benchmem ./internal/... | grep -E '^(Benchmark|FAIL|panic|---)'
	go run ./bench -portreeve bin/portreeve -rounds 2 -length 1s -tokens 2000 -idle 2000
	;;
*) say "what is $what? results, soak, or nothing"; exit 2 ;;
esac
