# The front door. The build itself is Meson's (meson.build); this file only makes each thing one word.
#
#   make              build/umd, which runs from the tree
#   make demo         a mirror's life as a story, under two minutes
#   make test         everything, in three builds; ends with "N passed, N failed"
#   make test-long    the same with longer campaigns (COUNT= kills, 1000 by default)
#   make test-cluster several machines in guests, with real corosync and DLM; as root
#   make docs         docs/format.md and docs/attributes.md, from the tables of their rooms
#   make bench        ratios against peers
#   make stress       COUNT= kills of servers under load, from SEED=; WITH_KERNEL=1: umd and Linux in turns;
#                     CHANGES=1: the bitmap comes, goes and changes meanwhile
#   make install      PREFIX=/usr/local, DESTDIR= for packagers
#   make fuzz         SECONDS=600 of CPU for each parser's fuzz target, or TARGET=sb1; keeps the minimised corpora
#   make sim          SECONDS=60 of histories in the simulator from SEED= on, in JOBS=2 processes; a line per law and fault
#   make csim         the same of clusters: SECONDS=60 of histories of 2 to 5 nodes, from SEED= on
#   make sim-deep     every workload of DEPTH=3 letters, every crash, every image; half an hour of two processors
#   make mutants      plants each bug of tests/mutants/bugs.txt; each must be caught (BUGS="name..." or LAW=I3 alone)
#
# demo, test and bench install missing Debian packages first, as root or through sudo; otherwise they name them.

BUILD = build
PREFIX ?= /usr/local
DESTDIR ?=
LAW ?=
BUGS ?=
SECONDS ?= 600
SEED ?= $(shell date +%s)
JOBS ?= 2
DEPTH ?= 3
SIM = $(BUILD)/tests/sim/umd-sim
TARGET ?=

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	tools/setup.sh build
	meson setup $(BUILD) --prefix $(PREFIX)

demo:
	@tools/setup.sh build demo
	@$(MAKE) --no-print-directory all
	tools/demo.sh $(BUILD)

test:
	@tools/setup.sh build test
	python3 tests/run.py

test-cluster:
	@tools/setup.sh build test cluster
	python3 tests/run.py --only machines

test-long:
	@tools/setup.sh build test
	python3 tests/run.py --long

bench:
	@tools/setup.sh build bench
	@$(MAKE) --no-print-directory all
	bench/run.sh $(BUILD)

docs: $(BUILD)/build.ninja
	ninja -C $(BUILD) src/format/format-md src/attrs/attributes-md
	$(BUILD)/src/format/format-md tools/format.md.in > $(BUILD)/format.md
	$(BUILD)/src/attrs/attributes-md tools/attributes.md.in > $(BUILD)/attributes.md
	mv $(BUILD)/format.md $(BUILD)/attributes.md docs/

fuzz:
	@tools/setup.sh build fuzz
	python3 tests/fuzz/campaign.py --seconds $(SECONDS) $(TARGET)

sim: $(BUILD)/build.ninja
	ninja -C $(BUILD) $(SIM:$(BUILD)/%=%)
	$(SIM) --seconds $(if $(filter file,$(origin SECONDS)),60,$(SECONDS)) --from $(SEED) --jobs $(JOBS)

csim: $(BUILD)/build.ninja
	ninja -C $(BUILD) tests/csim/umd-csim
	$(BUILD)/tests/csim/umd-csim --seconds $(if $(filter file,$(origin SECONDS)),60,$(SECONDS)) --from $(SEED)

sim-deep: $(BUILD)/build.ninja
	ninja -C $(BUILD) $(SIM:$(BUILD)/%=%)
	$(SIM) --exhaust $(DEPTH) --orders 2 --jobs $(JOBS)
	$(SIM) --exhaust 2 --orders 2 --paces all --jobs $(JOBS)
	$(SIM) --exhaust 2 --orders 2 --leads all --jobs $(JOBS)

mutants: $(BUILD)/build.ninja
	@tools/setup.sh build test
	ninja -C $(BUILD) umd tests/record/umd-replay
	python3 tests/mutants/mutants.py $(addprefix --law ,$(LAW)) $(BUGS)

STRESS = $(if $(filter-out 0,$(CHANGES)),killed_changes,$(if $(filter-out 0,$(WITH_KERNEL)),killed_worlds,killed_servers))
stress: $(BUILD)/build.ninja
	@tools/setup.sh build test
	ninja -C $(BUILD) umd nbdkit-umd-plugin.so
	UMD=$(BUILD)/umd /usr/bin/python3 tests/kill/$(STRESS)_lose_nothing.py

install: $(BUILD)/build.ninja
	meson configure $(BUILD) -Dprefix=$(PREFIX)
	ninja -C $(BUILD)
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-asan build-tsan build-mutants build-fuzz

.PHONY: all demo test test-cluster test-long bench fuzz docs mutants stress install clean sim csim sim-deep
