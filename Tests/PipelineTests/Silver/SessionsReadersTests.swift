import Clickstream
import DeltaLake
import Foundation
import Testing

@testable import Pipeline

/// What other programs see in the table, and what they leave of it.
@Suite struct SessionsReadersTests {
  typealias Fixture = SessionsFixture
  typealias Event = SessionsFixture.Event

  /// Hot, parked and final sessions of all kinds, and the newest instant.
  private func filled() throws -> (Fixture, Int64) {
    let fixture = try Fixture()
    var now = Fixture.start
    for hour in 0..<5 as Range<Int64> {
      now = Fixture.start + hour * Fixture.hour
      try fixture.run(
        [
          Event(visitor: "Zoë \u{1F600}-\(hour)", time: now, kind: .purchase),
          Event(visitor: "Zoë \u{1F600}-\(hour)", time: now + 61_000_001, kind: .search),
          Event(visitor: "anonymous", time: now + 1, kind: .addToCart, isIdentified: false),
          Event(visitor: "", time: now + 2, kind: .other),
          Event(visitor: "parked", time: now + (hour + 1) * Fixture.day),
          Event(visitor: "of the moon", time: -14_182_940_000_001 - hour * Fixture.day),
        ], at: now)
    }
    return (fixture, now)
  }

  @Test(.enabled(if: SessionsPython.path != nil, SessionsPython.missing))
  func `deltalake, Polars, DuckDB and pyarrow read the rows that were written`() throws {
    let (fixture, _) = try filled()
    let expected = try StoredSession.read(fixture.table).map(\.text).sorted()
    #expect(expected.count == fixture.expected().count)
    let seen = try SessionsPython.read(fixture.path)
    #expect(seen.keys.sorted() == ["deltalake", "duckdb", "polars", "pyarrow"])
    for (reader, rows) in seen { #expect(rows == expected, "\(reader)") }
  }

  @Test(.enabled(if: SessionsPython.path != nil, SessionsPython.missing))
  func `after deltalake compacted the table everything is found again`() throws {
    let (fixture, now) = try filled()
    let rows = try StoredSession.read(fixture.table)
    _ = try SessionsPython.run("DeltaTable(table).optimize.compact()", fixture.path)
    try fixture.restart()
    #expect(fixture.sessions.final.count == 1)
    #expect(fixture.sessions.parked.isEmpty && fixture.sessions.hot.count == 1)
    #expect(try StoredSession.read(fixture.table) == rows)
    let late = Event(visitor: "anonymous", time: Fixture.start + Fixture.hour + 9)
    try fixture.run([late], at: now + 1000)
    #expect(try fixture.truths() == fixture.expected())
    #expect(!fixture.sessions.parked.isEmpty)
  }
}

/// A Python with the other readers of Delta tables.
enum SessionsPython {
  static let path = PythonProgram.path

  static let missing: Comment =
    "SKIPPED: no Python with deltalake, polars and duckdb; set SHOPMETRICS_PYTHON or make .venv"

  /// Runs a script with the path of a table in `table`, and returns the lines that it printed.
  static func run(_ script: String, _ table: String) throws -> [String] {
    try PythonProgram.lines(of: prelude + script + "\n", table)
  }

  /// What every reader sees: its name, then its rows as sorted lines.
  static func read(_ table: String) throws -> [String: [String]] {
    var rows: [String: [String]] = [:]
    var reader = ""
    for line in try run("read_all()", table) {
      if line.hasPrefix("reader ") {
        reader = String(line.dropFirst(7))
      } else {
        rows[reader, default: []].append(line)
      }
    }
    return rows.mapValues { $0.sorted() }
  }

  private static let prelude = """
    import datetime, os, sys
    import duckdb, polars, pyarrow as pa, pyarrow.parquet as pq
    import duckdb_extension_delta
    from deltalake import DeltaTable
    table = sys.argv[1]
    EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

    def text(value):
        if value is None: return 'null'
        if isinstance(value, bool): return 'true' if value else 'false'
        if isinstance(value, datetime.datetime):
            return str((value - EPOCH) // datetime.timedelta(microseconds=1))
        if isinstance(value, datetime.date): return str((value - EPOCH.date()).days)
        return str(value)

    def show(name, rows):
        print('reader ' + name)
        for row in rows: print('|'.join(f'{n}={text(row[n])}' for n in sorted(row)))

    def duck():
        folder = os.path.dirname(duckdb_extension_delta.__file__)
        found = [os.path.join(d, f) for d, _, names in os.walk(folder) for f in names
                 if f.endswith('.duckdb_extension')]
        connection = duckdb.connect(config={'allow_unsigned_extensions': 'true'})
        connection.execute("SET TimeZone='UTC'")
        connection.execute(f"LOAD '{found[0]}'")
        result = connection.execute(f"SELECT * FROM delta_scan('{table}')")
        return result.to_arrow_table() if hasattr(result, 'to_arrow_table') else result.arrow()

    def files():
        for path in DeltaTable(table).file_uris():
            for row in pq.ParquetFile(path).read().to_pylist():
                yield row | {'is_final': 'is_final=true' in path}

    def read_all():
        show('deltalake', DeltaTable(table).to_pyarrow_table().to_pylist())
        show('polars', polars.read_delta(table).to_arrow().to_pylist())
        show('duckdb', duck().to_pylist())
        show('pyarrow', files())


    """
}
