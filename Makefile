# Needs git, make and Python >= 3.10 with venv and pip; nothing else.
#
#   make demo                 set up, render a clip and measure it
#   make demo VIDEO=me.mp4    set up and measure that file instead
#   make test                 set up and run the whole gate
#   make nightly              the gate with the slow tests
#   make docs                 build the pages into site/
#   make serve                show the pages while they are edited
#   make clean                remove what the targets above made
#
# PYTHON=python3.12 make ... takes another interpreter.

PYTHON ?= python3
VIDEO ?=
VENV := .venv
CLIP := demo/clip.mp4
INSTALL := $(VENV)/bin/python -m pip install -qq -c constraints.txt

.PHONY: demo test nightly docs serve clean
.DELETE_ON_ERROR:

# `make demo` measures its own clip unless VIDEO names another file; a VIDEO that is missing is
# left to bigsmall, whose message is better than make's.
demo: export BIGSMALL_VIDEO = $(or $(VIDEO),$(CLIP))
demo: $(VENV)/.demo $(if $(VIDEO),,$(CLIP))
	@mkdir -p demo
	@name=$$(basename "$$BIGSMALL_VIDEO") && \
	  $(VENV)/bin/bigsmall measure "$$BIGSMALL_VIDEO" --plot "demo/$${name%.*}.png"

$(CLIP): | $(VENV)/.demo
	@mkdir -p demo
	$(VENV)/bin/bigsmall synth $@ --seconds 20 --seed 1

test:
	@PYTHON="$(PYTHON)" bash .ci/run

nightly:
	@PYTHON="$(PYTHON)" bash .ci/run --nightly

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

serve: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs serve

clean:
	rm -rf $(VENV) .venv-ci demo site dist build

# Stamps: an environment is made once, and again only when what it is made from has changed.
$(VENV)/bin/python:
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'Installing bigsmall into $(VENV); torch is large, so the first time takes minutes.'
	@$(INSTALL) -e '.[video,plot]'
	@touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'Installing what the pages need into $(VENV).'
	@$(INSTALL) -e '.[docs]'
	@touch $@
