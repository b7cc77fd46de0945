# The everyday commands. CI runs `.ci/run`, which calls the same ones.

CARGO ?= cargo

.DEFAULT_GOAL := help

help: ## What there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## Installs what it needs, builds, and shows the views on the samples
	@scripts/install-packages.sh demo
	@$(CARGO) build --release --quiet
	@scripts/demo.sh

test: ## Installs what the tests need, and runs all of them
	@scripts/install-packages.sh test
	$(CARGO) check --no-default-features --all-targets
	$(CARGO) test --all-features

bench: ## Times each stage, and the report on a large capture
	@scripts/install-packages.sh demo
	$(CARGO) bench --bench stages
	scripts/bench-large.sh

fuzz: ## Runs every fuzz target for FUZZ_SECONDS (60)
	@scripts/install-packages.sh fuzz
	scripts/fuzz.sh $(TARGETS)

ci: ## All that CI checks
	.ci/run

fmt: ## Formats the source
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

lint: ## Format and clippy, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --all-targets --all-features -- -D warnings
	$(CARGO) clippy --all-targets --no-default-features -- -D warnings

doc: ## The documentation, private items too
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items --all-features

bless: ## Writes the golden outputs anew; read the difference before it is committed
	OVERHEAR_BLESS=1 $(CARGO) test --all-features --test integration

.PHONY: help demo test bench fuzz ci fmt lint doc bless
