# What works on a fresh machine: `make demo` and `make test`. Nothing is installed outside .venv.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests that share nothing and time nothing run side by side; a new directory runs alone until it is listed here.
# tests/scheduling.py says what is handed out together, and what first.
SIDE_BY_SIDE := $(addprefix tests/,alerting app bounces checks cli clients config diagnose docs domain findings integration mail notify outputs parts render run sandbox store)
# Each of them waits for long: for fault scenarios, for a boot, for an evaluation, for a build. They run beside one another.
WAITING := $(addprefix tests/,faults nix packaging systemd)
# Images of containers often set it; then each start of the command would compile all of mailmon anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check format docs lock bench faults soak boot servers installs test-system-deps clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

$(STAMP): pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt --group dev -e '.[sandbox,apprise,xlsx,dkim]'; \
	else \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "Python's venv module is incomplete here: apt install python3-venv (Debian, Ubuntu), or install uv"; exit 1; }; \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev -e '.[sandbox,apprise,xlsx,dkim]'; \
	fi
	@touch $(STAMP)

demo: $(STAMP) ## Watch a failure, its alert and the recovery; no network, some ten seconds
	@$(BIN)/mailmon demo

test: $(STAMP) ## Run the tests, with real Postfix and Dovecot where they are installed
	@$(BIN)/python -m pytest -n 4 --dist loadfile $(SIDE_BY_SIDE)
	@$(BIN)/python -m pytest -n 3 --dist loadfile $(WAITING)
	@$(BIN)/python -m pytest $(addprefix --ignore=,$(SIDE_BY_SIDE) $(WAITING))

check: $(STAMP) ## Everything that CI runs: lint, format, types, layers, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

format: $(STAMP) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP) ## Write the generated parts of docs/: configuration.md, findings.md, json.md
	$(BIN)/python -m tests.docs.generate
	$(BIN)/python -m tests.docs.registries

lock: $(STAMP) ## Write container/*requirements.txt anew, with hashes, from constraints.txt; needs the network
	$(BIN)/python -m tests.packaging.lock

bench: $(STAMP) ## Measure against peers, needs the system packages (docs/measurements.md)
	$(BIN)/python -m bench

# In the long runs each command is started as a timer starts it, in `make test` only some thousand of them (tests/warm.py).
faults servers soak: export MAILMON_TESTS_COLD := 1
# `make test` runs a sample of what is long (tests/full.py).
faults soak: export MAILMON_TESTS_FULL := 1

faults: $(STAMP) ## Run the fault scenarios: alerts lost, false, duplicated; beside a naive monitor
	$(BIN)/python -m tests.faults

soak: $(STAMP) ## The long runs: 1000 kills at random moments in each of three places; mutated mail, replies and conversations
	MAILMON_KILLS=1000 $(BIN)/python -m pytest tests/integration/test_kill.py tests/faults/test_concurrency.py
	MAILMON_KILLS=1000 $(BIN)/python -m pytest tests/integration/test_bounce_scan.py -k killed
	MAILMON_KILLS=1000 $(BIN)/python -m pytest tests/store/bouncelog tests/store/sqlite -k killed
	MAILMON_FUZZ=200000 $(BIN)/python -m pytest tests/mail/bounce/test_hostile.py -k mutated
	MAILMON_FUZZ=100000 $(BIN)/python -m pytest tests/mail/test_mutated.py -k mutated_input
	MAILMON_FUZZ=10000 $(BIN)/python -m pytest tests/diagnose/test_hostile.py
	MAILMON_ATTACKS=5000 $(BIN)/python -m pytest tests/integration/test_root.py
	MAILMON_ROWS=100000 $(BIN)/python -m pytest tests/render/test_export.py
	$(BIN)/python -m pytest tests/clients/test_imap_memory.py tests/mail/test_postqueue.py tests/config/test_precedence.py \
	  tests/run/test_any_state.py tests/diagnose/test_outside_judge.py

boot: $(STAMP) ## Run the units in a real systemd, Debian 12 and 13 (root)
	MAILMON_SYSTEMD_SUITE=bookworm $(BIN)/python -m pytest tests/systemd
	MAILMON_SYSTEMD_SUITE=trixie $(BIN)/python -m pytest tests/systemd

servers: $(STAMP) ## Try real mail servers of Debian, each in a tree of its own (root; the first time with a network)
	$(BIN)/python -m tests.servers

installs: $(STAMP) ## Try fresh installations: pip, uv and pipx, each Python at hand; needs the network
	$(BIN)/python -m tests.packaging.installs

test-system-deps: ## Install what the tests run against: mail servers, shells, nix, systemd (Debian, Ubuntu; root)
	apt-get install -y --no-install-recommends postfix dovecot-imapd dovecot-pop3d dovecot-lmtpd opendkim unbound openssl \
	  libfaketime iproute2 util-linux groff zsh fish \
	  nix-bin systemd systemd-container mmdebstrap debian-archive-keyring

clean: ## Remove what was built
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build
