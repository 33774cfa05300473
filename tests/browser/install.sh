#!/usr/bin/env bash
# Installs what the browser tests need: Chromium, its driver and a Chinese font as Debian packages, and axe-core, the
# checker of accessibility, pinned, into the folder named by the first argument. Once, under a lock; what is there already
# is left as it is. Where it cannot, it says so: the tests are skipped then, but in CI they have to run.
set -euo pipefail
into=$1
ready="$into/ready-1"
mkdir -p "$into"
exec 9>"$into/lock"
flock 9

lacking() {
    command -v chromium >/dev/null || echo chromium
    command -v chromedriver >/dev/null || echo chromium-driver
    [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || fc-list :lang=zh 2>/dev/null | grep -q . ||
        echo fonts-noto-cjk
    [ -e "$ready" ] || command -v npm >/dev/null || echo npm
}

mapfile -t missing < <(lacking)
if [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    if "${as_root[@]}" true 2>/dev/null; then
        echo "installing ${missing[*]}" >&2
        "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || true
        mapfile -t missing < <(lacking)
    fi
fi
if [ ${#missing[@]} -gt 0 ]; then
    rm -f "$ready"
    echo "THE BROWSER TESTS ARE SKIPPED: install ${missing[*]}" >&2
    [ "${CI:-}" != true ]
    exit
fi
if [ ! -e "$ready" ]; then
    npm install --silent --no-audit --no-fund --no-save --prefix "$into" axe-core@4.14.1
    touch "$ready"
fi
