#!/bin/bash
# demo.sh BINARIES [PYTHON]: the whole pipeline in half a minute, with nothing but this checkout.
#
# Starts librdkafka's mock cluster as a broker, produces click events, ingests them with the real
# daemon over TCP in several availableNow runs while events keep coming, and shows what is there:
# with a PYTHON that has DuckDB, the answers to an analyst's questions.
set -euo pipefail

bin=$1
python=${2:-}
dir=$PWD/demo
broker_pid='' producer_pid=''

finish() {
  [ -z "$producer_pid" ] || kill "$producer_pid" 2>/dev/null || true
  [ -z "$broker_pid" ] || kill "$broker_pid" 2>/dev/null || true
  wait 2>/dev/null || true
}
trap finish EXIT

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || title() { printf '\n== %s\n' "$*"; }

rm -rf "$dir"
mkdir -p "$dir"

title "A broker: librdkafka's mock cluster, topic clickstream-events, 3 partitions"
mkfifo "$dir/hold"
"$bin/embedded-broker" --topic clickstream-events --partitions 3 --port-file "$dir/address" \
  <"$dir/hold" >/dev/null &
broker_pid=$!
exec 9>"$dir/hold"
for _ in {1..100}; do [ -s "$dir/address" ] && break; sleep 0.1; done
broker=$(cat "$dir/address")
echo "listening on $broker"

cat >"$dir/shopmetrics.toml" <<TOML
[kafka]
brokers = ["$broker"]

[storage]
state_directory = "$dir/state"

[limits]
max_offsets_per_batch = 5000
TOML

run() { "$bin/shopmetricsd" run --once --config "$dir/shopmetrics.toml"; }
produce() { "$bin/shopmetricsctl" produce --brokers "$broker" "$@"; }
sessions=$dir/state/silver/clickstream_sessions
newest_version() {
  local name
  name=$(find "$sessions/_delta_log" -name '[0-9]*.json' -printf '%f\n' | sort | tail -n 1)
  echo $((10#${name%.json}))
}

title "Events: the last six hours of the shop, 12,000 of them at once"
produce --since 6h --events 12000 --rate max --seed 1 --malformed 0.01 --late 0.03 --duplicates 0.02
title "Run 1: shopmetricsd run --once (sessions that ended 40 minutes ago are final)"
run
before=$(newest_version)

title "Late: 600 events of the same six hours, from phones that were offline"
produce --since 6h --events 600 --rate max --seed 3 --malformed 0 --late 0 --duplicates 0
title "Run 2: they change sessions that were final"
run
after=$(newest_version)

title "Live: 2,000 events a second while the runs go on"
"$bin/shopmetricsctl" produce --brokers "$broker" --rate 2000 --seed 2 >"$dir/producer.log" 2>&1 &
producer_pid=$!
for run in 3 4; do
  sleep 1
  title "Run $run"
  run
done
kill -INT "$producer_pid" && wait "$producer_pid" || true
producer_pid=''
title "The rest, then a run with nothing to read"
run
run

title "What is there: shopmetricsctl status"
"$bin/shopmetricsctl" status --config "$dir/shopmetrics.toml"

title "Is it sound? shopmetricsctl verify"
"$bin/shopmetricsctl" verify --config "$dir/shopmetrics.toml"

title "On disk"
(cd "$dir/state" && find . -type f -not -name '.*.crc' | sort | awk -F/ '
  { key = $0; sub(/[^\/]*$/, "", key); count[key]++; last[key] = $NF }
  END { for (k in count) printf "%-52s %3d files, such as %s\n", k, count[k], last[k] }' | sort)

if "$python" -c 'import duckdb, duckdb_extension_delta' 2>/dev/null; then
  title "Query it, with DuckDB"
  "$python" "$(dirname "$0")/query.py" "$dir/state" "$before" "$after"
fi

title "Query it yourself"
cat <<TEXT
DuckDB   duckdb -c "INSTALL delta; LOAD delta;
         SELECT converted, count(*) FROM delta_scan('file://$sessions') GROUP BY 1"
Polars   pl.read_delta("$sessions").group_by("converted").len()
Spark    spark.read.format("delta").load("$sessions").groupBy("converted").count().show()
Letters  pl.read_delta("$dir/state/bronze/clickstream_dead_letter").group_by("failure_reason").len()
TEXT
