import JSON

/// The text of one commit: one action per line, each line ended.
enum CommitFile {
  /// Reads and checks a commit.
  ///
  /// A file that a power cut left empty, or cut at a line end, looks like a commit to a reader that
  /// only parses lines. So an empty file is an error, and our own commits state in their first line
  /// how many lines they have.
  ///
  /// - Throws: `DeltaError` naming the file, the line and the byte.
  static func parse(
    _ bytes: [UInt8], table: String, version: Int64
  ) throws(DeltaError) -> [Action] {
    let reader = CommitReader(bytes: bytes, table: table, version: version)
    let actions = try reader.actions()
    try reader.checkComplete(actions)
    return actions
  }

  /// The bytes of a commit, its `commitInfo` first and counting the lines.
  static func bytes(_ info: CommitInfo, _ actions: [Action]) -> [UInt8] {
    var info = info
    info.actionCount = Int64(actions.count + 1)
    var bytes: [UInt8] = []
    for action in [.commitInfo(info)] + actions {
      var json = JSONWriter()
      action.write(to: &json)
      bytes += json.bytes
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }
}

private struct CommitReader {
  let bytes: [UInt8]
  let table: String
  let version: Int64

  private var file: String { "_delta_log/" + LogPath.commitName(version) }

  func actions() throws(DeltaError) -> [Action] {
    guard !bytes.isEmpty else { throw torn("\(file) has 0 bytes") }
    var actions: [Action] = []
    var start = 0
    var number = 1
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      if !isBlank(start..<end) { actions.append(try action(start..<end, number)) }
      start = end + 1
      number += 1
    }
    return actions
  }

  private func isBlank(_ range: Range<Int>) -> Bool {
    bytes[range].allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
  }

  private func action(_ range: Range<Int>, _ number: Int) throws(DeltaError) -> Action {
    let isUnfinished = range.upperBound == bytes.count
    do {
      return try Action.decode(try Self.value(bytes, range))
    } catch {
      let byte = error.byteOffset.map { ", byte \(range.lowerBound + $0)" } ?? ""
      let message = "\(file), line \(number)\(byte): \(error.message)"
      if isUnfinished { throw torn(message) }
      throw DeltaError(
        .invalidAction, table: table, version: version, message,
        hint: "Nothing was written. Restore the file from a copy; its content cannot be guessed.")
    }
  }

  private static func value(
    _ bytes: [UInt8], _ range: Range<Int>
  ) throws(ActionError) -> JSONValue {
    let result = bytes.withUnsafeBytes { buffer -> Result<JSONValue, JSONError> in
      let line = UnsafeRawBufferPointer(rebasing: buffer[range])
      return Result { () throws(JSONError) in try JSONValue.parse(line) }
    }
    do {
      return try result.get()
    } catch {
      throw ActionError("expected JSON: \(error.message)", byteOffset: error.byteOffset)
    }
  }

  func checkComplete(_ actions: [Action]) throws(DeltaError) {
    guard !actions.isEmpty else { throw torn("\(file) has no actions") }
    guard case .commitInfo(let info)? = actions.first, let expected = info.actionCount else {
      return
    }
    guard expected == actions.count else {
      throw torn("\(file): expected \(expected) actions, found \(actions.count)")
    }
    guard bytes.last == UInt8(ascii: "\n") else {
      throw torn("\(file): expected a line end after the last action, found none")
    }
  }

  private func torn(_ message: String) -> DeltaError {
    DeltaError(
      .tornCommit, table: table, version: version, message,
      hint: "The commit was cut short, as by a power cut without fsync; nothing was written. "
        + "Restore the file from a copy. If it is the newest version and its batch can run again, "
        + "move the file away.")
  }
}
