# `make` prints the targets. CI runs `make check` and `make test`, and no more.
.DEFAULT_GOAL := help
.PHONY: help run build docs test check generate fuzz bench bench-results soak deps clean backoffice-auth.local secrets.backoffice-auth.host

FUZZTIME ?= 15s
VERSION ?= dev

# SQLite's C, translated, and what a passphrase's 600,000 rounds are made of: with
# the race detector in it, tests that store something take five times as long, and
# those that open a wrapped key twice; it finds nothing of ours there. No package
# that uses generic functions of the standard library with locks or atomic values in
# them may stand here: they are compiled once for all, without the detector then, and
# it reports races where none are.
NORACE = -gcflags=modernc.org/sqlite/lib=-race=0 -gcflags=modernc.org/libc=-race=0 \
	-gcflags=crypto/internal/fips140/hmac=-race=0 -gcflags=crypto/internal/fips140/sha256=-race=0 -gcflags=crypto/internal/fips140/sha512=-race=0

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-32s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## everything at once on loopback, with stand-ins for what is usually an account: portreeve demo
	go run ./cmd/portreeve demo

backoffice-auth.local: ## examples/backoffice.yaml on port 8787, in test, by examples/.dev.vars
	WORKER_ENV=test go run ./cmd/portreeve serve -c examples/backoffice.yaml

secrets.backoffice-auth.host: ## ask for the secrets of examples/backoffice-host.yaml and write them, mode 0600
	@scripts/secrets.sh examples/backoffice-host.yaml

build: ## one static binary: bin/portreeve
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/portreeve ./cmd/portreeve

docs: ## the documentation as a site: dist/docs/VERSION/index.html, readable without a server
	go run -ldflags '-X github.com/portreeve/portreeve/internal/app.version=$(VERSION)' ./cmd/portreeve docs dist/docs

# GOGC=400 halves what linking ninety test binaries takes; `make check` has vetted.
test: deps ## every test, with the race detector; first fetches what the tests talk to
	. scripts/env.sh && GOGC=400 GOMEMLIMIT=2GiB GORACE=atexit_sleep_ms=50 PORTREEVE_PEERS=required go test -race -vet=off $(NORACE) ./...

check: ## format, vet, staticcheck, generated files, known vulnerabilities; needs nothing but Go
	@scripts/format.sh
	go vet ./...
	go tool staticcheck ./...
	@scripts/generated.sh
	@scripts/vuln.sh

generate: ## rewrite what is made from the types: schema, reference
	go generate ./...

fuzz: ## every fuzz target for FUZZTIME (15s) each
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

bench: ## the micro-benchmarks of every package, and Portreeve beside nginx, briefly
	@scripts/bench.sh

bench-results: ## Portreeve beside nginx at length, on a quiet machine: writes bench/RESULTS.md
	@scripts/bench.sh results

soak: ## a minute of everything at once, watched for growth and loss; then hundreds of killed processes
	@scripts/bench.sh soak
	. scripts/env.sh && PORTREEVE_KILLS=300 PORTREEVE_ROUNDS=200 go test -v -timeout 60m ./test/durability

deps: ## install what the tests need and this machine lacks
	@scripts/deps.sh

clean: ## remove what was built and fetched
	rm -rf bin dist .cache test/npm/node_modules
