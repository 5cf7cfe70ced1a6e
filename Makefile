# Everything that can be asked for; `make help` lists it. GNU make 3.81 or newer, Linux and macOS.
# python=python3 uses the Python that is active, with the packages it has, instead of .venv.

chapter :=
preset  :=
seeds   :=
device  :=
set     :=
result  :=
fresh   :=
cluster :=
engine  :=
port    := 8000
python  :=

export PYTHONPATH := $(CURDIR)
ifeq ($(python),)
PYTHON := .venv/bin/python
READY  := .venv/installed
else
PYTHON := $(python)
READY  := packages
endif
RUN := $(PYTHON) -m sifting
OPTIONS = preset=$(preset) seeds=$(seeds) device=$(device) "set=$(set)" fresh=$(fresh) cluster=$(cluster) engine=$(engine)

KNOWN := chapter preset seeds device set result fresh cluster engine port python
UNKNOWN := $(filter-out $(KNOWN),$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
ifneq ($(filter-out -*-command-variables-*-,$(UNKNOWN)),)
$(error unknown $(UNKNOWN); choose from $(KNOWN))
endif

.DEFAULT_GOAL := book
.PHONY: book test live serve verify bench lint help clean packages

book: $(READY)      ## execute what is out of date and build the site; chapter=imp [preset= seeds= device= set="lr=0.05" fresh=1 cluster=tcp://host:8786 engine=reference] for one chapter
ifeq ($(chapter),)
	@exec $(RUN) build $(OPTIONS)
else
	@exec $(RUN) run $(chapter) $(OPTIONS)
	@exec $(RUN) site
endif

test: $(READY)      ## run all tests, the built site in headless Chromium included
	$(PYTHON) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

live: $(READY)      ## open the chapters in JupyterLab
	$(PYTHON) -m jupyter lab chapters

serve: $(READY)     ## serve the site at http://127.0.0.1:8000; port= for another port
	@exec $(RUN) serve port=$(port)

verify: $(READY)    ## chapter=imp: recompute a stored run and compare; seeds=all for every seed; or result=NAME, as on the page How it was made
	@exec $(RUN) verify $(chapter) $(result) $(OPTIONS)

bench: $(READY)     ## measure how fast everything is, some minutes on an idle machine; the page How fast shows it
	@exec $(RUN) bench

lint: $(READY)      ## check style and format
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

help:               ## list these commands
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /|/' | awk -F'|' '{printf "make %-8s %s\n", $$1, $$2}'

clean:              ## remove the site and the executed chapters; stored results stay
	rm -rf _build book/figures book/*.ipynb book/.*.ipynb book/coverage.md book/claims.md book/verdicts.md book/provenance.md book/reference.md book/speed.md

# A virtual environment of Python 3.11 or 3.12 with the pinned packages; installed anew when the pins change.
.venv/installed: requirements.txt constraints.txt
	@test -x .venv/bin/python || { \
	for python in python3.12 python3.11 python3 python; do \
	  $$python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null \
	  && exec $$python -m venv .venv; \
	done; \
	echo "Python 3.11 or 3.12 is needed, and not found; install it, or name it: make python=/path/to/python" >&2; exit 1; }
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

packages:
	@$(PYTHON) -c 'import sys, importlib.util as found; missing = [name for name in sys.argv[1:] if not found.find_spec(name)]; \
	missing and sys.exit("missing packages: " + ", ".join(missing) + "; install them: $(PYTHON) -m pip install -r requirements.txt")' \
	anywidget jupyter_book matplotlib mlxtend papermill playwright pytest scipy seaborn skimage sklearn torch
