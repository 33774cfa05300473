# Two targets for a newcomer: `make demo` runs the main job, `make test` runs all tests. Both share one build.

TARGET := $(or $(CARGO_TARGET_DIR),target)
CARE := $(TARGET)/debug/care
ACTIVITIES := birthday balance-reminder green-bill disaster-response points-expiry roaming-tariff package-recommendation package-under-use complaint-call-back retention festival bill-sensitivity package-match
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)

.PHONY: build plugins examples peers browser demo test fuzz figures crash-loop bench-size bench-sms bench-console bench-languages lint fmt clean

build:
	cargo build --workspace --bins

# Built by the product itself, which finds or installs the wasm target and says what it did.
plugins: build
	@for name in $(ACTIVITIES); do $(CARE) plugin build plugins/$$name --out $(TARGET)/plugins/$$name.wasm || exit 1; done

# A branch's activity in three languages, each built by the product itself, which installs the builder that it needs below
# the build folder. Where node or python3-venv are missing, that language is left out, loudly.
AUTHOR := $(abspath $(TARGET)/author)
examples: build peers
	@for language in rust js python; do \
	    case $$language in js) tool=npm;; python) tool=python3;; *) tool=cargo;; esac; \
	    if command -v $$tool >/dev/null; then \
	        CARE_CACHE=$(AUTHOR) $(CARE) plugin build examples/local-festival/$$language --out $(TARGET)/plugins/local-festival-$$language.wasm || exit 1; \
	    else echo "THE EXAMPLE IN $$language IS LEFT OUT: $$tool is missing" >&2; fi; \
	done

demo: plugins
	$(TARGET)/debug/care-demo --care $(CARE) --plugins $(TARGET)/plugins --out target/demo

# Gateways written by others, which the channel tests start: pinned, below the build folder, installed once.
peers:
	@tests/peers/install.sh $(abspath $(TARGET)/peers)

# Chromium with its driver, a Chinese font and axe-core, for the tests of the console in a browser. Their screenshots lie
# below screenshots/ in the build folder.
browser:
	@tests/browser/install.sh $(abspath $(TARGET)/browser)

# `cargo test` where nextest is not installed: the same tests, slower.
test: plugins examples peers browser
	CARE_CACHE=$(AUTHOR) CARE_BROWSER=$(abspath $(TARGET)/browser) CARE_PEERS=$(abspath $(TARGET)/peers) CARE_BIN=$(abspath $(CARE)) CARE_PLUGINS=$(abspath $(TARGET)/plugins) $(if $(NEXTEST),cargo nextest run --workspace --no-fail-fast,cargo test --workspace --no-fail-fast)

# Ten thousand damaged and made-up inputs for the gate and the sandbox; `make test` runs fifteen hundred of them.
fuzz: plugins
	CARE_PLUGINS=$(abspath $(TARGET)/plugins) cargo test --workspace --test hostile ten_thousand -- --ignored --nocapture

# Events and touchpoints a second beside a bare handler and bare inserts, on this machine, in about two minutes.
figures: plugins
	CARE_BIN=$(abspath $(CARE)) CARE_PLUGINS=$(abspath $(TARGET)/plugins) cargo test --workspace --test engine figures -- --ignored --nocapture --test-threads 1

# Kills plans and dispatch with SIGKILL at N random moments (SEED=… for the same ones again), starts them again, and
# compares with an undisturbed run; `make test` does a dozen. Last line: `N kills, 0 lost, 0 twice`.
N ?= 200
crash-loop: plugins
	@CARE_BIN=$(abspath $(CARE)) CARE_PLUGINS=$(abspath $(TARGET)/plugins) $(TARGET)/debug/care-crash-loop $(N) $(SEED)

# One million and ten million customers, ten activities, a kill in the middle: memory of each process. Takes a while and
# some 20 GB under TMPDIR.
bench-size: plugins
	CARE_BIN=$(abspath $(CARE)) CARE_PLUGINS=$(abspath $(TARGET)/plugins) $(TARGET)/debug/care-size $(SIZES)

# Segments a second against the npm simulator, windows of 10 and 50, beside the gateway without a ledger.
bench-sms: plugins peers
	@CARE_PEERS=$(abspath $(TARGET)/peers) CARE_BIN=$(abspath $(CARE)) CARE_PLUGINS=$(abspath $(TARGET)/plugins) $(TARGET)/debug/care-sms

# The first byte of every page of the console, and its size, with 33 activities, 100 campaigns and a million contacts.
bench-console: plugins
	@CARE_BIN=$(abspath $(CARE)) CARE_PLUGINS=$(abspath $(TARGET)/plugins) $(TARGET)/debug/care-console

# What an activity costs in Rust, JavaScript and Python: the table of sdk/README.md. Quiet machines tell more.
bench-languages: build
	@CARE_BIN=$(abspath $(CARE)) $(TARGET)/debug/care-languages $(AUTHOR)

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo deny --log-level error check bans licenses sources

fmt:
	cargo fmt --all

clean:
	cargo clean
