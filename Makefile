# What a newcomer and CI run. Everything is installed and built by what is called here; a second run takes no time.
#   make demo [ARGS="--out DIR --keep"]   a film, end to end, from a private bucket in process
#   make test                             lint and every test
#   make lint                             format, clippy, licences
#   make build                            target/release/storyreel

ARGS ?=
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
# One binary per test run where nextest is installed: it runs the tests of all crates side by side.
TESTS := $(shell command -v cargo-nextest >/dev/null 2>&1 && echo "nextest run" || echo "test --lib --bins --tests")

.PHONY: demo build test lint deps test-deps fmt

demo: build
	$(TARGET_DIR)/release/storyreel demo $(ARGS)

build: deps
	cargo build --release --locked -p cli

test: test-deps lint
	cargo $(TESTS) --workspace --locked

# Clippy looks at tests and examples too, in the profile that the tests are built in.
lint: deps
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if command -v cargo-deny >/dev/null 2>&1; then cargo deny --all-features check licenses bans sources; \
	else echo "cargo-deny is not installed: licences and sources are not checked (cargo install --locked cargo-deny)"; fi

fmt:
	cargo fmt --all

deps:
	@scripts/install-deps.sh

test-deps:
	@scripts/install-deps.sh test
	@scripts/test-peers.sh
