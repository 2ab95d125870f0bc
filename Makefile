# Common tasks; `make` alone lists them.
.PHONY: help env lab reset watch export course bundle site class test lint types verify pytest long lock test-env

LOCK = .venv/bin/uv pip compile --quiet --universal --fork-strategy fewest --generate-hashes --no-emit-index-url \
	--python-version 3.11 --custom-compile-command "make lock" $(ARGS)

PYTEST = PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/pytest -n logical --dist loadfile --durations 10

help:
	@echo "make lab                   open JupyterLab at the welcome page, in your own copy of the course: work/"
	@echo "make reset LESSON=neuron   get a new copy of a lesson; yours is kept"
	@echo "make watch                 check your notebook each time you save it; LESSON=neuron watches only that one"
	@echo "make export LESSON=neuron  make one HTML file of a lesson of yours, with its pictures: work/neuron.html"
	@echo "make env                   set up .venv and nothing else; PYTHON=python3.12 names another Python"
	@echo "make course                make course/ from solutions/"
	@echo "make bundle                make the archive that learners get, without any answer: dist/"
	@echo "make site                  make a web site of the course that needs no server: dist/site; KERNEL=xeus takes another kernel"
	@echo "make class                 try the instructor's side: make up a class, grade it, write its feedback and insights; LESSON=neuron STUDENTS=42"
	@echo "make test                  run every check: lint, types, verify, pytest (each is a target too)"
	@echo "make long                  the tests that take minutes, like a class of 300 under kill -9"
	@echo "make lock                  solve the locks again after pyproject.toml changed; ARGS=--upgrade takes the newest"

env:
	@sh environment.sh

lab: env
	@.venv/bin/grader lab -- $(ARGS)

reset: env
	@.venv/bin/grader reset $(LESSON)

watch: env
	@.venv/bin/grader watch $(LESSON) $(ARGS)

export: env
	@.venv/bin/grader export $(LESSON) $(ARGS)

course: env
	@.venv/bin/grader course

bundle: env
	@.venv/bin/grader bundle $(ARGS)

site: env .venv/site/ready
	@.venv/bin/grader site --kernel $(or $(KERNEL),pyodide) $(ARGS)

# JupyterLite has an environment of its own. The wheel with the kernel for KERNEL=xeus is unpacked, never installed.
.venv/site/ready: docs/site/requirements.lock docs/site/kernel.txt
	@rm -rf .venv/site && .venv/bin/python -m venv .venv/site
	@.venv/site/bin/python -m pip install -qq --require-hashes -r docs/site/requirements.lock
	@.venv/site/bin/python -m pip download -qq --no-deps --require-hashes -r docs/site/kernel.txt -d .venv/site
	@touch $@

# A made-up class has unreadable notebooks, so autograde exits with 3; all others are graded.
class: env
	@.venv/bin/grader sample-class $(or $(LESSON),neuron) --students $(or $(STUDENTS),42)
	@.venv/bin/grader autograde $(or $(LESSON),neuron) || test $$? = 3
	@.venv/bin/grader feedback $(or $(LESSON),neuron)
	@.venv/bin/grader insights $(or $(LESSON),neuron)
	@echo "Feedback is in class/feedback; .venv/bin/jupyter lab, menu Nbgrader, Formgrader, shows the class."
	@echo "Delete class/ before you collect real submissions."

test: lint types verify pytest
	@echo "All checks passed. make long runs the tests that take minutes."

test-env:
	@sh environment.sh requirements-test.lock

lint: test-env
	.venv/bin/ruff check
	.venv/bin/ruff format --check

types: test-env
	.venv/bin/mypy

verify: test-env
	.venv/bin/grader verify

pytest: test-env
	$(PYTEST) $(ARGS)

long: test-env
	$(PYTEST) -m long $(ARGS)

lock: env
	$(LOCK) --group uv --output-file requirements-uv.lock
	$(LOCK) --group build --extra instructor pyproject.toml --output-file requirements.lock
	$(LOCK) --group build --constraint requirements.lock pyproject.toml --output-file bundle/requirements.lock
	$(LOCK) --group build --extra instructor --group test --constraint requirements.lock pyproject.toml --output-file requirements-test.lock
	$(LOCK) --group site --output-file docs/site/requirements.lock
	$(LOCK) --group build --extra instructor --group class-server --constraint requirements.lock pyproject.toml --output-file docs/class-server/requirements.lock
