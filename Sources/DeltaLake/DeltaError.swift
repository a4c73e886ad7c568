/// What is wrong with a Delta table, for people: where, what, what became of the data, what to do.
///
/// Errors of the file system come through as `DurableIO.SystemError`, errors of a Parquet file as
/// `Parquet.ParquetError`; both name the file themselves.
public struct DeltaError: Error, Equatable, Sendable {
  /// The kind of fault; stable, so that a caller may decide by it.
  public enum Code: String, Equatable, Sendable, CaseIterable {
    /// A line of a commit or a row of a checkpoint is not an action.
    case invalidAction
    /// A commit file is empty, cut short, or lacks lines that its writer counted.
    case tornCommit
    /// The log lacks a version between two that exist, or before the first.
    case gapInLog
    /// The newest version that this process has seen is gone or is another file.
    case rewrittenLog
    /// A checkpoint file cannot be read, and the commits that it replaces are gone.
    case damagedCheckpoint
    /// The protocol asks for something this reader does not do.
    case unsupportedToRead
    /// The protocol or a table property asks for something this writer does not do.
    case unsupportedToWrite
    /// A schema that is not valid, or a type that is not supported.
    case invalidSchema
    /// The commit would break a rule of the table, such as `delta.appendOnly`.
    case ruleOfTable
    /// A data file that is to be committed, or is in the table, is not there or has another size.
    case missingDataFile
    /// Ten other writers in a row took the next version.
    case tooManyConflicts
    /// The clock is behind the newest commit, so no age can be told.
    case clockWentBack
  }

  /// The kind of fault.
  public let code: Code
  /// The root folder of the table.
  public let tablePath: String
  /// The version of the table the fault is about, where there is one.
  public let version: Int64?
  /// What was expected, what was found, and in which file, line and byte.
  public let message: String
  /// What to do about it.
  public let hint: String

  package init(
    _ code: Code, table: String, version: Int64? = nil, _ message: String, hint: String
  ) {
    self.code = code
    self.tablePath = table
    self.version = version
    self.message = message
    self.hint = hint
  }
}

extension DeltaError: CustomStringConvertible {
  public var description: String {
    let place = version.map { "\(tablePath), version \($0)" } ?? tablePath
    return "\(place): \(message). \(hint)"
  }
}
