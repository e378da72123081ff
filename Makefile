# SPDX-License-Identifier: GPL-2.0
#
# make help tells what there is.

VERSION := 0.1.0

# The kernel to build for: the installed linux-headers package's, whatever
# kernel this machine runs.
KREL	?= $(shell scripts/kernel-release)
KDIR	?= /usr/src/linux-headers-$(KREL)

PREFIX	?= /usr/local
DESTDIR	?=
BUILD	?= $(CURDIR)/build

# Where install puts things.
MODDIR	= $(DESTDIR)/lib/modules/$(KREL)/updates/kmdom
INCDIR	= $(DESTDIR)$(PREFIX)/include/linux
# For building other modules against kmdom: headers, and Module.symvers for
# KBUILD_EXTRA_SYMBOLS, one for each kernel.
SRCDIR	= $(DESTDIR)$(PREFIX)/src/kmdom-$(VERSION)

MODULES	= module/core/kmdom.ko module/fs/kmdomfs.ko

export BUILD PREFIX DESTDIR VERSION
# Not exported: before setup has run it would be exported empty.
unexport KREL KDIR

# Two makes in one tree must not run kbuild at the same time.
KBUILD	= mkdir -p $(BUILD) && flock $(BUILD)/.kbuild.lock $(MAKE) -C $(KDIR) M=$(CURDIR)

.PHONY: all
all: modules userspace

.PHONY: modules
modules:
	+@$(KBUILD) modules

.PHONY: userspace
userspace:
	+@$(if $(wildcard daemon/Makefile),$(MAKE) -C daemon all)

# Everything that the tests need, in build/selftests/ (see scripts/check).
.PHONY: selftests
selftests: userspace
	+@$(KBUILD) KMDOM_SELFTESTS=y KMDOM_BENCH=y modules
	+@$(if $(wildcard selftests/Makefile),$(MAKE) -C selftests KREL=$(KREL) KDIR=$(KDIR) all)
	+@$(MAKE) --no-print-directory -C bench

.PHONY: setup
setup:
	@scripts/setup

# The VM has two processors, but where they are emulated they take turns: so there is one
# for what runs beside it.
.PHONY: check
check: setup
	+@$(MAKE) --no-print-directory selftests
	@scripts/parts --jobs 2 'vm=scripts/check --where vm $(T)' \
		'host=scripts/check --where host $(T)'

# The tests again, in kernels that check themselves (scripts/check-debug). SHORT=1: without
# those that take long there.
.PHONY: check-debug check-leak check-race check-smp coverage
check-debug: setup
	+@$(MAKE) --no-print-directory selftests
	@scripts/parts --jobs 2 'debug-1=scripts/check-debug debug $(if $(SHORT),--short) --share 1/2 $(T)' \
		'debug-2=scripts/check-debug debug $(if $(SHORT),--short) --share 2/2 $(T)' \
		'leak-1=scripts/check-debug leak $(if $(SHORT),--short) --share 1/2 $(T)' \
		'leak-2=scripts/check-debug leak $(if $(SHORT),--short) --share 2/2 $(T)'
check-leak: setup
	+@$(MAKE) --no-print-directory selftests
	@scripts/parts --jobs 2 'leak-1=scripts/check-debug leak --share 1/2 $(or $(T),all)' \
		'leak-2=scripts/check-debug leak --share 2/2 $(or $(T),all)'
check-race check-smp: setup
	+@$(MAKE) --no-print-directory selftests
	@scripts/check-debug $(@:check-%=%) $(or $(T),$(if $(filter check-race,$@),all))

# Nine tenths of the modules' lines must be executed, and each goto.
COVERED = $(BUILD)/selftests/results-coverage
coverage: setup
	+@$(MAKE) --no-print-directory selftests
	@status=0; scripts/parts --jobs 2 \
		'coverage-1=scripts/check-debug coverage --share 1/2 $(T)' \
		'coverage-2=scripts/check-debug coverage --share 2/2 $(T)' || status=1; \
	scripts/coverage --lines $(COVERED)-missing $(BUILD)/kernel/modules-debug-gcov \
		$(COVERED)-1-of-2 $(COVERED)-2-of-2 && exit $$status

# The pure files against hostile input, and the model of a page.
.PHONY: fuzz model
fuzz: setup
	+@$(MAKE) --no-print-directory -C selftests fuzz
	@scripts/fuzz $(T)
