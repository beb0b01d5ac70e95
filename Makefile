# Python 3.11 or newer and make are all this needs: every target makes its own environment in .venv.
# Another Python: make PYTHON=python3.13 test

PYTHON ?= python3
BIN    := .venv/bin
JOBS   ?= 2

# The reader's own Matplotlib and IPython settings must not change what the notebooks draw and print.
# Nor may modules from elsewhere get into the tools.
unexport MPLBACKEND PYTHONPATH PYTHONHOME
export MPLCONFIGDIR := $(CURDIR)/.venv/matplotlib
export IPYTHONDIR   := $(CURDIR)/.venv/ipython

NOTEBOOKS := $(wildcard notebooks/*.ipynb)
# Those first that take longest: so two processes end at about the same time.
BROWSER_TESTS := tests/test_pyodide.py tests/test_accessible.py tests/test_lab.py tests/test_live.py tests/test_editor.py tests/test_controls.py tests/test_paper.py tests/test_offline.py tests/test_search.py tests/test_predict.py tests/test_slim.py tests/test_narrow.py
HTML      := _build/html

.DEFAULT_GOAL := help
.PHONY: help book pdf epub test browser lab notebooks practice course lint format unit planted mutants mutants-exercises bench verify stored site check-site lock audit test-versions test-binder editor clean setup

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

book: site ## build the book and say how to open it
	@echo
	@echo "The book is built. To read it:"
	@echo "    $(PYTHON) -m http.server --directory $(HTML) 8000"
	@echo "and open http://localhost:8000 (or open $(HTML)/index.html directly)."

pdf: site ## the book as one PDF, beside the site, which then offers it (needs Chromium)
	$(BIN)/python tools/make_pdf.py

epub: site ## the book as an EPUB, the same way
	$(BIN)/python tools/make_epub.py

test: ## everything the gate checks: lint, unit tests, doctests, notebooks, the site
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory verify
	@$(MAKE) --no-print-directory site
	@$(MAKE) --no-print-directory check-site
	@echo "Everything passed."

browser: setup ## the same book where readers run it: in the page, in its Python, in JupyterLab (needs Chromium and a site)
	$(BIN)/python -m pytest $(BROWSER_TESTS) --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

lab: setup ## open JupyterLab on the first chapter, in a copy of your own that nothing overwrites
	$(BIN)/python tools/own_copy.py
	$(BIN)/jupyter lab --ServerApp.root_dir=. my-notebooks/1_3_1_loss_function.ipynb

notebooks: setup ## run every notebook and store its outputs in place
	$(BIN)/python tools/execute_notebooks.py $(NOTEBOOKS)

practice: setup ## write the practice notebooks from the exercises in mlcore/teaching/exercises
	$(BIN)/python tools/make_practice.py

course: setup ## write the exercises as assignments for nbgrader, with points and hidden tests, into course/
	$(BIN)/python tools/make_course.py

lint: setup ## check style and format, notebooks included, and the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows $(wildcard .github/workflows/*)
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff

format: setup ## mend style and format, notebooks included
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

unit: setup ## unit tests and doctests; every line and branch of mlcore is covered
	$(BIN)/python -m pytest --cov --numprocesses $(JOBS) --ignore=tests/test_site.py $(addprefix --ignore=,$(BROWSER_TESTS))

planted: setup ## plant faults in a copy, one at a time: the check that should notice must be red
	$(BIN)/python tools/planted.py --jobs $(JOBS)

mutants: setup ## change one thing in mlcore at a time, and see whether a test notices (takes hours)
	$(BIN)/python tools/mutate.py --jobs $(JOBS)

mutants-exercises: setup ## change one thing at a time in the solutions of the exercises, and see whether the check notices
	$(BIN)/python tools/mutate_exercises.py --jobs $(JOBS)

bench: setup ## measure mlcore against what else is installed (takes about five minutes)
	$(BIN)/python benchmarks/run.py

verify: setup ## run every notebook and compare what it prints with what it stores
	$(BIN)/python -m pytest --nbval --nbval-current-env --nbval-sanitize-with tools/nbval.cfg -p tools.nbval_figures \
		--numprocesses $(JOBS) --dist loadscope notebooks

stored: setup ## run every notebook and compare all that it stores, pictures too, byte by byte (with the locked Python)
	$(BIN)/python tools/execute_notebooks.py --check $(NOTEBOOKS)

site: setup ## build the site strictly, from the stored outputs
	$(BIN)/python tools/build_site.py

check-site: setup ## check the built site: links, alt texts, nothing from elsewhere
	$(BIN)/python -m pytest tests/test_site.py

lock: setup ## renew requirements.txt from pyproject.toml
	$(BIN)/python tools/lock.py

audit: setup ## ask whether vulnerabilities are known in what is locked (needs the network)
	$(BIN)/python tools/audit.py

test-versions: setup ## unit tests and notebooks with the oldest and newest packages admitted, for every Python found
	$(BIN)/python tools/try_versions.py --jobs $(JOBS)

editor: setup ## bundle the editor of the pages anew, from pinned packages (needs Node and the network)
	$(BIN)/python tools/bundle_editor.py

test-binder: setup ## every notebook in what Binder installs, from its own files alone
	$(BIN)/python tools/try_binder.py

clean: ## remove everything that the other commands made
	rm -rf .venv .venv.lock _build build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -prune -exec rm -rf {} +

setup:
	@$(PYTHON) tools/set_up.py
