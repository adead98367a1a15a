# `just` lists the recipes. Each line also works when pasted into a shell.

_list:
    @just --list --unsorted

# serve on 127.0.0.1:8000, with data in ./data
run *arguments:
    cargo run --release -- {{ arguments }}

# run all tests; installs missing tools
test:
    scripts/test

# run only the Rust tests
test-rust *arguments:
    cargo test --workspace {{ arguments }}

# test each crate separately
test-crates:
    scripts/test-crates

# compare with the recorded responses, on both databases
contract:
    cargo test --workspace --test contract

# send generated requests on both databases, a thousand per operation
schemathesis *arguments="--max-examples 1000":
    scripts/schemathesis {{ arguments }}

# run mutation tests of the domain and the use cases
mutants *options:
    scripts/mutants {{ options }}

# check format and lints, as in CI
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# format, and apply clippy's automatic fixes
fix:
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
    cargo fmt --all

# list the public items of the crates that modules use anew, after a change to them
surface:
    scripts/surface --write

# check licences, duplicates and sources of dependencies
deny:
    scripts/deny

# check dependencies for known vulnerabilities; needs the network
audit:
    scripts/deny --advisories

# run benchmarks against the Django service
bench *arguments:
    bench/compare {{ arguments }}

# create demo leads and subscribers in ./data, then serve them
demo leads="10000" subscribers="10000":
    cargo run --release -- seed-demo --leads {{ leads }} --subscribers {{ subscribers }}
    cargo run --release

# migrate the configured database
migrate:
    cargo run --release -- migrate

# build and open the code documentation
doc:
    cargo doc --workspace --no-deps --open
