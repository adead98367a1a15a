# `just` lists what there is; each line also works as pasted into a shell.

_list:
    @just --list --unsorted

# serve on 127.0.0.1:8000, with data in ./data
run *arguments:
    cargo run --release -- {{ arguments }}

# everything that CI tests; installs what is missing
test:
    scripts/test

# the tests in Rust alone
test-rust *arguments:
    cargo test --workspace {{ arguments }}

# each crate by itself
test-crates:
    scripts/test-crates

# the recorded answers, on both databases
contract:
    cargo test --workspace --test contract

# made-up requests against both databases, a thousand for each operation
schemathesis *arguments="--max-examples 1000":
    scripts/schemathesis {{ arguments }}

# changes of the domain and the use cases that no test of theirs notices
mutants *options:
    scripts/mutants {{ options }}

# format and lints, as CI has them
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# format, and what clippy can mend by itself
fix:
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
    cargo fmt --all

# licences, duplicates and sources of dependencies
deny:
    scripts/deny

# known vulnerabilities of dependencies; needs the network
audit:
    scripts/deny --advisories

# side by side with the Django service of the same rules
bench *arguments:
    bench/compare {{ arguments }}

# made-up leads and subscribers in ./data, then serve them
demo leads="10000" subscribers="10000":
    cargo run --release -- seed-demo --leads {{ leads }} --subscribers {{ subscribers }}
    cargo run --release

# bring the schema of the configured database up to date
migrate:
    cargo run --release -- migrate

# the documentation of the code
doc:
    cargo doc --workspace --no-deps --open
