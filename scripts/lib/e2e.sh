# Sourced by the programs of scripts/e2e, which work with what `scripts/test` has
# installed: the tools' directory, a directory to work in that goes with the
# program, and how to fetch.

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. scripts/lib/tools.sh
WORK=$(mktemp -d "${RUN:-${TMPDIR:-/tmp}}/e2e.XXXXXX")
trap 'rm -rf "$WORK"' EXIT

# fetch URL: curl is not on every machine, Python is by now.
fetch() {
    "$TOOLS/python/bin/python" -c '
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=10).read())' "$1"
}
