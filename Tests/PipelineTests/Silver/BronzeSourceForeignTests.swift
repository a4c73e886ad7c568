import Clickstream
import DeltaLake
import Foundation
import Testing

@testable import Pipeline

/// Bronze files of other writers, in every form that Parquet has for the same rows.
@Suite(.enabled(if: BronzeSourcePython.path != nil, BronzeSourcePython.missing))
struct BronzeSourceForeignTests {
  /// A way to write the file: a change of the table and options of pyarrow's `write_table`.
  struct Form: CustomTestStringConvertible {
    let testDescription: String
    var change = "t"
    var options = ""
  }

  static let forms: [Form] = [
    Form(testDescription: "pyarrow's own choice"),
    Form(testDescription: "no dictionary", options: "use_dictionary=False, compression='none'"),
    Form(testDescription: "several row groups", options: "row_group_size=7"),
    Form(testDescription: "INT96", options: "use_deprecated_int96_timestamps=True"),
    Form(
      testDescription: "INT96 without dictionaries",
      options: "use_deprecated_int96_timestamps=True, use_dictionary=False, compression='zstd'"),
    Form(testDescription: "milliseconds", change: "times(t, 'ms')"),
    Form(testDescription: "nanoseconds", change: "times(t, 'ns')"),
    Form(testDescription: "nanoseconds within a microsecond", change: "nanoseconds(t)"),
    Form(testDescription: "local microseconds", change: "times(t, 'us', None)"),
    Form(
      testDescription: "version 2 pages",
      options: "data_page_version='2.0', compression='gzip', row_group_size=11"),
    Form(
      testDescription: "delta encodings",
      options: """
        use_dictionary=False, column_encoding={'event_id': 'DELTA_BYTE_ARRAY',
          'session_id': 'DELTA_LENGTH_BYTE_ARRAY', 'event_ts': 'DELTA_BINARY_PACKED',
          'kafka_partition': 'DELTA_BINARY_PACKED', 'kafka_offset': 'BYTE_STREAM_SPLIT'}
        """),
    Form(
      testDescription: "dictionaries that are given up",
      options: "dictionary_pagesize_limit=16, data_page_size=16, write_batch_size=4"),
    Form(testDescription: "large strings", change: "strings(t, pa.large_string())"),
    Form(testDescription: "required columns", change: "required(t)"),
    Form(testDescription: "another order of columns", change: "t.select(sorted(t.column_names))"),
  ]

