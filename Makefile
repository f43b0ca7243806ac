# The habits of the house. `make help` lists them.
SHELL := /bin/bash
GO ?= go
FUZZTIME ?= 20s
PARTTIME ?= 8s
export CGO_ENABLED ?= 0

.PHONY: all help deps test check bench fuzz starts cover clean
all: bin/satchel ## build bin/satchel

.PHONY: bin/satchel
bin/satchel:
	$(GO) build -trimpath -o bin/ ./cmd/...

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

deps: ## install what the tests need and the machine lacks (NO_DEPS=1: only list it)
	$(GO) run ./internal/deps

test: deps check ## every test: race detector, short fuzzing, real clients
	./scripts/test $(FUZZTIME) $(PARTTIME)

check: ## vet and build for three systems, linters, architecture, style figures, docs
	./scripts/check

bench: ## the figures of docs/benchmarks.md, beside the reference, in one run
	$(GO) run ./internal/deps -bench
	$(GO) build -trimpath -o bin/ ./cmd/...
	$(GO) run ./internal/bench/refcli -satchel bin/satchel
	$(GO) build -trimpath -o bin/bench/ ./cmd/satchel-sandbox-init ./internal/bench/start
	bin/bench/start

fuzz: ## every fuzz target, five minutes each (FUZZTIME=5m)
	./scripts/fuzz $(if $(filter 20s,$(FUZZTIME)),5m,$(FUZZTIME))

starts: ## a thousand starts of sandboxed servers with ends of every kind: nothing may be left of them
	SATCHEL_STARTS=1000 $(GO) test -count=1 -v -timeout 30m -run '^TestStarts$$' ./internal/sandbox

cover: ## coverage of all packages: coverage.html
	$(GO) test -coverpkg=./... -coverprofile=coverage.out ./...
	$(GO) tool cover -html=coverage.out -o coverage.html
	$(GO) tool cover -func=coverage.out | tail -1

clean: ## remove what the targets built
	rm -rf bin coverage.out coverage.html
