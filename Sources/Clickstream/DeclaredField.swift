import Glibc
import JSON

/// A declared column with its field's name as bytes.
struct DeclaredField {
  let column: DeclaredColumn
  private let name: [UInt8]

  init(_ column: DeclaredColumn) {
    self.column = column
    name = Array(column.field.utf8)
  }

  func matches(_ other: FieldSlot) -> Bool {
    guard other.count == name.count, let start = other.start else { return false }
    return name.withUnsafeBytes { memcmp($0.baseAddress ?? .init(start), start, name.count) == 0 }
  }
}

/// Numbers of declared columns.
enum DeclaredNumber {
  static func long(_ token: JSONNumberToken, _ scanner: JSONScanner) -> Int64? {
    guard token.isInteger else { return nil }
    let isNegative = scanner.base[token.start] == 0x2D
    var value: Int64 = 0
    for index in (token.start + (isNegative ? 1 : 0))..<token.end {
      // Downwards, because the smallest number has no positive counterpart.
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let digit = Int64(scanner.base[index] &- 0x30)
      let (sum, underflow) = product.subtractingReportingOverflow(digit)
      if overflow || underflow { return nil }
      value = sum
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }

  /// The nearest double; nil beyond the finite ones.
  ///
  /// Texts of more than 15 bytes cost an allocation.
  static func double(_ token: JSONNumberToken, _ scanner: JSONScanner) -> Double? {
    let text = UnsafeBufferPointer(
      start: scanner.base + token.start, count: token.end - token.start)
    guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
      return nil
    }
    return value
  }
}