  @Test(arguments: forms)
  func `a file that pyarrow wrote`(form: Form) throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a%20b.parquet", rows: nil)])
    let expected = try BronzeSourcePython.lines(
      """
      t = \(form.change)
      pq.write_table(t, table + '/a b.parquet', \(form.options))
      show(original)
      """, log.path)
    #expect(expected.count == 40)
    let all = try BronzeSourceRows.of(log)
    #expect(all.lines == expected)
    #expect(try BronzeSourceRows.of(log, maxRows: 9).lines == expected)
    #expect(all.arrivals.count == 39)
  }

  @Test func `a file that lacks columns is null there`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("f.parquet")])
    let expected = try BronzeSourcePython.lines(
      """
      t = t.drop_columns(['product_id', 'rescued_data', 'kafka_timestamp', 'customer_id'])
      pq.write_table(t, table + '/f.parquet')
      show(t)
      """, log.path)
    let found = try BronzeSourceRows.of(log)
    #expect(found.lines == expected)
    #expect(found.arrivals.mean == nil)
  }

  @Test func `a file without rows is passed over`() throws {
    let log = try BronzeSourceLog([
      BronzeSourceLog.add("e.parquet"), BronzeSourceLog.add("f.parquet"),
    ])
    let expected = try BronzeSourcePython.lines(
      """
      pq.write_table(t.slice(0, 0), table + '/e.parquet')
      pq.write_table(t, table + '/f.parquet')
      show(t)
      """, log.path)
    let found = try BronzeSourceRows.of(log)
    #expect(found.lines == expected)
    #expect(found.sliceSizes == [40])
  }

  @Test func `a file that an absolute path names`() throws {
    let elsewhere = try BronzeSourceLog()
    let log = try BronzeSourceLog([BronzeSourceLog.add("file://\(elsewhere.path)/f.parquet")])
    let expected = try BronzeSourcePython.lines(
      "pq.write_table(t, table + '/f.parquet')\nshow(t)\n", elsewhere.path)
    #expect(try BronzeSourceRows.of(log).lines == expected)
  }

  @Test func `a table that delta-rs wrote in several commits, with a checkpoint`() throws {
    let log = try BronzeSourceLog()
    try FileManager.default.removeItem(atPath: log.path)
    let expected = try BronzeSourcePython.lines(
      """
      for part in range(4):
          write_deltalake(table, t.slice(part * 10, 10), mode='append')
      DeltaTable(table).create_checkpoint()
      show(t)
      """, log.path)
    #expect(try BronzeSourceRows.of(log).lines == expected)
    let source = try log.source()
    let plan = try source.plan(
      from: source.snapshotOffset(), upTo: source.endOffset(), maxRows: .max, maxBytes: .max)
    #expect(plan?.rowCount == 40)
    #expect(plan?.files.count == 4)
    #expect(try source.batches(from: source.startingOffset(), maxRows: 20).count == 2)
  }

  /// What the rules of the table forbid: column, row (all are of row group 1), a change of `t`.
  @Test(arguments: [
    ("event_id", "with_null(t, 'event_id', 13)"), ("event_ts", "with_null(t, 'event_ts', 13)"),
    ("session_id", "with_null(t, 'session_id', 13)"),
    ("event_type", "with_null(t, 'event_type', 13)"),
    ("ingested_at", "with_null(t, 'ingested_at', 13)"),
    ("kafka_partition", "with_null(t, 'kafka_partition', 13)"),
    ("kafka_offset", "with_null(t, 'kafka_offset', 13)"),
    ("event_ts", "with_time(t, 'event_ts', 13, 253402300800000000)"),
    ("ingested_at", "with_time(t, 'ingested_at', 13, -62135596800000001)"),
  ])
  func `a row that breaks the table's rules is refused with its place`(
    column: String, change: String
  ) throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("f.parquet")])
    _ = try BronzeSourcePython.lines(
      "t = \(change)\npq.write_table(t, table + '/f.parquet', row_group_size=10)\n", log.path)
    let error = #expect(throws: PipelineError.self) { try BronzeSourceRows.of(log) }
    #expect(error?.code == "BRONZE_ROW")
    #expect(error?.message.contains("\(log.path)/f.parquet, row group 1, row 3") == true)
    #expect(error?.message.contains(column) == true)
  }

  @Test(arguments: [
    "t.drop_columns(['event_id'])", "cast(t, 'event_id', pa.int64(), range(40))",
    "cast(t, 'event_ts', pa.int64(), range(40))", "cast(t, 'page', pa.int32(), range(40))",
    "cast(t, 'kafka_offset', pa.int32(), range(40))",
    "cast(t, 'event_ts', pa.timestamp('ms'), [2**63 - 1] * 40)",
  ])
  func `columns of another type are refused`(change: String) throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("f.parquet")])
    _ = try BronzeSourcePython.lines(
      "t = \(change)\npq.write_table(t, table + '/f.parquet')\n", log.path)
    let error = #expect(throws: PipelineError.self) { try BronzeSourceRows.of(log) }
    #expect(error?.code == "BRONZE_ROW")
    #expect(error?.message.contains("f.parquet") == true)
  }
}

/// A Python with pyarrow and deltalake, and the rows that the tests write with it.
enum BronzeSourcePython {
  static let path = PythonProgram.path

  static let missing: Comment =
    "SKIPPED: no Python with pyarrow and deltalake; set SHOPMETRICS_PYTHON or make .venv"

  /// Runs a script with the path of a table; gives the lines that it printed.
  static func lines(_ script: String, _ table: String) throws -> [String] {
    try PythonProgram.lines(of: prelude + script, table)
  }

