#!/bin/bash
# bench.sh: `make bench`. BENCH_OPTIONS goes to bench.py (--large adds the 30-million run),
# BENCH_SILVER_OPTIONS to bench_silver.py (--only backlog, --minutes 2, ...).
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2086 # options are words
.venv/bin/python Tests/Benchmarks/bench.py ${BENCH_OPTIONS:-}
# shellcheck disable=SC2086
exec .venv/bin/python Tests/Benchmarks/bench_silver.py ${BENCH_SILVER_OPTIONS:-}
