#!/usr/bin/env bash
# Installs the peers that the channel tests talk to, pinned, into the folder named by the first argument: node-smpp (an
# SMSC), smpp34 (another one), aiosmtpd (a mail server), standardwebhooks (checks our signatures), schemathesis (tries the API
# by its own description), opentelemetry-proto (reads our spans); and the checkers of the SDKs' types.
# Once, under a lock.
set -euo pipefail
into=$1
ready="$into/ready-1"
ready_api="$into/ready-api-1"
ready_types="$into/ready-types-1"
ready_otlp="$into/ready-otlp-1"
mkdir -p "$into"
exec 9>"$into/lock"
flock 9
[ -e "$ready" ] && [ -e "$ready_api" ] && [ -e "$ready_types" ] && [ -e "$ready_otlp" ] && exit 0

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq "${missing[@]}" >/dev/null && missing=()
fi
if [ ${#missing[@]} -gt 0 ]; then
    echo "PEERS ARE MISSING: install ${missing[*]}; until then the tests against real gateways and of the SDKs' types are SKIPPED" >&2
    exit 0
fi
if [ ! -e "$ready" ]; then
    npm install --silent --no-audit --no-fund --no-save --prefix "$into" smpp@0.5.1
    python3 -m venv "$into/venv"
    "$into/venv/bin/pip" install --quiet --disable-pip-version-check \
        smpp34==1.5.0 aiosmtpd==1.4.6 standardwebhooks==1.1.0
    touch "$ready"
fi
# Apart from the gateways: it brings many packages of its own.
if [ ! -e "$ready_api" ]; then
    python3 -m venv "$into/api-venv"
    "$into/api-venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.0
    touch "$ready_api"
fi
# Likewise apart: typescript checks the types of the JavaScript SDK, mypy the stubs of the Python one.
if [ ! -e "$ready_types" ]; then
    npm install --silent --no-audit --no-fund --no-save --prefix "$into/types" typescript@7.0.2
    python3 -m venv "$into/types/venv"
    "$into/types/venv/bin/pip" install --quiet --disable-pip-version-check mypy==2.4.1
    touch "$ready_types"
fi
# The messages of OpenTelemetry as its own project generates them.
if [ ! -e "$ready_otlp" ]; then
    python3 -m venv "$into/otlp-venv"
    "$into/otlp-venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-proto==1.45.2
    touch "$ready_otlp"
fi
