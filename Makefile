# Everything is built with the one profile `release` and the same features, so that RocksDB is compiled only
# once, whichever target is made first: it takes 23 minutes of CPU (14 minutes on two cores). Set
# CARGO_TARGET_DIR to use another target directory.

export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help run stop test bench lint fuzz coverage docs build

help:
	@echo 'make run       build, start the server, deploy samples/hello and call it with the AWS CLI'
	@echo 'make stop      end that server'
	@echo 'make test      run all tests'
	@echo 'make lint      check format, lints, documents, scripts, spelling and dependencies'
	@echo 'make fuzz      fuzz the parsers of untrusted input for a minute'
	@echo 'make coverage  print how much of each crate its unit tests reach'
	@echo 'make bench     print the table of speed and memory'
	@echo 'make docs      print the pages of docs/ that are made from tables of the code'

build:
	@scripts/need build
	@scripts/build

run: build
	@scripts/need run
	@scripts/run

stop:
	@scripts/stop

test: build
	@scripts/need test
	@scripts/test

bench: build
	@scripts/need test
	cargo build --release --workspace --bins --examples
	cargo build --release --manifest-path compat-tests/fn/rust/Cargo.toml --target-dir "$${CARGO_TARGET_DIR:-target}"
	scripts/in-venv cargo bench --workspace --bench table
	"$${CARGO_TARGET_DIR:-target}/release/examples/cold_start"

lint:
	@scripts/need build lint
	@scripts/lint

fuzz:
	@scripts/need build
	@scripts/fuzz

coverage:
	@scripts/need build coverage
	@scripts/coverage

docs:
	@scripts/need build
	UPDATE_DOCS=1 cargo test --release --workspace --lib is_printed_from
