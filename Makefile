# SPDX-License-Identifier: GPL-2.0-or-later
#
# The front door. Each target makes its own set-up: the virtual environment, pinned in the lock files,
# and what it needs from Debian, listed in .ci/packages.

.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:
# `make gen modules` means first the one, then the other; kbuild itself still builds in parallel.
.NOTPARALLEL:

# The directory of the rendered driver, and what pvgen is asked to render.
OUT ?= out
SPEC ?=
KERNEL ?=
AS_OF ?=
# What to compare the spec with.
BASE ?= HEAD
# kbuild's extra warnings; W= turns them off.
W ?= 1
# The kernel to compile for: the running one's, or else the newest whose headers are installed.
KDIR ?=

ifeq ($(strip $(OUT)),)
$(error OUT= is empty; name the directory of the rendered driver)
endif
# A directory with a blank would reach make and the shell as two.
ifneq ($(words $(OUT)),1)
$(error OUT='$(OUT)' contains a blank, and kbuild cannot build there)
endif

# Characters that end a word for the shell, or mean something to make and kbuild.
odd := ' " : % ; & | ` \$$ \# * ? < > ( ) [ ]
$(foreach name,OUT SPEC KERNEL AS_OF BASE KERNELS ROWS,$(foreach char,$(odd),$(if $(findstring $(char),$($(name))),\
	$(error $(name)='$($(name))' contains $(char), which does not go through make and the shell))))

# An empty ARCH in the environment would keep kbuild from finding out the machine's.
$(foreach name,KDIR ARCH CROSS_COMPILE LLVM PYTHON,$(if $($(name)),$(eval export $(name))))

Q := $(if $(filter 1,$(V)),,@)
pvgen := .venv/bin/pvgen
python := .venv/bin/python
contract = $(if $(SPEC),--spec '$(SPEC)') $(if $(AS_OF),--as-of '$(AS_OF)')
# A kernel tree is known by its headers; a series that is named comes first.
api = $(if $(KERNEL),--kernel '$(KERNEL)',$(if $(KDIR),--kdir "$$KDIR"))
target_options = $(contract) $(api)
kbuild = $(MAKE) --no-print-directory -C "$$kdir" M='$(abspath $(OUT))'
pytest = $(python) -m pytest -q

.PHONY: help
help: ## show this list
	@printf 'Targets:\n'
	@sed -n 's/^\([a-z_-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done
	@printf '\nVariables:\n'
	@printf '  %-16s %s\n' \
		OUT=DIR 'the directory of the rendered driver (out)' \
		KDIR=DIR "the kernel build tree (the running kernel's, or the newest installed);" \
		'' 'gen and check, without KERNEL=: the interfaces that its headers have' \
		KERNEL=SERIES 'gen, check: render for the API of this series, such as 6.1' \
		AS_OF=RELEASE 'only what the driver had in this release: 6.1 (its newest), or 6.1.4' \
		SPEC=FILE 'gen, check: another device' \
		'KERNELS= ROWS=' "matrix: these series only; so many rows at a time" \
		BASE=REV 'diff: the git revision to compare with (HEAD)' \
		'LLVM=1 CC= ARCH=' "modules: as in the kernel's own build; so are CROSS_COMPILE= W= V="

.PHONY: gen
gen: ## render the driver from its spec into out/
	$(Q).ci/setup gen
	$(Q)$(pvgen) gen $(target_options) --out '$(OUT)'

.PHONY: check
check: ## check the driver's C against the spec, before any compiler sees it
	$(Q).ci/setup gen
	$(Q)$(pvgen) check $(target_options) '$(OUT)'

.PHONY: modules
modules: ## check the driver, then compile its modules in out/
	$(Q).ci/setup modules
	+$(Q)kdir=$$(.ci/kdir "$$KDIR") && $(pvgen) check $(contract) --kdir "$$kdir" '$(OUT)' && \
		$(kbuild) W=$(W) modules

.PHONY: modules_install
modules_install: ## install the compiled modules, below INSTALL_MOD_PATH= if given
	$(Q).ci/setup install
	+$(Q)kdir=$$(.ci/kdir "$$KDIR") && .ci/install "$$kdir" '$(abspath $(OUT))'

.PHONY: clean
clean: ## remove what compiling left in out/
	$(Q)! test -d '$(abspath $(OUT))' || find '$(abspath $(OUT))/' -mindepth 1 -type d -name '.*' -prune -o \( $(foreach pattern,$(built),-name '$(pattern)' -o) -false \) -type f -exec rm -f {} +

.PHONY: boot
boot: modules ## boot a kernel with the compiled modules in QEMU and watch what the host sees
	$(Q).ci/setup boot
	$(Q)$(pvgen) boot $(if $(SPEC),--spec '$(SPEC)') --modules '$(OUT)'

.PHONY: backport
backport: ## make mails for TREE=DIR of KERNEL=SERIES in MAILS=DIR, by AUTHOR='NAME <MAIL>'; REPLACE=1 STABLE=1 VERIFY=1
	$(Q).ci/setup gen
	$(Q)$(pvgen) backport $(contract) $(if $(KERNEL),--kernel '$(KERNEL)') --tree '$(TREE)' --author '$(AUTHOR)' \
		$(if $(REPLACE),--replace) $(if $(STABLE),--stable) $(if $(VERIFY),--verify) --out '$(MAILS)'

.PHONY: backports
backports: ## edit mainline's drivers in every way that is known, build and boot each; CASES="6.1" chooses
	$(Q).ci/setup test
	$(Q)$(python) -m tests.boot.backports $(CASES)

