#!/bin/bash
# run-all.sh: every suite of `make test`, one after the other, and what each took.
set -uo pipefail
cd "$(dirname "$0")/.."

export SHOPMETRICS_PYTHON=${SHOPMETRICS_PYTHON:-$PWD/.venv/bin/python}
export SHOPMETRICS_BIN=${SHOPMETRICS_BIN:-$PWD/.build/release}
[ -n "${SHOPMETRICS_TESTBED:-}" ] ||
  echo "SHOPMETRICS_TESTBED is not set: the tests with a real Kafka and a real systemd are skipped"

CANNOT=77 # a suite's word for a machine that lacks something; it has said what
failed=0
budget=()

# suite NAME BUDGET_MINUTES COMMAND...
suite() {
  local name=$1 minutes=$2 began=$SECONDS status=0
  shift 2
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  local verdict=passed
  case $status in
    0) ;;
    "$CANNOT") verdict=skipped ;;
    *) verdict="FAILED ($status)" failed=1 ;;
  esac
  budget+=("$(printf '%-34s %5d s of %4d s  %s' "$name" $((SECONDS - began)) $((minutes * 60)) \
    "$verdict")")
}

suite "unit tests (swift test)" 8 swift test --parallel --num-workers 2
suite "acceptance tests (pytest)" 22 "$SHOPMETRICS_PYTHON" -m pytest -q -rs Tests/Acceptance
sweep() {
  "$SHOPMETRICS_PYTHON" Tests/CrashSweep/sweep.py --scenario "$1" --sample "$2" \
    --seed "${SHOPMETRICS_SEED:-1}"
}
suite "crash sweep, 100 points of Bronze" 3 sweep bronze 100
suite "crash sweep, 60 points of Silver" 3 sweep silver 60
suite "crash sweep, 60 of a rebuild" 2 sweep rebuild 60
suite "crash sweep, 30 of a retry of letters" 2 sweep retry 30
suite "crash sweep, 40 of checkpoint commands" 2 sweep operations 40
errors() {
  "$SHOPMETRICS_PYTHON" Tests/CrashSweep/errors.py --reads --scenario "$1" --sample "$2" \
    --seed "${SHOPMETRICS_SEED:-1}"
}
suite "failing system calls, 40 of Bronze" 2 errors bronze 40
suite "failing system calls, 20 of Silver" 1 errors silver 20
suite "power cuts, 20" 2 "$SHOPMETRICS_PYTHON" Tests/PowerCut/power_cut.py --cuts 20 \
  --seed "${SHOPMETRICS_SEED:-1}"

printf '\n== time per suite\n'
printf '%s\n' "${budget[@]}"
exit $failed
