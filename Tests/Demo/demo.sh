#!/bin/bash
# demo.sh BINARIES: the whole pipeline in half a minute, with nothing but this checkout.
#
# Starts librdkafka's mock cluster as a broker, produces click events, ingests them with the real
# daemon over TCP in several availableNow runs while events keep coming, and shows what is there.
set -euo pipefail

bin=$1
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

title "Events: a backlog of 12,000, then 2,000 a second while the runs go on"
"$bin/shopmetricsctl" produce --brokers "$broker" --rate max --events 12000 --seed 1 \
  --malformed 0.01 --late 0.03 --duplicates 0.02
"$bin/shopmetricsctl" produce --brokers "$broker" --rate 2000 --seed 2 >"$dir/producer.log" 2>&1 &
producer_pid=$!

for run in 1 2 3; do
  title "Run $run: shopmetricsd run --once"
  "$bin/shopmetricsd" run --once --config "$dir/shopmetrics.toml"
  sleep 1
done
kill -INT "$producer_pid" && wait "$producer_pid" || true
producer_pid=''
title "The rest, then a run with nothing to read"
"$bin/shopmetricsd" run --once --config "$dir/shopmetrics.toml"
"$bin/shopmetricsd" run --once --config "$dir/shopmetrics.toml"

title "What is there: shopmetricsctl status"
"$bin/shopmetricsctl" status --config "$dir/shopmetrics.toml"

title "Is it sound? shopmetricsctl verify"
"$bin/shopmetricsctl" verify --config "$dir/shopmetrics.toml"

title "On disk"
(cd "$dir/state" && find . -type f -not -name '.*.crc' | sort | awk -F/ '
  { key = $0; sub(/[^\/]*$/, "", key); count[key]++; last[key] = $NF }
  END { for (k in count) printf "%-52s %3d files, such as %s\n", k, count[k], last[k] }' | sort)

title "Query it"
cat <<TEXT
DuckDB   duckdb -c "INSTALL delta; LOAD delta;
         SELECT event_type, count(*) FROM delta_scan('file://$dir/state/bronze/clickstream_raw') GROUP BY 1"
Polars   pl.read_delta("$dir/state/bronze/clickstream_raw").group_by("event_type").len()
Spark    spark.read.format("delta").load("$dir/state/bronze/clickstream_raw").groupBy("event_type").count().show()
Letters  pl.read_delta("$dir/state/bronze/clickstream_dead_letter").group_by("failure_reason").len()
TEXT
