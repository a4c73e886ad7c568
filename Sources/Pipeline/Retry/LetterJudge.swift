internal import Clickstream
internal import DeltaLake
internal import Parquet

/// The chosen letters of one row group, decoded again.
struct LetterRowGroup {
  let file: LetterFile
  let index: Int
  let rowCount: Int
  private let reasons: LetterTexts
  private let chosen: [Int]

  /// - Throws: BRONZE_ROW, `ParquetError`.
  init(_ file: LetterFile, _ index: Int, _ selection: LetterSelection) throws {
    self.file = file
    self.index = index
    rowCount = file.reader.rowCount(ofRowGroup: index)
    let reasons = try file.texts("failure_reason", rowGroup: index)
    chosen = (0..<rowCount).filter { reasons.string($0).map(selection.includes) == true }
    self.reasons = reasons
  }

  /// Decodes the chosen letters and calls `body` for each, in their order; the decoder's event is
  /// that of the letter meanwhile.
  ///
  /// - Parameter values: the raw values; without any chosen letter they are not even read.
  func judge(
    with decoder: ClickEventDecoder, _ tally: inout LetterTally,
    _ body: (_ row: Int, LetterVerdict) throws -> Void = { _, _ in }
  ) throws {
    guard !chosen.isEmpty else { return }
    let values = try file.texts("raw_value", rowGroup: index)
    for row in chosen {
      let reason = reasons.string(row) ?? ""
      try values.withBytes(row) { value in
        let verdict: LetterVerdict
        if let letter = decoder.decode(value) {
          verdict = letter.reason.rawValue == reason ? .unchanged : .changed(letter)
        } else {
          verdict = .good
        }
        tally.note(reason, verdict)
        try body(row, verdict)
      }
    }
  }
}

extension LetterFile {
  /// What decoding the chosen letters of the file again comes to; nothing is kept.
  func tally(_ selection: LetterSelection, _ decoder: ClickEventDecoder) throws -> LetterTally {
    var tally = LetterTally()
    for index in 0..<reader.rowGroupCount {
      try LetterRowGroup(self, index, selection).judge(with: decoder, &tally)
    }
    return tally
  }
}
