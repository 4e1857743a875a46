#!/bin/sh
# Installs what the tests need and this machine lacks, and nothing else:
# a C compiler for the race detector, nginx, PostgreSQL, Chromium, Node for the peers of
# test/npm, and those peers by their lock file. Says what it does; does nothing the second time.
set -eu
cd "$(dirname "$0")/.."

say() { echo "deps: $*"; }

# apt PACKAGE... as root, or through sudo when that asks no question.
apt() {
	command -v apt-get >/dev/null || { say "install by hand: $*"; return 1; }
	if [ "$(id -u)" = 0 ]; then as=''
	elif sudo -n true 2>/dev/null; then as='sudo'
	else say "neither root nor sudo without a password here; install by hand: $*"; return 1
	fi
	say "apt-get install $*"
	$as apt-get update -qq
	$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

node_major() { node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'; }

command -v go >/dev/null || { say 'Go is missing: https://go.dev/doc/install'; exit 1; }
# A C compiler and the headers it needs: -race is built with cgo.
echo 'int main(void){return 0;}' | cc -x c -o /dev/null - 2>/dev/null || apt gcc libc6-dev
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || apt nginx-light # the other reader of test/properties
command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || apt haproxy # speaks the PROXY protocol to test/transport
# The second engine of the store: the server's programs alone. The tests start
# servers of their own; a cluster that the package would make and run is not wanted.
if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
	apt postgresql-common
	$as sed -i 's/^#create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
	apt postgresql
fi
# Signs in and shows second factors in test/browser. Debian has a Chromium without windows
# too, which starts and opens a tab in a fraction of the time.
if ! command -v chromium-headless-shell >/dev/null; then
	if ! command -v chromium >/dev/null || apt-cache show chromium-headless-shell >/dev/null 2>&1; then
		apt chromium-headless-shell || command -v chromium >/dev/null || apt chromium
	fi
fi
# The documentation's commands are typed as they stand.
command -v curl >/dev/null || apt curl
command -v openssl >/dev/null || apt openssl
command -v oathtool >/dev/null || apt oathtool # another reader of RFC 6238
command -v node >/dev/null && command -v npm >/dev/null || apt nodejs npm

# The peers want Node 20; Debian 12 has 18. Node's own binary is on npm too.
. scripts/env.sh
if [ "$(node_major)" -lt 20 ]; then
	case "$(uname -m)" in
	x86_64) arch=x64 ;;
	aarch64) arch=arm64 ;;
	*) say "Node 20 or newer is needed; this machine has $(node --version)"; exit 1 ;;
	esac
	say "Node $(node --version) is too old for the peers; fetching Node 20 into .cache/node"
	npm install --silent --no-audit --no-fund --no-save --prefix .cache/node "node-linux-$arch@20"
	. scripts/env.sh
fi

# The lock file's digest marks what is installed, so that a new lock installs anew.
stamp=test/npm/node_modules/.portreeve-lock
want=$(sha256sum <test/npm/package-lock.json)
if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
	say 'npm ci in test/npm'
	(cd test/npm && npm ci --silent)
	echo "$want" >"$stamp"
fi
