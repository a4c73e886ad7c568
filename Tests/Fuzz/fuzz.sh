#!/bin/bash
# fuzz.sh [SECONDS] [TARGET...]: libFuzzer with AddressSanitizer, ten minutes for each target.
#
# Targets: parquet (footer and pages), event (a record's value), json, action (lines of the Delta
# log), checkpoint (files of a streaming checkpoint). The committed corpus is where each begins; a
# finding is left in .build/fuzz/findings and belongs into the corpus once it is mended.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-600}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(parquet event json action checkpoint)

# The toolchain's backtracer hangs under a sanitizer; the test framework's leaks are not ours.
export SHOPMETRICS_FUZZ=1 SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0
swift build -c release --scratch-path .build/fuzz --product fuzz \
  -Xswiftc -sanitize=fuzzer,address -Xswiftc -parse-as-library -Xswiftc -use-ld=lld

findings=.build/fuzz/findings
mkdir -p "$findings"
for target in "${targets[@]}"; do
  printf '\n== %s, %d s\n' "$target" "$seconds"
  grown=.build/fuzz/corpus/$target
  mkdir -p "$grown"
  SHOPMETRICS_FUZZ_TARGET=$target .build/fuzz/release/fuzz -max_total_time="$seconds" \
    -artifact_prefix="$findings/$target-" -print_final_stats=1 -verbosity=0 -max_len=65536 \
    "$grown" "Tests/Fuzz/Corpus/$target"
done
echo "no findings"
