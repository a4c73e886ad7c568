import DurableIO
import Foundation
import Testing

@testable import DeltaLake

/// Tables that delta-rs wrote, as we see them, value for value.
@Suite(.enabled(if: Python.path != nil, Python.missing))
struct ForeignTableTests {
  /// Runs the script, which writes the table, and compares what everybody reads.
  @discardableResult
  private func written(_ place: TemporaryTable, by script: String) throws -> DeltaTable {
    _ = try Python.run(Self.rows + script, place.path)
    let table = try place.reopened()
    let ours = try TableRows.read(table)
    #expect(!ours.isEmpty)
    for (reader, found) in try Python.read(place.path) { #expect(found == ours, "\(reader)") }
    return table
  }

  private static let rows = """
    def rows(first, count=5):
        index = range(first, first + count)
        instant = EPOCH + datetime.timedelta(days=20000)
        return pa.table({
            'a': pa.array([None if i % 3 == 0 else i * 10**10 for i in index], pa.int64()),
            'i': pa.array(index, pa.int32()),
            's': pa.array([f'täxt {i}' for i in index], pa.string()),
            'd': pa.array([i + 0.5 for i in index], pa.float64()),
            'b': pa.array([i % 2 == 0 for i in index], pa.bool_()),
            'y': pa.array([bytes([i % 256, 255]) for i in index], pa.binary()),
            't': pa.array([instant + datetime.timedelta(microseconds=i) for i in index],
                          pa.timestamp('us', tz='UTC')),
            'day': pa.array([instant.date()] * count, pa.date32()),
            'p': pa.array([['u', 'v w/ü%', None][i % 3] for i in index], pa.string()),
        })


    """

  @Test func `appends`() throws {
    let place = try TemporaryTable()
    let table = try written(
      place,
      by: """
        for n in range(4): write_deltalake(table, rows(n * 5), mode='append')
        """)
    #expect(table.snapshot.version == 3)
    #expect(table.checkpointVersion == nil)
  }

  @Test func `a checkpoint, with the commits before it gone`() throws {
    let place = try TemporaryTable()
    let table = try written(
      place,
      by: """
        for n in range(4):
            write_deltalake(table, rows(n * 5), mode='append',
                commit_properties=CommitProperties(app_transactions=[Transaction('app', n)]))
        DeltaTable(table).create_checkpoint()
        for n in range(3): os.remove(f'{table}/_delta_log/{n:020}.json')
        write_deltalake(table, rows(50), mode='append')
        """)
    #expect(table.snapshot.version == 4)
    #expect(table.checkpointVersion == 3)
    #expect(table.snapshot.transactions == ["app": 3])
  }

  @Test func `partitions with names that need escapes, before and after a checkpoint`() throws {
    let place = try TemporaryTable()
    try written(
      place,
      by: """
        write_deltalake(table, rows(0), partition_by=['p'])
        write_deltalake(table, rows(5), mode='append')
        """)
    try written(place, by: "DeltaTable(table).create_checkpoint()")
  }

  @Test func `optimize, delete, overwrite and vacuum`() throws {
    let place = try TemporaryTable()
    try written(
      place,
      by: """
        for n in range(3): write_deltalake(table, rows(n * 5), mode='append')
        DeltaTable(table).optimize.compact()
        """)
    try written(place, by: "DeltaTable(table).delete('i < 4')")
    try written(
      place,
      by: """
        write_deltalake(table, rows(100), mode='overwrite')
        DeltaTable(table).vacuum(retention_hours=0, enforce_retention_duration=False,
                                 dry_run=False)
        DeltaTable(table).create_checkpoint()
        """)
    let table = try place.reopened()
    #expect(try TableRows.read(table).count == 5)
  }

  @Test func `columns that were added later`() throws {
    let place = try TemporaryTable()
    try written(
      place,
      by: """
        write_deltalake(table, rows(0).select(['a', 's']))
        write_deltalake(table, rows(5), mode='append', schema_mode='merge')
        """)
  }

  @Test func `a table set back to an older version`() throws {
    let place = try TemporaryTable()
    let table = try written(
      place,
      by: """
        for n in range(3): write_deltalake(table, rows(n * 5), mode='append',
            commit_properties=CommitProperties(app_transactions=[Transaction('app', n)]))
        DeltaTable(table).restore(0)
        """)
    #expect(try TableRows.read(table).count == 5)
    // The rows went back, the transactions did not: whoever compares them with a checkpoint knows.
    #expect(table.snapshot.transactions == ["app": 2])
  }

  @Test func `a checkpoint in several parts`() throws {
    let place = try TemporaryTable()
    let table = try written(
      place,
      by: """
        import pyarrow.parquet as pq
        for n in range(3): write_deltalake(table, rows(n * 5), mode='append')
        DeltaTable(table).create_checkpoint()
        log = table + '/_delta_log/'
        whole = pq.read_table(log + f'{2:020}.checkpoint.parquet')
        half = len(whole) // 2
        for part, piece in [(1, whole.slice(0, half)), (2, whole.slice(half))]:
            pq.write_table(piece, log + f'{2:020}.checkpoint.{part:010}.{2:010}.parquet')
        os.remove(log + f'{2:020}.checkpoint.parquet')
        json.dump({'version': 2, 'size': len(whole), 'parts': 2},
                  open(log + '_last_checkpoint', 'w'))
        for n in range(2): os.remove(log + f'{n:020}.json')
        """)
    #expect(table.checkpointVersion == 2)
    #expect(table.snapshot.warnings.isEmpty)
  }

  @Test func `old instants of 96 bits`() throws {
    let place = try TemporaryTable()
    try written(
      place,
      by: """
        import pyarrow.parquet as pq
        write_deltalake(table, rows(0))
        old = DeltaTable(table)
        name = old.file_uris()[0].removeprefix('file://')
        data = pq.read_table(name)
        pq.write_table(data, name, use_deprecated_int96_timestamps=True)
        log = table + f'/_delta_log/{0:020}.json'
        lines = [json.loads(line) for line in open(log)]
        for line in lines:
            if 'add' in line: line['add']['size'] = os.path.getsize(name)
        open(log, 'w').write('\\n'.join(json.dumps(line) for line in lines))
        """)
  }

  @Test func `a feature that we do not read is refused by name`() throws {
    let place = try TemporaryTable()
    let script = """
      write_deltalake(table, pa.table({'x': pa.array([datetime.datetime(2026, 1, 1)],
                                                     pa.timestamp('us'))}))
      """
    _ = try Python.run(script, place.path)
    let error = #expect(throws: DeltaError.self) { try place.reopened() }
    #expect(error?.code == .unsupportedToRead)
    #expect(error?.message.contains("timestampNtz") == true)
  }
}
