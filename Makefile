# The everyday commands. `make demo` and `make test` do all the set-up that they need.

CARGO ?= cargo
FUZZ_SECONDS ?= 60
SAMPLE ?= samples/starttls-587.pcap

.PHONY: help demo test bench bench-large fuzz ci fmt lint doc bless

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: ## build, and show the views on a sample
	@scripts/install-packages.sh build
	@$(CARGO) build --release --quiet
	@scripts/demo.sh $${CARGO_TARGET_DIR:-target}/release/overhear $(SAMPLE)

test: ## all tests, against real mail servers and tshark too
	@scripts/install-packages.sh test
	$(CARGO) test --all-targets
	$(CARGO) test --doc
	$(CARGO) test --no-default-features --lib --quiet

bless: ## write the golden outputs and the README's examples anew; look at the difference before you commit it
	OVERHEAR_BLESS=1 $(CARGO) test --test integration -- golden readme

bench: ## nanoseconds a packet, stage by stage
	@scripts/install-packages.sh build
	$(CARGO) bench

bench-large: ## speed and memory on captures of 256 MiB and 1 GiB
	@scripts/install-packages.sh bench
	scripts/bench-large.sh

fuzz: ## each fuzz target for FUZZ_SECONDS (60); TARGETS="tls smtp" for some
	@scripts/install-packages.sh fuzz
	FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz.sh $(TARGETS)

fmt: ## format
	$(CARGO) fmt

lint: ## clippy, warnings denied
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --all-targets --no-default-features -- -D warnings

doc: ## the library's documentation
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items

ci: ## what continuous integration runs
	.ci/run
