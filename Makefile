# `make wheels` and `make test` are all that a user needs; each sets up what it needs. `make help` lists the rest.

PYTHON ?= python3
RECIPES ?= recipes/markupsafe.yaml recipes/nh3.yaml examples/hyperjson/recipe.yaml
OUTPUT ?= dist
BIN := .venv/bin

.PHONY: wheels help quick test proofs test-without-engine test-engine test-builds test-all fuzz setup lint generated fresh podman nightly compare bench bench-first bench-rust bench-crates bench-objects bench-gate bench-idle peers lock clean

wheels: setup  ## build the default recipes into dist/
	$(BIN)/factory build $(RECIPES) -o $(OUTPUT)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

nightly: setup  ## build every recipe and example, and go on after a failure
	$(BIN)/factory build --keep-going recipes/ $(wildcard examples/*/recipe.yaml) -o $(OUTPUT)

quick: setup lint  ## lint, types, and the tests that need no engine and little time: under a minute on two processors
	$(BIN)/pytest -q -n auto --hypothesis-profile quick -m "not (engine or slow or index or thorough)" \
	    tests/unit tests/property --ignore tests/property/test_patterns.py

test: setup lint  ## lint, types, layers, and every test but the slow ones
	@$(MAKE) --no-print-directory --jobs 3 test-without-engine test-engine test-builds

# Beside each other: a test with an engine waits for containers most of its time. Builds are one process, since two runs of
# the factory compile with all processors already. What the others say is shown when they end, so that all can be read.
test-without-engine: setup  ## the tests that need no engine, but the slow ones
	@mkdir -p .factory
	@$(BIN)/pytest -m "not (engine or slow)" >.factory/$@.txt 2>&1; code=$$?; cat .factory/$@.txt; exit $$code

test-engine: setup  ## the tests of the engine's driver and of what runs in single containers, but the slow ones
	@mkdir -p .factory
	@$(BIN)/pytest -m "engine and not slow" --require-engine --ignore tests/docker >.factory/$@.txt 2>&1; \
	    code=$$?; cat .factory/$@.txt; exit $$code

test-builds: setup  ## the tests of whole builds, but the slow ones
	$(BIN)/pytest -m "engine and not slow" --require-engine tests/docker

proofs: setup  ## what trials, comparisons and guides find: an example that fails and one that passes, each with its time
	$(BIN)/pytest --require-engine --durations 0 --durations-min 1 $$(grep -v '^#' tests/proofs.txt)

test-all: test  ## the slow proofs too
	$(BIN)/pytest -m slow
	$(MAKE) fresh
	$(MAKE) podman

lint: setup  ## format, lint, types, layers, the workflow and the action
	$(BIN)/ruff format --check factory tests bench tools
	$(BIN)/ruff check factory tests bench tools
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin --exclude factory/guests/ factory
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet --strict-collection .github/workflows action.yml

generated: setup  ## rewrite what is generated from the code: messages, reference, schemas
	$(BIN)/python -m tools.generated

setup: .venv/.ready  ## the environment, from the lock file
	@command -v mmdebstrap >/dev/null || sh images/install-mmdebstrap.sh

.venv/.ready: requirements/dev.lock pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

fresh:  ## both commands in a new clone, on a second engine with nothing in it
	sh tests/fresh/run.sh

podman: setup  ## the engine's contract and one recipe, on a Podman with nothing in it
	sh tests/podman/run.sh

compare: setup  ## compare the wheels of dist/ with those that their projects publish
	$(BIN)/factory compare $(OUTPUT) --with same --strict

bench: setup  ## the time beside cibuildwheel for some packages, as ratios; an hour
	$(BIN)/python -m bench.overhead

bench-first: setup  ## the time to a first wheel where there is no image, no store and no registry
	sh tests/fresh/engine.sh $(BIN)/python -m bench.first_wheel recipes/markupsafe.yaml 'cp313-cp313-*'

bench-rust: setup  ## the Rust project's own Rust against Debian's, as ratios
	$(BIN)/python -m bench.rust

bench-crates: setup  ## builds of a Rust project by the crates that earlier ones compiled, against builds by none
	$(BIN)/python -m bench.crates

bench-objects: setup  ## builds of a C++ project by what ccache remembers of earlier ones, against builds by nothing
	$(BIN)/python -m bench.objects

bench-gate: setup .peers/.ready  ## the gate against auditwheel show and abi3audit, as ratios
	$(BIN)/python -m bench.gate

bench-idle: setup  ## planning, trivial jobs and a run of which nothing changed, in CPU seconds beside their targets
	$(BIN)/python -m bench.planning
	$(BIN)/python -m bench.jobs

peers: setup .peers/.ready  ## what other tools say about each sample of the gate's rules: docs/reference/peers.md
	$(BIN)/python -m bench.peers_table

.peers/.ready: requirements/peers.lock
	$(PYTHON) -m venv --clear .peers
	.peers/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

FUZZ_SECONDS ?= 60
fuzz: setup  ## feed mutated files to the readers, the planner and the gate
	$(BIN)/uv pip install --quiet --target .fuzz-site -r requirements/fuzz.txt
	for target in elf pe record zip texts object plan audit; do \
	    PYTHONPATH=.fuzz-site $(BIN)/python -m tests.fuzz.run $$target $(FUZZ_SECONDS) || exit 1; done

lock: setup  ## resolve the environments anew
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --universal \
	    --python-version 3.11 pyproject.toml requirements/build.in --group dev -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --universal \
	    --python-version 3.11 pyproject.toml requirements/build.in --constraint requirements/dev.lock -o requirements/run.lock
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --universal \
	    --python-version 3.11 requirements/peers.in -o requirements/peers.lock

clean:  ## remove the environments, dist/ and the evidence of runs
	rm -rf .venv .peers dist .factory