model: setup
	@scripts/model $(T)

.PHONY: stress
stress: setup
	+@$(MAKE) --no-print-directory selftests
	@scripts/stress

# Rows of the table, beside what a user would pick instead (scripts/bench).
.PHONY: bench bench-check bench-wall
bench bench-check bench-wall: setup
	+@$(MAKE) --no-print-directory userspace
	+@$(KBUILD) KMDOM_BENCH=y modules
	+@$(MAKE) --no-print-directory -C bench
	@scripts/bench $(patsubst bench-%,--%,$(filter-out bench,$@)) $(T)

.PHONY: demo
demo: setup
	+@$(MAKE) --no-print-directory all
	@scripts/demo

.PHONY: vm
vm: setup
	@scripts/vm --interactive

.PHONY: style
style: setup
	@scripts/style

.PHONY: install
install: all
	install -d $(MODDIR) $(INCDIR) $(SRCDIR)/include/linux $(SRCDIR)/include/uapi/linux $(SRCDIR)/$(KREL)
	install -m 644 $(MODULES) $(MODDIR)
	$(if $(DESTDIR),,depmod $(KREL))
	install -m 644 uapi/linux/kmdom.h $(INCDIR)
	install -m 644 module/include/linux/kmdom_client.h $(SRCDIR)/include/linux
	install -m 644 uapi/linux/kmdom.h $(SRCDIR)/include/uapi/linux
	awk -F '\t' -v OFS='\t' '$$3 ~ /module.core.kmdom$$/ { $$3 = "kmdom"; print; n++ } \
		END { exit !n }' Module.symvers >$(SRCDIR)/$(KREL)/Module.symvers
	+$(if $(wildcard daemon/Makefile),$(MAKE) -C daemon install)

.PHONY: uninstall
uninstall:
	rm -f $(addprefix $(MODDIR)/,$(notdir $(MODULES)))
	-rmdir --ignore-fail-on-non-empty $(MODDIR)
	$(if $(DESTDIR),,depmod $(KREL))
	rm -f $(INCDIR)/kmdom.h
	rm -rf $(SRCDIR)
	+$(if $(wildcard daemon/Makefile),$(MAKE) -C daemon uninstall)

.PHONY: clean
clean:
	+@$(KBUILD) KMDOM_SELFTESTS=y KMDOM_BENCH=y clean
	rm -rf $(BUILD)

.PHONY: help
help:
	@echo 'Try it:'
	@echo '  demo       two tenants in a virtual machine, from packages to a table'
	@echo '  check      build everything and run every test (T=NAME: only that one)'
	@echo '  check-debug  the tests in a kernel that checks itself (KASAN, lockdep, ...)'
	@echo '  check-leak   all of them under kmemleak: more than an hour'
	@echo '  check-race   all of them under KCSAN'
	@echo '  coverage     all of them again, and how much of the modules they execute'
	@echo '  fuzz       hostile records and types for the decoder (FUZZ_SECONDS=60 each)'
	@echo '  model      every state that a page and its pager can be in, with Spin'
	@echo '  stress     kill pagers of many tenants (MINUTES=10, or KILLS=N; TENANTS=32, SEED=N)'
	@echo '  bench      kmdom beside its peers, in instructions (T=ROW: only that one; BOOTS=5)'
	@echo '  bench-check  the same, and fail if a row is worse than it was'
	@echo '  bench-wall   the same in time, for a machine with KVM that is at rest'
	@echo '  vm         a shell in the virtual machine (this tree is visible in it)'
	@echo 'Build it:'
	@echo '  all        modules and user space (the default)'
	@echo '  modules    kmdom.ko and kmdomfs.ko'
	@echo '  userspace  libkmdom, kmdomd, kmdomctl'
	@echo '  selftests  the test programs, in build/selftests/'
	@echo '  setup      install the Debian packages that all this needs'
	@echo '  style      checkpatch, sparse, layers, coccinelle, cppcheck and more (must be silent)'
	@echo '  clean      remove what was built'
	@echo 'Use it:'
	@echo '  install    modules, headers, user space (PREFIX, DESTDIR)'
	@echo '  uninstall  remove them again'
	@echo
	@echo 'Variables:'
	@echo '  KREL=$(KREL)  (the kernel to build for)'
	@echo '  KDIR=$(KDIR)'
	@echo '  PREFIX=$(PREFIX)  DESTDIR=$(DESTDIR)'
