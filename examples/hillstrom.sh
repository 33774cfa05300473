#!/usr/bin/env bash
# Takes the 64,000 real customers of Hillstrom's e-mail experiment through import, outcomes and evaluation: two campaigns
# that share one control, drawn by the experiment itself. The last line is JSON.
# Usage: examples/hillstrom.sh hillstrom.csv   (after `make build`)
set -euo pipefail
file=${1:?usage: examples/hillstrom.sh hillstrom.csv}
root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
care=${CARE_BIN:-$target/debug/care}
[ -x "$care" ] || make -C "$root" build >&2
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
export CARE_DATA=$data

# A rehearsal plays after the experiment was over.
care() { "$care" --json --clock 2008-04-10T09:00:00 "$@"; }
# The value of a field in a line of JSON: a number, a string or a flat object.
field() { sed -n "s/.*\"$1\":\({[^}]*}\|[^,}]*\).*/\1/p"; }

care init --rehearsal >/dev/null
imported=$(care population import "$file" --mapping "$root/examples/hillstrom.toml" --date 2008-03-20)
arms=$(care experiment import "$file" --mapping "$root/examples/hillstrom-experiment.toml")
outcomes=$(care outcome import "$file" --mapping "$root/examples/hillstrom-outcomes.toml")
echo "imported $(field imported <<<"$imported") customers, $(field arms <<<"$arms"), $(field added <<<"$outcomes") outcomes"
# The same once more adds nothing.
again=$(care outcome import "$file" --mapping "$root/examples/hillstrom-outcomes.toml")
echo "once more: $(field added <<<"$again") added, $(field repeated <<<"$again") known before"

effect() { care evaluate "$1" --outcome "$2" | field effect; }
campaign() {
    printf '{"visit":%s,"conversion":%s,"spend":%s}' \
        "$(effect "$1" visited)" "$(effect "$1" converted)" "$(effect "$1" paid)"
}
printf '{"mens":%s,"womens":%s}\n' "$(campaign mens)" "$(campaign womens)"