  private static let prelude = """
    import os, sys
    import pyarrow as pa, pyarrow.parquet as pq
    from deltalake import DeltaTable, write_deltalake
    table = sys.argv[1]
    US = pa.timestamp('us', tz='UTC')
    KINDS = ['page_view', 'add_to_cart', 'purchase', 'search', 'täglich', 'Purchase']
    NAMES = dict(page_view='pageView', add_to_cart='addToCart', purchase='purchase',
                 search='search')
    n = range(40)
    t = pa.table({
        'event_id': pa.array([f'e{i % 38:03}-ü' * (i % 4 + 1) for i in n]),
        'customer_id': pa.array([None if i % 3 == 0 else ['', 'cü', str(i % 5)][i % 3]
                                 for i in n]),
        'product_id': pa.array([None if i % 2 else f'p{i % 7}' for i in n]),
        'event_type': pa.array([KINDS[i % 6] for i in n]),
        'session_id': pa.array([f's{i // 4}' for i in n]),
        'page': pa.array([None if i == 39 else '/' * (i % 9) for i in n]),
        'event_ts': pa.array([(i - 5) * 86_400_123_000 for i in n], US),
        'kafka_topic': pa.array(['clickstream-events'] * 40),
        'kafka_partition': pa.array([i % 3 for i in n], pa.int32()),
        'kafka_offset': pa.array([2**40 + i * i for i in n], pa.int64()),
        'kafka_timestamp': pa.array([None if i == 7 else 10**15 + i * 1000 for i in n], US),
        'ingested_at': pa.array([1_700_000_000_000_000 + i // 10 * 1000 for i in n], US),
        'rescued_data': pa.array([None] * 40, pa.string()),
    })
    COLUMNS = t.column_names[:-1]
    original = t

    def put(t, name, column):
        return t.set_column(t.column_names.index(name), name, column)

    def cast(t, name, kind, values): return put(t, name, pa.array(values, kind))

    def times(t, unit, tz='UTC'):
        for name in ('event_ts', 'kafka_timestamp', 'ingested_at'):
            t = put(t, name, t[name].cast(pa.timestamp(unit, tz='UTC')).cast(
                pa.timestamp(unit, tz=tz)))
        return t

    def nanoseconds(t):
        for name in ('event_ts', 'kafka_timestamp', 'ingested_at'):
            values = [None if v is None else v * 1000 + 999
                      for v in t[name].cast(pa.int64()).to_pylist()]
            t = put(t, name, pa.array(values, pa.timestamp('ns', tz='UTC')))
        return t

    def strings(t, kind):
        for field in t.schema:
            if field.type == pa.string(): t = put(t, field.name, t[field.name].cast(kind))
        return t

    def required(t):
        return t.cast(pa.schema([pa.field(f.name, f.type, nullable=t[f.name].null_count > 0)
                                 for f in t.schema]))

    def with_null(t, name, row):
        values = t[name].to_pylist()
        values[row] = None
        return put(t, name, pa.array(values, t[name].type))

    def with_time(t, name, row, value):
        values = t[name].cast(pa.int64()).to_pylist()
        values[row] = value
        return put(t, name, pa.array(values, pa.int64()).cast(US))

    def cell(value):
        if value is None: return 'null'
        return "'" + value + "'" if isinstance(value, str) else str(value)

    def show(t):
        columns = {}
        for name in COLUMNS:
            if name not in t.column_names:
                columns[name] = [None] * len(t)
            else:
                values = t[name]
                if pa.types.is_timestamp(values.type): values = values.cast(pa.int64())
                columns[name] = values.to_pylist()
        for i in range(len(t)):
            row = {name: columns[name][i] for name in COLUMNS}
            customer = row['customer_id']
            keys = [row['session_id'] if customer is None else customer,
                    'false' if customer is None else 'true',
                    NAMES.get(row['event_type'], 'other'), str(row['event_ts']),
                    str(row['ingested_at']), str(row['kafka_partition']),
                    str(row['kafka_offset'])]
            print('|'.join(keys + [cell(row[name]) for name in COLUMNS]))


    """
}
