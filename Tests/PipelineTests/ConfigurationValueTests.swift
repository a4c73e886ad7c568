import Testing

@testable import Pipeline

/// Single values: types, ranges, units, and how they are spelled.
struct ConfigurationValueTests {
  private let fixture: ConfigurationFixture

  init() throws { fixture = try ConfigurationFixture() }

  @Test(arguments: [
    ("limits.max_json_depth = \"64\"", "a whole number from 1 to 1024 (default 1024)"),
    ("limits.max_json_depth = 64.0", "a whole number from 1 to 1024 (default 1024)"),
    ("limits.max_json_depth = 0", "a whole number from 1 to 1024 (default 1024)"),
    ("limits.max_json_depth = 1025", "a whole number from 1 to 1024 (default 1024)"),
    (
      "limits.max_value = 1024", "a size such as \"64MiB\", from 1KiB to 512MiB (default \"16MiB\")"
    ),
    ("limits.max_value = \"1023B\"", "from 1KiB to 512MiB (default \"16MiB\")"),
    ("limits.max_value = \"9MB\"", "from 1KiB to 512MiB (default \"16MiB\")"),
    ("limits.max_value = \"-1KiB\"", "from 1KiB to 512MiB (default \"16MiB\")"),
    ("limits.max_value = \"9223372036854775807TiB\"", "from 1KiB to 512MiB (default \"16MiB\")"),
    ("schedule.every = \"5\"", "from 1s to 7d (default \"5min\")"),
    ("schedule.every = \"1m\"", "from 1s to 7d (default \"5min\")"),
    ("schedule.every = \"1.5h\"", "from 1s to 7d (default \"5min\")"),
    ("schedule.every = \"8d\"", "from 1s to 7d (default \"5min\")"),
    ("schedule.every = \"9223372036854775807d\"", "from 1s to 7d (default \"5min\")"),
    ("schedule.every = 2026-01-31", "from 1s to 7d (default \"5min\")"),
    ("silver.enabled = \"yes\"", "true or false (default true)"),
    ("silver.session_gap = \"999ms\"", "from 1s to 1d (default \"30min\")"),
    ("silver.session_gap = \"25h\"", "from 1s to 1d (default \"30min\")"),
    ("silver.session_gap = 1800", "from 1s to 1d (default \"30min\")"),
    ("silver.allowed_lateness = \"8d\"", "from 0s to 7d (default \"10min\")"),
    ("silver.max_rows_per_batch = 0", "a whole number from 1 to 1000000000 (default 1000000)"),
    ("silver.max_batch_bytes = \"1KiB\"", "from 1MiB to 64GiB (default \"256MiB\")"),
    (
      "silver.duplicate_cache_events = 999",
      "a whole number from 1000 to 100000000 (default 2000000)"
    ),
    ("silver.removed_file_retention = \"366d\"", "from 0s to 365d (default \"1h\")"),
    ("schedule.run_at_start = 1", "true or false (default true)"),
    ("storage.compression = \"lz4\"", "one of \"zstd\", \"snappy\", \"none\" (default \"zstd\")"),
    ("storage.state_directory = \"state\"", "an absolute path without \"..\""),
    ("storage.state_directory = \"/var/../etc\"", "an absolute path without \"..\""),
    ("kafka.topic = \"a b\"", "a topic name"), ("kafka.topic = \"..\"", "a topic name"),
    ("kafka.brokers = []", "a list of \"host:port\", at least one"),
    ("kafka.brokers = \"a:1\"", "a list of \"host:port\", at least one"),
    ("kafka.brokers = [\"a\"]", "a list of \"host:port\", at least one"),
    ("kafka.brokers = [\"a:0\"]", "a list of \"host:port\", at least one"),
    ("kafka.brokers = [\"a:65536\"]", "a list of \"host:port\", at least one"),
    ("kafka.brokers = [\"a:+1\"]", "a list of \"host:port\", at least one"),
    ("kafka.brokers = [\"a:1,b:2\"]", "a list of \"host:port\", at least one"),
    ("kafka.brokers = [\"::1:9092\"]", "a list of \"host:port\", at least one"),
    ("kafka.starting_offsets = \"start\"", "\"earliest\", \"latest\""),
    ("kafka.starting_offsets = 0", "\"earliest\", \"latest\""),
    ("kafka.security.password_credential = \"/etc/secret\"", "the name of a systemd credential"),
    ("schedule.calendar = \"sometimes\"", "a calendar expression of systemd.time(7)"),
    ("schedule.max_backoff = \"2h\"", "from 1s to 1h (default \"1min\")"),
    ("kafka.mirror_group = \"\"", "a text that is not empty"),
    ("storage.min_free = \"2TiB\"", "from 0B to 1TiB (default \"256MiB\")"),
    ("control.socket = \"control\"", "an absolute path without \"..\", at most 107 bytes"),
    ("control.socket = \"/\(String(repeating: "a", count: 107))\"", "at most 107 bytes"),
    ("on_failure.exec = \"/bin/true\"", "a list of texts, an absolute path first"),
    ("on_failure.exec = [\"true\"]", "a list of texts, an absolute path first"),
    ("on_failure.exec = [\"/bin/true\", 1]", "a list of texts, an absolute path first"),
    ("on_failure.after = 0", "a whole number from 1 to 1000 (default 1)"),
    ("on_failure.no_success_for = \"999ms\"", "from 1s to 30d"),
    ("log.level = \"trace\"", "one of \"error\", \"warning\", \"notice\", \"info\", \"debug\""),
  ])
  func `A wrong type or a value out of range says what is expected`(
    line: String, expectation: String
  ) {
    let problems = fixture.problems(bytes: Array(line.utf8))
    let key = line.split(separator: " ")[0]
    let column = key.utf8.count + 4
    #expect(
      problems.contains {
        $0.hasPrefix("1:\(column): \(key) is ") && $0.contains("expected ")
          && $0.contains(expectation)
      }, "\(problems)")
  }

  @Test func `Every setting reaches its place`() throws {
    let configuration = try fixture.load(
      """
      [schedule]
      every = "90s"
      jitter = "1500ms"
      run_at_start = false
      run_timeout = "2h"
      [limits]
      max_offsets_per_batch = 200_000
      max_batch_bytes = "1 GiB"
      fetch_memory = "2047MiB"
      max_value = "1MiB"
      max_json_depth = 64
      [silver]
      enabled = false
      session_gap = "20min"
      allowed_lateness = "0s"
      max_rows_per_batch = 50_000
      max_batch_bytes = "8MiB"
      duplicate_cache_events = 1000
      rows_in_memory = 4000
      sessions_in_memory = 500
      removed_file_retention = "0s"
      [loss]
      on_missing_data = "continue"
      [delta]
      checkpoint_interval = 25
      log_retention = "7d"
      [log]
      level = "debug"
      """)
    #expect(configuration.schedule.every == .seconds(90))
    #expect(configuration.schedule.jitter == .milliseconds(1500))
    #expect(configuration.schedule.runAtStart == false)
    #expect(configuration.schedule.runTimeout == .seconds(7200))
    #expect(configuration.limits.maxOffsetsPerBatch == 200_000)
    #expect(configuration.limits.maxBatchBytes == 1 << 30)
    #expect(configuration.limits.fetchBytes == 2047 << 20)
    #expect(configuration.limits.maxValueBytes == 1 << 20)
    #expect(configuration.limits.maxJSONDepth == 64)
    #expect(configuration.silver.isEnabled == false)
    #expect(configuration.silver.sessionGap == .seconds(1200))
    #expect(configuration.silver.allowedLateness == .zero)
    #expect(configuration.silver.maxRowsPerBatch == 50_000)
    #expect(configuration.silver.maxBatchBytes == 8 << 20)
    #expect(configuration.silver.duplicateCacheEvents == 1000)
    #expect(configuration.silver.rowsInMemory == 4000)
    #expect(configuration.silver.sessionsInMemory == 500)
    #expect(configuration.silver.removedFileRetention == .zero)
    #expect(configuration.loss.onMissingData == .continue)
    #expect(configuration.delta.checkpointInterval == 25)
    #expect(configuration.delta.logRetention == .seconds(7 * 86_400))
    #expect(configuration.log.level == .debug)
  }

  @Test(arguments: [
    ("30s", Duration.seconds(30)), ("5min", .seconds(300)), ("7d", .seconds(604_800)),
    ("1500ms", .milliseconds(1500)), ("1h", .seconds(3600)), ("0s", .zero),
  ])
  func `Durations are read and spelled alike`(text: String, duration: Duration) {
    #expect(DurationText.duration(text) == duration)
    #expect(DurationText.text(duration) == text)
  }

  @Test(arguments: [
    ("1B", Int64(1)), ("64KiB", 65_536), ("2047MiB", 2047 << 20), ("1TiB", 1 << 40),
  ])
  func `Sizes are read and spelled alike`(text: String, bytes: Int64) {
    #expect(ByteSize.bytes(text) == bytes)
    #expect(ByteSize.text(bytes) == text)
  }

  @Test func `A schedule or size that contradicts another is refused`() {
    #expect(
      fixture.problems("schedule.every = \"1min\"\nschedule.jitter = \"2min\"\n") == [
        "4:19: schedule.jitter is 2min; expected at most schedule.every, 1min"
      ])
    #expect(
      fixture.problems("storage.file_size = \"8MiB\"\n") == [
        "3:21: storage.row_group_size is 16MiB; expected at most storage.file_size, 8MiB"
      ])
  }

  @Test func `Control characters of the file do not reach the terminal`() throws {
    let problems = fixture.problems("log.level = \"\\u001b[2J\\n\"\n")
    let problem = try #require(problems.first)
    #expect(problem.contains(#"log.level is "\u001B[2J\n"; expected"#), "\(problem)")
  }

  @Test func `The nearest name is a near one`() {
    #expect(Suggestion.distance("every", "evrey") == 1)
    #expect(Suggestion.distance("", "abc") == 3)
    #expect(Suggestion.nearest(to: "tpoic", among: ["topic", "brokers"]) == "topic")
    #expect(Suggestion.nearest(to: "zzzzz", among: ["topic", "brokers"]) == nil)
    #expect(Suggestion.nearest(to: "x", among: []) == nil)
  }
}
