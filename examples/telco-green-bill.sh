#!/usr/bin/env bash
# Takes the real customers of Telco-Customer-Churn.csv through import, upload, approval, campaign, plan and evaluation
# of `green-bill`, with the parameters that choose every customer without a paperless bill.
# The last line is JSON. Usage: examples/telco-green-bill.sh FILE   (after `make plugins`)
set -euo pipefail
file=${1:?usage: examples/telco-green-bill.sh Telco-Customer-Churn.csv}
root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
care=${CARE_BIN:-$target/debug/care}
plugin=${CARE_PLUGINS:-$target/plugins}/green-bill.wasm
[ -x "$care" ] && [ -f "$plugin" ] || make -C "$root" plugins >&2
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
export CARE_DATA=$data

# A rehearsal plays on the day that its data speak of.
care() { "$care" --json --clock 2026-07-29T08:00:00 "$@"; }
# The value of a field in a line of JSON: a number, a string or a flat object.
field() { sed -n "s/.*\"$1\":\({[^}]*}\|[^,}]*\).*/\1/p"; }

# A key of its own for the pseudonyms, so that the same customers fall into the same control group every time.
printf '74656c636f%054d\n' 0 >"$data/pseudonym.key"
care init --rehearsal --pseudonym-key "$data/pseudonym.key" >/dev/null
imported=$(care population import "$file" --mapping "$root/examples/telco-churn.toml" --date 2026-07-29)
rejects=$(field rejects <<<"$imported" | tr -d '"')
echo "bad cells, with their lines:"
cat "$rejects"
care --as branch-author plugin push "$plugin" --key "$data/keys/branch-author.key" >/dev/null
care --as provincial-approver submission simulate 1 --param everyone=true >/dev/null
care --as provincial-approver submission approve 1 --tick proactive,customer-oriented >/dev/null
care campaign start green-bill --param everyone=true >/dev/null
plan=$(care plan run)
# Nothing was really sent to these customers, so with churn as the outcome the effect is an A/A check.
awk -F, 'NR == 1 { print "customer,kind,at" } NR > 1 && $21 ~ /^Yes/ { print $1 ",churned,2026-08-05T12:00:00+08:00" }' \
    "$file" >"$data/churned.csv"
care outcome import "$data/churned.csv" >/dev/null
effect=$(care evaluate green-bill-1 --outcome churned)
echo "an A/A check: nothing was sent, so the interval of churn, contacted against control, should cover 0"
printf '{"imported":%s,"bad_cells":%s,"selected":%s,"verdicts":%s,"effect":%s}\n' \
    "$(field imported <<<"$imported")" "$(field bad_cells <<<"$imported")" \
    "$(field selected <<<"$plan")" "$(field verdicts <<<"$plan")" "$(field effect <<<"$effect")"
