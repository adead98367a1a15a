# Sourced by the scripts in scripts/e2e and scripts/deploy. They use the tools that
# `scripts/test` has installed. Defines the tools' directory, a temporary working directory
# that is removed at the end, and `fetch`.

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. scripts/lib/tools.sh
WORK=$(mktemp -d "${RUN:-${TMPDIR:-/tmp}}/e2e.XXXXXX")
trap 'rm -rf "$WORK"' EXIT

# fetch URL: with Python, because curl may not be installed.
fetch() {
    "$TOOLS/python/bin/python" -c '
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=10).read())' "$1"
}
