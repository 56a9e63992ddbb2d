# Each target makes the virtual environment it needs. PYTHON=python3.13 make test uses another interpreter.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PACKAGES := core coverage augment measure fairness cli

.PHONY: demo test lint docs bench clean release

demo: $(VENV)/.base
	$(BIN)/roomtone generate
	@echo "roomtone is $(BIN)/roomtone; . $(BIN)/activate puts it on the path"

test: $(VENV)/.dev $(VENV)/.datasets
	$(BIN)/pytest -q -n auto --dist loadfile --nbmake --nbmake-timeout=600 tests notebooks

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p $(VENV)/tree && ln -sfn ../.. $(VENV)/tree/roomtone  # mypy cannot see an editable install; a link shows it the namespace
	MYPYPATH=$(VENV)/tree $(BIN)/mypy $(PACKAGES:%=-p roomtone.%)

docs: $(VENV)/.docs
	@mkdir -p build/docs-tree/roomtone && for name in $(PACKAGES); do ln -sfn ../../../$$name build/docs-tree/roomtone/$$name; done
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "open build/docs/index.html"

bench: $(VENV)/.dev
	$(BIN)/pip install --quiet --editable '.[bench]'
	$(BIN)/python -P bench/run.py

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.base: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --editable '.[asr,dask,notebooks,dev]'
	@touch $@ $(VENV)/.base

$(VENV)/.docs: $(VENV)/.base pyproject.toml
	$(BIN)/pip install --quiet --editable '.[docs]'
	@touch $@

# the last `datasets` that opens folders of recordings without torch, apart from the other packages because it wants an old fsspec
$(VENV)/.datasets: $(VENV)/.dev
	$(BIN)/pip install --quiet --no-deps --upgrade --target $(VENV)/datasets datasets==3.6.0 dill==0.3.8 multiprocess==0.70.16 xxhash fsspec==2025.3.0
	@touch $@

release: $(VENV)/.dev
	$(BIN)/python -P .ci/release.py dist

clean:
	rm -rf $(VENV) build dist *.egg-info stress-set
