# A thin front of `python3 scripts/dev`, which builds everything it needs under .dev/ on the first call.
# `make test ARGS="-k hold"` runs a subset, `make demo PORT=8080` takes another port.

PYTHON ?= python3
DEV = $(PYTHON) scripts/dev

.PHONY: help setup demo test story lint bench shell clean distclean
.DEFAULT_GOAL := help
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

setup: ## download and install what is missing
	@$(DEV) setup

demo: ## Odoo with demo data and the insurer simulator, until Ctrl-C
	@PORT="$(PORT)" $(DEV) demo

test: ## every test; ARGS= selects some
	@$(DEV) test $(ARGS)

story: ## the product's story, told step by step
	@$(DEV) story

lint: ## every check of the code
	@$(DEV) lint

bench: ## every benchmark
	@$(DEV) bench

shell: ## Odoo shell on the database DB=name
	@$(if $(DB),$(DEV) shell "$(DB)",echo "error: name the database: make shell DB=name" >&2; exit 1)

clean: ## remove .dev
	@$(DEV) clean

distclean: ## remove .dev and the cache that checkouts share
	@$(DEV) distclean
