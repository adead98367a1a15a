# Sourced. Installs missing tools: system programs from Debian's packages, everything else in
# pinned versions below the target directory.

TOOLS=$(mkdir -p "${CARGO_TARGET_DIR:-target}/test-tools" && cd "${CARGO_TARGET_DIR:-target}/test-tools" && pwd)
export TOOLS
CARGO_DENY=0.20.2
CARGO_DEB=3.8.0
CARGO_LLVM_COV=0.9.1
CARGO_CYCLONEDX=0.5.9
CARGO_MUTANTS=27.1.0

# fail SENTENCE: prints it to standard error and exits.
fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

install_everything() {
    command -v cargo >/dev/null || fail "cargo is missing: install Rust with rustup."
    command -v cc >/dev/null || fail "cc is missing: install a C compiler."
    # Downloads run while the cargo tools are compiled.
    beside "Downloads" bash -euc '. scripts/lib/tools.sh && install_fetched'
    install_cargo_tool cargo-deny "$CARGO_DENY"
    install_cargo_tool cargo-deb "$CARGO_DEB"
    all_ended
}

install_fetched() {
    install_debian_packages
    install_promtool
    install_pgbouncer
    install_python_packages python scripts/e2e/requirements.txt
    # The Django service, in the versions that the recordings were made with.
    install_python_packages django bench/django/requirements.txt
    install_python_packages clients scripts/e2e/clients/requirements.txt
    install_node_packages
}

