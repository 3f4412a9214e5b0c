# What a newcomer and CI run. Everything is installed and built by what is called here; a second run takes no time.
#   make demo [ARGS="--out DIR --keep"]   a film, end to end, from a private bucket in process
#   make test                             lint and every test
#   make lint                             format, clippy, licences
#   make build                            target/release/storyreel
#   make check-long                       films of an hour, GStreamer; make test has the small versions
#   make bench [PAIRS=7]                  CPU seconds and memory against ffmpeg, instructions of our own loops: BENCHMARKS.md

ARGS ?=
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
# One binary per test run where nextest is installed: it runs the tests of all crates side by side.
TESTS := $(shell command -v cargo-nextest >/dev/null 2>&1 && echo "nextest run" || echo "test --lib --bins --tests")

# Pairs of every row; without it the long baselines run less often. BENCH: further arguments of bench/bench.py.
PAIRS ?=
BENCH ?=

.PHONY: demo build test lint deps test-deps fmt check-long bench

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

# In release: an hour of film. One at a time, since memory is measured.
check-long:
	@scripts/install-deps.sh long
	CI=true cargo test --release --locked -p cli --test conformance -- --ignored --nocapture --test-threads=1

bench: build
	@scripts/install-deps.sh bench
	bench/bench.py --storyreel $(TARGET_DIR)/release/storyreel $(if $(PAIRS),--pairs $(PAIRS)) $(BENCH)
	bench/callgrind.py
