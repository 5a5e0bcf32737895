PYTHON ?= python3
RUN := .venv
DEV := .venv-dev
PIP := -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test fuzz faults lint install-check clean

# From the pixels of the bundled video to 3D people in metres: no torch, no GPU, no download of weights.
demo: $(RUN)/installed
	$(RUN)/bin/hyperlift lift examples/multiperson.mp4 --out out/demo

test: $(DEV)/installed
	# The tests run side by side, a process a core, so that none needs a second thread.
	OMP_NUM_THREADS=1 $(DEV)/bin/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

# Damaged files for every reader: make fuzz CASES=50000, make fuzz READER=video, make fuzz READER=video SEED=17
CASES ?= 20000
fuzz: $(DEV)/installed
	PYTHONPATH=tests nice $(DEV)/bin/python -m fuzz --cases $(CASES) --table docs/security.md \
		$(if $(READER),--reader '$(READER)') $(if $(SEED),--seed $(SEED))

# 200 kills at random moments, full and read-only disks: about 20 minutes. Figures: docs/security.md.
faults: $(DEV)/installed
	OMP_NUM_THREADS=1 $(DEV)/bin/python tests/faults --kills 200 --page docs/security.md

lint: $(DEV)/installed
	$(DEV)/bin/ruff check
	$(DEV)/bin/ruff format --check
	$(DEV)/bin/lint-imports
	$(DEV)/bin/pyright --pythonpath $(DEV)/bin/python

# Away from this checkout and without its constraints: the newest packages that pip finds, then the oldest allowed.
install-check:
	$(PYTHON) tools/check_install.py

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