postgres_programs() {
    local found
    found=$(find /usr/lib/postgresql/*/bin -name initdb 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ] || found=$(command -v initdb) || return 1
    dirname "$found"
}

chromium_program() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

sudo_if_needed() {
    [ "$(id -u)" -eq 0 ] || echo sudo
}

promtool_program() {
    command -v promtool || { [ -x "$TOOLS/prometheus/usr/bin/promtool" ] && echo "$TOOLS/prometheus/usr/bin/promtool"; }
}

# Only promtool is needed. Installing the package would also install a service.
install_promtool() {
    ! promtool_program >/dev/null || return 0
    echo "installing promtool"
    local into="$TOOLS/prometheus"
    rm -rf "$into"
    mkdir "$into"
    # The package lists of this machine may still be empty.
    apt-cache show prometheus >/dev/null 2>&1 || $(sudo_if_needed) apt-get -qq update
    (cd "$into" && apt-get -qq download prometheus 2>/dev/null && dpkg-deb -x prometheus_*.deb . &&
        rm -f prometheus_*.deb usr/bin/prometheus) || fail "apt-get could not download prometheus."
}

# pgbouncer_keeps_statements PROGRAM: whether it supports prepared statements (1.21 or newer).
pgbouncer_keeps_statements() {
    local version
    version=$("$1" --version 2>/dev/null | sed -n 's/^PgBouncer //p')
    [ -n "$version" ] && [ "$(printf '%s\n1.21\n' "$version" | sort -V | head -n 1)" = 1.21 ]
}

# The distribution's PgBouncer may be too old for prepared statements. Then build a newer one
# from the sources of a later Debian.
install_pgbouncer() {
    ! pgbouncer_keeps_statements pgbouncer || return 0
    ! pgbouncer_keeps_statements "$TOOLS/pgbouncer/pgbouncer" || return 0
    echo "installing a newer pgbouncer"
    local into="$TOOLS/pgbouncer" site
    rm -rf "$into"
    mkdir -p "$into/lists/partial"
    site=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site trixie main" >"$into/sources.list"
    local apt=(apt-get -qq -o Dir::Etc::sourcelist="$into/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists="$into/lists" -o Dir::Cache="$into" -o APT::Sandbox::User=)
    (cd "$into" && "${apt[@]}" update && "${apt[@]}" source --download-only pgbouncer &&
        tar -xf pgbouncer_*.orig.tar.gz --strip-components=1 &&
        ./configure --without-openssl --without-cares && make -j2 pgbouncer) >"$RUN/pgbouncer.log" 2>&1 || {
        tail -n 20 "$RUN/pgbouncer.log" >&2
        fail "PgBouncer could not be built."
    }
}

python_with_venv() {
    local python
    for python in "$(command -v python3 || true)" /usr/bin/python3; do
        if [ -x "$python" ] && "$python" -c 'import venv, ensurepip' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    return 1
}

install_debian_packages() {
    local missing=()
    postgres_programs >/dev/null || missing+=(postgresql)
    chromium_program >/dev/null || missing+=(chromium)
    python_with_venv >/dev/null || missing+=(python3 python3-venv)
    command -v redis-server >/dev/null || missing+=(redis-server)
    command -v pgbouncer >/dev/null || missing+=(pgbouncer)
    command -v openssl >/dev/null || missing+=(openssl)
    command -v nginx >/dev/null || missing+=(nginx-light)
    command -v clamd >/dev/null || missing+=(clamav-daemon)
    command -v node >/dev/null || missing+=(nodejs)
    command -v systemd-analyze >/dev/null || missing+=(systemd)
    command -v npm >/dev/null || missing+=(npm)
    # To build PgBouncer.
    pgbouncer_keeps_statements pgbouncer || pgbouncer_keeps_statements "$TOOLS/pgbouncer/pgbouncer" ||
        missing+=(libevent-dev pkg-config make)
    [ ${#missing[@]} -gt 0 ] || return 0

    echo "installing ${missing[*]}"
    command -v apt-get >/dev/null || fail "apt-get is missing: install ${missing[*]} yourself."
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "Installing ${missing[*]} needs root or sudo."
        root=(sudo)
    fi
    local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
    "${apt[@]}" update || fail "apt-get update failed: is the network available?"
    # Only the programs are needed: prevent the packages from starting servers.
    local policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        policy=
    else
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
        "${root[@]}" chmod +x "$policy"
    fi
    if [[ " ${missing[*]} " == *" postgresql "* ]]; then
        "${root[@]}" mkdir -p /etc/postgresql-common/createcluster.d
        echo 'create_main_cluster = false' |
            "${root[@]}" tee /etc/postgresql-common/createcluster.d/exit3-tests.conf >/dev/null
    fi
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$RUN/apt.log" 2>&1 || {
        [ -z "$policy" ] || "${root[@]}" rm -f "$policy"
        tail -n 20 "$RUN/apt.log" >&2
        fail "apt-get could not install ${missing[*]}."
    }
    [ -z "$policy" ] || "${root[@]}" rm -f "$policy"
}

# is_installed NAME FILE...: whether NAME was installed from the current content of these files.
is_installed() {
    [ "$(cat "$TOOLS/$1.installed" 2>/dev/null)" = "$(cat "${@:2}" | sha256sum)" ]
}

mark_installed() {
    cat "${@:2}" | sha256sum >"$TOOLS/$1.installed"
}

# install_cargo_tool NAME VERSION
install_cargo_tool() {
    # Some print their version only when run as a cargo subcommand.
    local program="$TOOLS/cargo/bin/$1"
    [ "$({ "$program" --version || "$program" "${1#cargo-}" --version; } 2>/dev/null |
        grep -o '[0-9][0-9.]*' | head -n 1)" != "$2" ] || return 0
    echo "installing $1 $2" >&2
    # A debug build takes a third of the time, and these tools only run for a second. Debug
    # information is not needed.
    local build
    build=$(mktemp -d "${RUN:-${TMPDIR:-/tmp}}/cargo-install.XXXXXX")
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --debug --locked --root "$TOOLS/cargo" --target-dir "$build" \
        --version "$2" "$1" || fail "cargo could not install $1."
    rm -rf "$build"
}

# install_python_packages NAME LIST
install_python_packages() {
    local into="$TOOLS/$1" list=$2
    is_installed "$1" "$list" && [ -x "$into/bin/python" ] && return
    echo "installing the packages of $list"
    rm -rf "$into"
    "$(python_with_venv)" -m venv "$into"
    "$into/bin/pip" install --quiet --disable-pip-version-check -r "$list" ||
        fail "pip could not install the packages of $list."
    mark_installed "$1" "$list"
}

install_node_packages() {
    local lists=(scripts/e2e/package.json scripts/e2e/package-lock.json)
    is_installed node "${lists[@]}" && [ -d "$TOOLS/node/node_modules" ] && return
    echo "installing the packages of ${lists[1]}"
    rm -rf "$TOOLS/node"
    mkdir "$TOOLS/node"
    cp "${lists[@]}" "$TOOLS/node/"
    # None of these packages needs its install scripts.
    npm ci --prefix "$TOOLS/node" --ignore-scripts --no-audit --no-fund --loglevel=error ||
        fail "npm could not install the packages of ${lists[1]}."
    mark_installed node "${lists[@]}"
}