.PHONY: matrix
matrix: ## every real kernel and contract: render, check, build, boot; KERNELS="6.1 7.3" chooses
	$(Q).ci/setup matrix
	$(Q)$(pvgen) matrix $(if $(SPEC),--spec '$(SPEC)') $(foreach series,$(KERNELS),--kernel '$(series)') \
		--jobs '$(or $(ROWS),1)' --json .cache/matrix.json

.PHONY: differential
differential: ## boot mainline's driver and ours; show what differs; KERNELS= and SCENARIOS= choose
	$(Q).ci/setup matrix
	$(Q)$(pvgen) differential $(if $(SPEC),--spec '$(SPEC)') $(foreach series,$(KERNELS),--kernel '$(series)') \
		--json .cache/differential.json $(SCENARIOS)

.PHONY: torture
torture: ## both drivers under fire in kernels built with every detector; TORTURE="--table" shows what was played
	$(Q).ci/setup torture
	$(Q)$(python) -m tests.torture $(TORTURE)

.PHONY: test
test: ## everything: lint, unit tests, real kernels, boots; stops at the first stage that fails
	$(Q).ci/setup test
	$(Q)$(MAKE) --no-print-directory lint
	$(Q)$(pytest) -n 2 -m 'not kbuild and not boot'
	$(Q)$(pytest) -m 'kbuild and not boot'
	$(Q)$(pytest) -n 2 -m boot

# What bounds time, or counts the system calls of a run, is not measured.
.PHONY: coverage
coverage: ## statements and branches of gen/ and checks/ that all tests run
	$(Q).ci/setup test
	$(Q)rm -rf .cache/coverage && mkdir -p .cache/coverage
	$(Q)export COVERAGE_FILE='$(CURDIR)/.cache/coverage/data'; status=0; \
		stage() { $(python) -m coverage run -m pytest -q "$$@" || status=$$?; }; \
		stage -n 2 -m 'not kbuild and not boot' -k 'not quick and not twice_as_long and not test_bounds and not disturbed'; \
		stage -m 'kbuild and not boot'; stage -n 2 -m boot; \
		$(python) -m coverage combine -q && $(python) -m coverage report --fail-under=95 && exit $$status

.PHONY: diff
diff: ## say what the spec changed since BASE=, for whom; what changes in the C for each kernel is folded below
	$(Q).ci/setup gen
	$(Q)$(pvgen) diff-kernels $(if $(SPEC),--spec '$(SPEC)') '$(BASE)'

.PHONY: fuzz
fuzz: ## fuzz all that reads what a stranger wrote for SECONDS=, 300 if none are given; TARGETS chooses
	$(Q).ci/setup test
	$(Q)$(python) -m tests.fuzz --seconds '$(or $(SECONDS),300)' $(TARGETS)

.PHONY: faults
faults: ## end what writes files at every STEP=th of its system calls, 1 if none is given; JOBS="gen fetch" chooses
	$(Q).ci/setup test
	$(Q)$(python) -m tests.hostile.faults $(or $(STEP),1) $(JOBS)

.PHONY: mutants
mutants: ## make one mistake after the other in two drivers and count those that the checker names
	$(Q).ci/setup test
	$(Q)$(python) -m tests.mutants $(MUTANTS)

.PHONY: bench
bench: ## compare the checker's time, memory and eye with other tools'; see how it grows
	$(Q).ci/setup test
	$(Q)$(python) -m tests.mutants.bench $(BENCH)

.PHONY: fresh
fresh: ## follow the README on a new Debian 12, in a root file system of its own; needs root
	$(Q).ci/fresh

.PHONY: dkms
dkms: ## render a source tree for DKMS below dist/dkms/, which serves every kernel series
	$(Q).ci/setup gen
	$(Q)$(pvgen) dkms $(contract)

.PHONY: deb
deb: ## build dist/NAME-dkms_VERSION_all.deb, a Debian package of that tree
	$(Q).ci/setup deb
	$(Q)$(pvgen) deb $(contract)

.PHONY: docs
docs: ## make the parts of docs/ that come from data
	$(Q).ci/setup gen
	$(Q)$(python) -m gen.docs
	$(Q)$(python) -m checks.catalogue
	$(Q)$(python) -m gen.diff.catalogue

.PHONY: history
history: ## make docs/history.md from mainline's sources, fetched from Debian
	$(Q).ci/setup test
	$(Q)$(python) -m tests.kbuild.history

.PHONY: verify-facts
verify-facts: ## compare the facts about kernels with the headers of every series, fetched from Debian
	$(Q).ci/setup gen
	$(Q)$(python) -m tests.kernel.verify --fetch

.PHONY: lint
lint: ## the linters, the type checker, and whether out/ is what the spec renders
	$(Q).ci/setup lint
	$(Q)$(pvgen) gen --check
	$(Q).venv/bin/ruff check --quiet
	$(Q).venv/bin/ruff format --check --quiet
	$(Q)$(python) -m mypy --no-error-summary
	$(Q)shellcheck $(scripts)

.PHONY: wheel
wheel: ## build dist/*.whl, which holds the templates and the spec, too
	$(Q).ci/setup gen
	$(Q)$(python) -m pip --disable-pip-version-check -q wheel --no-deps --no-build-isolation -w dist .

.PHONY: lock
lock: ## refresh the lock files after a change of pyproject.toml; UPGRADE=1 takes newer versions
	$(Q).ci/lock $(if $(UPGRADE),--upgrade)

.PHONY: distclean
distclean: clean ## also remove the virtual environment, caches and built packages
	$(Q)rm -rf .venv .cache dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

scripts := .ci/need .ci/setup .ci/kdir .ci/install .ci/lock .ci/run .ci/fresh

# What kbuild makes in a module directory; .gitignore has the same list.
built := *.o *.ko *.mod *.mod.c *.a *.order *.symvers .*.cmd .*.d *.dwo *.i *.s *.lst *.su *.gcno
