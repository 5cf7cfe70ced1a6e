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
book    :=
trial   :=
a       :=
b       :=
port    :=
peers   :=
field   :=
only    :=
python  :=

export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))
ifeq ($(python),)
PYTHON := .venv/bin/python
READY  := .venv/installed
else
PYTHON := $(python)
READY  := packages
endif
RUN := $(PYTHON) -m sifting
OPTIONS = preset=$(preset) seeds=$(seeds) device=$(device) "set=$(set)" fresh=$(fresh) cluster=$(cluster) engine=$(engine) book=$(book)

KNOWN := chapter preset seeds device set result fresh cluster engine book trial a b port peers field only python
GIVEN := $(filter-out -*-command-variables-*-,$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
ifneq ($(filter-out $(KNOWN),$(GIVEN)),)
$(error unknown $(filter-out $(KNOWN),$(GIVEN)); choose from $(KNOWN))
endif
# What a command takes is what `make help` lists below it.
ifneq ($(filter-out python,$(GIVEN)),)
GOALS := $(or $(MAKECMDGOALS),book)
TAKEN := $(shell awk -v goals=" $(GOALS) " '/^[a-z]+:/ {split($$1, name, ":"); mine = index(goals, " " name[1] " ")} \
  mine && /^.:  [a-z]/ {for (n = 2; $$n ~ /^[a-z]+=/; n++) {split($$n, part, "="); print part[1]; if (part[2] ~ /"/) next}}' Makefile)
ifneq ($(filter-out python $(TAKEN),$(GIVEN)),)
$(error make $(GOALS) does not take $(filter-out python $(TAKEN),$(GIVEN)); it takes $(if $(TAKEN),$(TAKEN),nothing))
endif
endif
ROOMS := $(filter-out __pycache__,$(patsubst tests/%/,%,$(wildcard tests/*/)))

.DEFAULT_GOAL := book
.PHONY: book pdf test compare forget answer list live serve verify bench house lint help clean packages

book: $(READY)      ## execute what is out of date and build the site
#:  chapter=imp                 one chapter alone, and the site; at other settings, a trial on a page of its own
#:  preset=laptop               its size: smoke, laptop, desk, gpu or paper; default: the largest that is stored
#:  seeds=4                     number of runs of each kind; default: as many as are stored, else the chapter's
#:                              own; with one there are no intervals over seeds
#:  device=cuda                 where to compute: cpu, cuda, mps, auto
#:  set="lr=0.05 widths=64,64"  other settings, see make help field=all
#:  fresh=1                     compute what is stored, too
#:  cluster=tcp://host:8786     compute by the workers of a Dask scheduler
#:  engine=reference            train by the plain loop; default: by what is fastest
#:  book=1                      no trial: the book itself is to have these settings
ifeq ($(chapter),)
	@exec $(RUN) build $(OPTIONS)
else
	@exec $(RUN) run $(chapter) $(OPTIONS)
	@exec $(RUN) site
endif

pdf: book           ## print the book as _build/sifting.pdf, by a headless Chromium
	@exec $(RUN) pdf

test: $(READY)      ## run all tests, the built site in headless browsers included
#:  only=store                  those of one room, or of several
	$(foreach room,$(only),$(if $(wildcard tests/$(room)),,$(error unknown room '$(room)'; choose from $(ROOMS))))
	$(PYTHON) -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(only:%=tests/%)

compare: $(READY)   ## draw a page of one trial beside another, where else it stands beside the book
#:  a=imp-0a1b2c b=imp-3d4e5f   as the page Your trials names them
	@exec $(RUN) compare a=$(a) b=$(b)
	@exec $(RUN) site

forget: $(READY)    ## remove a trial, its page and its results
#:  trial=imp-0a1b2c            as the page Your trials names it, or several, with commas; all: all of them
#:  chapter=imp                 those of this chapter alone
	@exec $(RUN) forget trial=$(trial) chapter=$(chapter)
	@exec $(RUN) site

answer: $(READY)    ## keep a trial in small, as the answer to the exercise of a chapter that asks for it
#:  trial=imp-0a1b2c            as the page Your trials names it; all: those that exercises ask for
	@exec $(RUN) answer trial=$(trial)

live: $(READY)      ## open copies of the chapters in JupyterLab, to run and to change
#:  port=8889                   at this port; default: the first free one from 8888 on
#:  fresh=1                     begin anew; copies that you changed are put aside
	@exec $(RUN) live port=$(port) fresh=$(fresh)

list: $(READY)      ## list the chapters and what they ask
#:  chapter=dial                all about one: what can be set in it, and how long it takes
	@exec $(RUN) list chapter=$(chapter)

serve: $(READY)     ## serve the site at http://127.0.0.1:8000
#:  port=8080                   at another port
	@exec $(RUN) serve port=$(port)

verify: $(READY)    ## recompute a stored run and compare
#:  chapter=imp                 the quickest run of this chapter
#:  seeds=all                   all seeds of that run
#:  result=NAME                 that of this name, from the page How it was made
#:  device=cuda                 where to compute
	@exec $(RUN) verify $(chapter) $(result) seeds=$(seeds) device=$(device)

bench: $(READY)     ## measure how fast everything is, in minutes on an idle machine, for the page How fast
#:  peers=1                     loops of other libraries alone, which are fetched into the cache
	@exec $(RUN) bench peers=$(peers)

house: $(READY)     ## print the plan of the package: its rooms, what they are for, who imports whom
	@exec $(RUN) house

lint: $(READY)      ## check style and format
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

help: $(if $(field),$(READY))  ## list these commands
#:  field=lr                    all about this setting instead
#:  field=all                   a line about each setting instead
ifeq ($(field),)
	@awk '/^#:/ {print "      " substr($$0, 3)} \
	/^[a-z]+:.*##/ {name = $$1; sub(":.*", "", name); sub(".*## ", ""); \
	printf "make %-8s %s\n", name, $$0}' Makefile
else
	@exec $(RUN) help field=$(field)
endif

clean:              ## remove the site and the executed chapters; stored results stay
	rm -rf _build book/figures book/*.ipynb book/.*.ipynb book/coverage.md book/claims.md book/verdicts.md \
	  book/provenance.md book/reference.md book/settings.md book/speed.md book/trials.md book/findings.md book/found.md \
	  book/reading.md book/glossary.md book/map.md book/.of-code

# A virtual environment of Python 3.11 or 3.12 with the pinned packages; installed anew when the pins change.
.venv/installed: requirements.txt constraints.txt
	@test -x .venv/bin/python || { \
	for python in python3.12 python3.11 python3 python; do \
	  $$python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null \
	  && exec $$python -m venv .venv; \
	done; \
	echo "Python 3.11 or 3.12 is needed, and not found; install it, or name it: make python=/path/to/python" >&2; exit 1; }
	@echo "installing the packages of requirements.txt into .venv: 2 GB, once, some minutes"
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

packages:
	@$(PYTHON) -c 'import sys, importlib.util as found; missing = [name for name in sys.argv[1:] if not found.find_spec(name)]; \
	missing and sys.exit("missing packages: " + ", ".join(missing) + "; install them: $(PYTHON) -m pip install -r requirements.txt")' \
	anywidget cloudpickle jupyter_book matplotlib mlxtend papermill playwright pytest scipy seaborn skimage sklearn torch
