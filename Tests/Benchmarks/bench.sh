#!/bin/bash
# bench.sh [OPTIONS of bench.py]: `make bench`. BENCH_OPTIONS=--large adds the 30-million run.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2086 # options are words
exec .venv/bin/python Tests/Benchmarks/bench.py ${BENCH_OPTIONS:-} "$@"
