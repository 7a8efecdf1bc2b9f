# The two that a newcomer needs: `make serve` and `make test`.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
COUNT  ?= 50000
# The tests start hundreds of servers; compiling the sources anew for each would take most of their time.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: serve test check oracle hostile fuzz faults rehearse bench measure clean

serve: $(STAMP)
	@$(BIN)/coachwhip serve

test: $(STAMP)
	$(BIN)/python -m pytest -n auto

check: $(STAMP)
	$(BIN)/ruff check src tests conformance steps examples fuzz faults deploy
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto tests/unit tests/project

# Needs Debian's apache2 and apache2-doc: every page of Apache's manual, asked of both servers in many ways.
oracle: $(STAMP)
	$(BIN)/python -m conformance.oracle

# BADREQ: a folder with badreq.py and bad_requests.jsonl.
hostile: $(STAMP)
	$(BIN)/python -m conformance.hostile $(BADREQ)

# COUNT cases for each part that takes bytes from outside (a release wants a million); random configurations, requests and changes of
# files with replay on and off; random heads through both parsers.
fuzz: $(STAMP)
	$(BIN)/python -m fuzz --count $(COUNT)
	$(BIN)/python -m fuzz.equivalence --steps 20000
	$(BIN)/python -m fuzz.heads --count 300000
	$(BIN)/python -m fuzz.values --count 100000

# Workers killed, reloads, disks and descriptors gone, thousands of slow clients: minutes, and a quiet machine for the latencies.
faults: $(STAMP)
	$(BIN)/python -m faults --long

# deploy/Dockerfile carried out on this machine, run and drained; Linux, root, a package index.
rehearse: $(STAMP)
	$(BIN)/python -m deploy.rehearse

# Coachwhip and the other servers that are installed; Linux, with wrk or ab.
bench: $(STAMP)
	$(BIN)/coachwhip bench

# The steps of steps/: measured, and the figures written into their texts. Needs ab.
measure: $(STAMP)
	$(BIN)/python -m steps measure
	$(BIN)/python -m steps text

clean:
	rm -rf $(VENV) build *.egg-info src/*.egg-info

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test,check]'
	@touch $@
