import Foundation
import Testing

/// Other programs that read and write Delta tables: deltalake, Polars and DuckDB, by a Python that
/// has them.
enum Python {
  /// `SHOPMETRICS_PYTHON`, else the package's own virtual environment; nil when neither is there.
  static let path: String? = {
    if let path = ProcessInfo.processInfo.environment["SHOPMETRICS_PYTHON"] { return path }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let own = root.appendingPathComponent(".venv/bin/python").path
    return FileManager.default.isExecutableFile(atPath: own) ? own : nil
  }()

  static let missing: Comment =
    "SKIPPED: no Python with deltalake, polars and duckdb; set SHOPMETRICS_PYTHON or make .venv"

  struct Failed: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a script with the path of a table as its argument.
  ///
  /// - Returns: the lines that it printed.
  static func run(_ script: String, _ arguments: String...) throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path ?? "python3")
    process.arguments = ["-c", prelude + script] + arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let lines = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failed(description: String(decoding: complaint, as: UTF8.self))
    }
    return String(decoding: lines, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// What every reader sees in a table: its name, then its rows as sorted lines.
  static func read(_ table: String) throws -> [String: [String]] {
    var rows: [String: [String]] = [:]
    var reader = ""
    for line in try run("read_all(table)\n", table) {
      if line.hasPrefix("reader ") {
        reader = String(line.dropFirst(7))
        rows[reader] = []
      } else {
        rows[reader, default: []].append(line)
      }
    }
    return rows.mapValues { $0.sorted() }
  }

  private static let prelude = """
    import datetime, json, os, sys
    import duckdb, polars, pyarrow as pa
    import duckdb_extension_delta
    from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
    table = sys.argv[1]
    EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

    def text(value):
        if value is None: return 'null'
        if isinstance(value, bool): return 'true' if value else 'false'
        if isinstance(value, datetime.datetime):
            if value.tzinfo is None: value = value.replace(tzinfo=datetime.timezone.utc)
            return str((value - EPOCH) // datetime.timedelta(microseconds=1))
        if isinstance(value, datetime.date): return str((value - EPOCH.date()).days)
        if isinstance(value, (bytes, bytearray)): return bytes(value).hex()
        return str(value)

    def rows(arrow):
        names = sorted(arrow.column_names)
        return ['|'.join(f'{n}={text(row[n])}' for n in names) for row in arrow.to_pylist()]

    def show(name, arrow):
        print('reader ' + name)
        for line in rows(arrow): print(line)

    def duck():
        folder = os.path.dirname(duckdb_extension_delta.__file__)
        found = [os.path.join(d, f) for d, _, names in os.walk(folder) for f in names
                 if f.endswith('.duckdb_extension')]
        connection = duckdb.connect(config={'allow_unsigned_extensions': 'true'})
        connection.execute("SET TimeZone='UTC'")
        connection.execute(f"LOAD '{found[0]}'")
        return connection

    def read_all(path):
        show('deltalake', DeltaTable(path).to_pyarrow_table())
        show('polars', polars.read_delta(path).to_arrow())
        result = duck().execute(f"SELECT * FROM delta_scan('{path}')")
        arrow = result.to_arrow_table() if hasattr(result, 'to_arrow_table') else result.arrow()
        show('duckdb', arrow)


    """
}
