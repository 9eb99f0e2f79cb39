# Everything that is needed gets installed on the way: see tools/install.mjs.
# The checkout's own programs come first: wrangler needs a newer Node than the tools do.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

WASM := --target wasm32-unknown-unknown
step = @printf '\n== %s\n' "$(1)"

.DEFAULT_GOAL := help
# The order of `test` is the order of its parts, also under -j.
.NOTPARALLEL:
.PHONY: help install dev client user config-print config-put rotate-keys policy-check explain bench deny fuzz test fmt-check lint test-native test-core test-tools doc schema build pkg test-pkg test-e2e size fmt clean distclean

help: ## Print this list
	@printf 'tollgate: make <target>\n\n'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

install: ## Install the Rust target, npm packages, wasm-bindgen and worker-build, where missing
	@node tools/install.mjs

dev: install ## Serve on http://127.0.0.1:8787 with an example API behind it (PORT=, CONFIG=, DEV_DIR=)
	@node tools/dev.mjs

client: ## Register a client at a running instance: REALM=test NAME=… SCOPES="a b" (HELP=1 explains each of these)
	@node tools/manage.mjs client $(if $(HELP),--help)

user: ## Take a person in: REALM=test LOGIN=… ROLES="a b"
	@node tools/manage.mjs user $(if $(HELP),--help)

config-print: ## Print a configuration as the worker gets it, without comments, includes and blocks: CONFIG=tollgate.json
	@node tools/install.mjs --packages >&2
	@node tools/document.mjs $(if $(HELP),--help,"$${CONFIG:-tollgate.json}")

config-put: ## Put a document in the place of the configuration that counts: REALM=test FILE=tollgate.json
	@node tools/install.mjs --packages >&2
	@node tools/manage.mjs config-put $(if $(HELP),--help)

rotate-keys: ## Make and publish a realm's next signing key: REALM=test
	@node tools/manage.mjs rotate-keys $(if $(HELP),--help)

policy-check: ## Lint the configuration and run the tests beside its rules: CONFIG=tollgate.json (HELP=1 explains STRICT= and others)
	@node tools/install.mjs --native >&2
	@node tools/policy-check.mjs $(if $(HELP),--help)

explain: ## Say which route a request matches, which check fails and why: METHOD=GET URL=… and TOKEN in the environment (HELP=1)
	@node tools/install.mjs --native >&2
	@node tools/explain.mjs $(if $(HELP),--help)

bench: install ## Measure tollgate beside jose, hono/jwk, fast-jwt and others in workerd, about a quarter of an hour (BENCH="--quick")
	@node bench/run.mjs $(BENCH)

test: install fmt-check lint test-native test-core test-tools doc build pkg test-pkg test-e2e size ## Run every check: the lines from fmt-check to size, in this order
	$(call step,everything passed)

fmt-check: install ## Check the format of the Rust code
	$(call step,format)
	@cargo fmt --check

lint: install ## Run clippy natively and per WebAssembly artefact; a warning is an error
	$(call step,clippy: native with all features)
	@cargo clippy --locked --all-features --all-targets -- -D warnings
	$(call step,clippy: edge worker on wasm32)
	@cargo clippy --locked $(WASM) --lib -- -D warnings
	$(call step,clippy: the library for other workers on wasm32)
	@cargo clippy --locked $(WASM) --lib --no-default-features --features webcrypto -- -D warnings
	$(call step,clippy: browser package on wasm32)
	@cargo clippy --locked $(WASM) --lib --no-default-features --features browser -- -D warnings

test-native: install ## Run the native tests with all features
	$(call step,native tests with all features)
	@cargo test --locked --all-features

test-core: install ## Run the native tests of the core, which must not need the worker crate
	$(call step,native tests of the core alone)
	@cargo test --locked --no-default-features --features jwt
	@cargo run --quiet --locked --no-default-features --features jwt --example validate

test-tools: install ## Run the tests of the tools, and those beside the rules of tollgate.json
	$(call step,tools)
	@node --test 'tests/tools/*.test.mjs'
	$(call step,the policy of tollgate.json)
	@CONFIG= STRICT=1 node tools/policy-check.mjs

doc: install ## Build the Rust documentation; a warning is an error
	$(call step,documentation)
	@RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps --all-features

build: install ## Build the edge worker into build/
	$(call step,edge worker into build/)
	@node tools/build.mjs worker

pkg: install ## Build the browser package's WebAssembly into pkg/wasm/
	$(call step,browser package into pkg/wasm/)
	@node tools/build.mjs browser

test-pkg: pkg ## Run the tests of the browser package as it was built
	$(call step,browser package)
	@node --test 'tests/browser/*.test.mjs'

test-e2e: install ## Run the end-to-end tests on workerd (needs Python 3.11 with venv)
	@node tools/install.mjs --tests
	$(call step,end to end on workerd)
	@node --test --test-concurrency=1 'tests/e2e/*.test.mjs'

size: install ## Bundle as for a deployment and hold the worker's gzip size under 1 MiB
	$(call step,size of the deployed worker)
	@node tools/size.mjs

schema: install ## Write docs/tollgate.schema.json and docs/tollgate.source.schema.json anew from the parser's types
	@UPDATE_DOCS=1 cargo test --locked --all-features --test main the_schema_in_docs

deny: ## Check licences, sources and bans of the dependencies (installs cargo-deny, about five minutes the first time)
	@cargo deny --version >/dev/null 2>&1 || cargo install cargo-deny --version 0.20.2 --locked
	@cargo deny --offline check bans licenses sources

fuzz: ## Fuzz the parsers of tokens, keys, JSON, requests and configuration, routing and redaction, for SECONDS=60 each, from the kept corpus (needs nightly Rust and cargo-fuzz)
	@cargo fuzz --version >/dev/null 2>&1 || { echo 'installing cargo-fuzz (about a minute)'; cargo install cargo-fuzz --version 0.13.2 --locked; }
	@tar -xzf fuzz/corpus.tar.gz -C fuzz
	@for target in $$(cargo +nightly fuzz list); do \
	  printf '\n== fuzz %s\n' $$target; \
	  log=target/fuzz-$$target.log; mkdir -p target; \
	  cargo +nightly fuzz run $$target -- -max_total_time=$(or $(SECONDS),60) -max_len=4096 >$$log 2>&1 || { tail -60 $$log; exit 1; }; \
	  tail -1 $$log; \
	done

fmt: install ## Format the Rust code
	@cargo fmt

clean: ## Forget the local instances (.dev, .dev-*) and what was built into build/ and pkg/wasm/
	@rm -rf .dev .dev-* .wrangler examples/upstream/.wrangler examples/mcp/.wrangler build pkg/wasm

distclean: clean ## As clean, and remove target/ and node_modules/ as well (tools in ~/.cache/tollgate stay)
	@rm -rf target node_modules
