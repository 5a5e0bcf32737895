PYTHON ?= python3
RUN := .venv
DEV := .venv-dev
PIP := -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint clean

# From the pixels of the bundled video to 3D people in metres: no torch, no GPU, no download of weights.
demo: $(RUN)/installed
	$(RUN)/bin/hyperlift lift examples/multiperson.mp4 --out out/demo

test: $(DEV)/installed
	$(DEV)/bin/python -m pytest

lint: $(DEV)/installed
	$(DEV)/bin/ruff check
	$(DEV)/bin/ruff format --check
	$(DEV)/bin/lint-imports
	$(DEV)/bin/pyright --pythonpath $(DEV)/bin/python

$(RUN)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(RUN)
	$(RUN)/bin/python $(PIP) -e .
	touch $@

$(DEV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/python $(PIP) -e '.[dev]'
	touch $@

clean:
	rm -rf $(RUN) $(DEV) out
