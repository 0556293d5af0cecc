# mbsim: make help lists the targets.

GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
CASE ?= replay/testdata/small-files-1
KERNEL ?= 5.10
N ?= 20
T ?= 60s
F ?= .

.PHONY: help build run test lint race invariants check fuzz bench pgo pictures man browser slurm loop speed scale age-speed oracle oracle-here oracle-takeover oracle-fuzz

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: ## build bin/mbsim
	$(GO) build -o bin/mbsim ./cmd/mbsim

run: ## run the scenario small-files
	$(GO) run ./cmd/mbsim run scenarios/small-files.yaml

test: ## run the tests
	$(GO) test -pgo=off ./...

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

race: ## run the tests of what has goroutines under the race detector
	$(GO) test -pgo=off -race -short -skip 'TestSessions/(limits|bisect)|TestTablesFitTheTerminal|TestManPages' ./workload ./filesystem/play ./sim ./machine/smp ./run ./study/... ./cmd/mbsim
	$(GO) test -pgo=off -race -short -run Concurrent ./replay

invariants: ## run the tests with slow recounts of the allocator's state
	$(GO) test -tags invariants -short ./allocator/... ./replay

check: lint test race invariants ## all that CI runs

fuzz: ## fuzz each target for T (60s), one after the other; F=REGEXP chooses targets by package.Name
	GO="$(GO)" .ci/fuzz $(T) '$(F)'

bench: ## run the benchmarks (compare with benchstat)
	$(GO) test -run '^$$' -bench . -benchmem ./allocator/... ./filesystem/... ./sim/... ./metrics/...

pgo: ## renew the profile that go build optimizes mbsim by
	@mkdir -p bin
	$(GO) test -run '^$$' -bench 'Churn|Replay' -benchtime 15s -cpuprofile bin/replay.prof -o bin/replay.test ./replay
	$(GO) test -run '^$$' -bench . -benchtime 1s -cpuprofile bin/run.prof -o bin/run.test ./run
	$(GO) tool pprof -proto bin/replay.prof bin/run.prof >cmd/mbsim/default.pgo

pictures: ## make README's pictures (docs/img) anew, with this version's mbsim
	@mkdir -p bin
	$(GO) build -o bin/mbsim ./cmd/mbsim
	bin/mbsim run churn-near-full -q --force -o out/pictures/churn-near-full
	bin/mbsim sweep policies -q -o out/pictures/policies-$$(git rev-parse --short HEAD 2>/dev/null || echo now)
	cp out/pictures/churn-near-full/block-map.png docs/img/block-map.png
	cp out/pictures/policies-$$(git rev-parse --short HEAD 2>/dev/null || echo now)/effects.png docs/img/policies.png

man: ## make the manual pages (man/*.1) from the help texts; install: cp man/*.1 /usr/local/share/man/man1
	@mkdir -p bin man
	$(GO) build -pgo=off -o bin/mbsim ./cmd/mbsim
	bin/mbsim man -o man

browser: ## test the report page in headless Chromium (Debian: chromium chromium-driver)
	BROWSER=1 $(GO) test ./reports -run TestBrowser -count=1 -v

slurm: ## test studies on a real Slurm cluster of one node (Debian: slurm-wlm munge; needs root)
	MBSIM_SLURM=1 $(GO) test -count=1 -v -run TestCluster ./study/slurm

loop: ## mount images here and write one to a loop device (needs root)
	MBSIM_LOOP=1 $(GO) test -pgo=off -count=1 -v -run TestImageOnLoop ./cmd/mbsim

age-speed: ## compare ageing, image included, with the real ext4 here (needs root and loop devices)
	oracle/age-speed.sh

scale: ## measure runs against the size of the device: the table in docs/MODEL.md
	oracle/scale.sh

speed: ## compare a replay of 390,000 operations with the real ext4 here (needs root and loop devices)
	oracle/speed.sh

oracle: ## record CASE on a real kernel (KERNEL=5.10) under QEMU and verify it (see oracle/README.md)
	oracle/record.sh $(CASE) $(KERNEL)
	$(GO) run ./cmd/mbsim verify $(CASE) --kernel $(KERNEL)

oracle-here: ## record CASE on the kernel that runs here, on a loop device (needs root), and verify it
	oracle/record-here.sh $(CASE) out/here/$(notdir $(CASE:/=))
	$(GO) run ./cmd/mbsim verify out/here/$(notdir $(CASE:/=)) --kernel host

oracle-takeover: ## let a real kernel (KERNEL=5.10, or host) take over an image of half of CASE
	oracle/takeover.sh $(CASE) $(KERNEL) out/takeover/$(notdir $(CASE:/=))

oracle-fuzz: ## record and verify N random cases; shrink the first that differs
	$(GO) run ./oracle/fuzz -n $(N) -seed $$(date +%s)
