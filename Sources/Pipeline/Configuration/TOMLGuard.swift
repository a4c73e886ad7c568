/// What a configuration file may not be, decided before the parser sees it.
///
/// toml++ takes nested tables apart recursively, so unbounded nesting (by brackets or by dots in
/// keys) would end the process; and a file with a NUL byte is not what its author sees.
struct TOMLGuard {
  static let byteLimit = 1 << 20
  static let nestingLimit = 16

  /// A sentence and the byte that it is about.
  struct Refusal: Equatable {
    let message: String
    let byteOffset: Int
  }

  private enum Context {
    case plain, comment
    case text(quote: UInt8, isMultiline: Bool)
  }

  private let bytes: [UInt8]
  private var position = 0
  private var context = Context.plain
  private var brackets = 0
  private var dots = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// `nil` when the bytes are fit for the parser.
  static func refusal(of bytes: [UInt8]) -> Refusal? {
    if let offset = bytes.firstIndex(of: 0) {
      return Refusal(message: "NUL byte; the file is damaged or not text", byteOffset: offset)
    }
    if let offset = firstInvalidUTF8(bytes) {
      return Refusal(message: "not UTF-8; save the file in that encoding", byteOffset: offset)
    }
    var scanner = TOMLGuard(bytes)
    return scanner.nestingRefusal()
  }

  private static func firstInvalidUTF8(_ bytes: [UInt8]) -> Int? {
    guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var offset = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      offset += UTF8.width(scalar)
    }
    return offset
  }

  private mutating func nestingRefusal() -> Refusal? {
    while position < bytes.count {
      switch context {
      case .plain: scanPlain()
      case .comment: if bytes[position] == UInt8(ascii: "\n") { context = .plain }
      case .text(let quote, let isMultiline): scanText(quote, isMultiline)
      }
      if brackets > Self.nestingLimit || dots > Self.nestingLimit {
        return Refusal(
          message: "nested more than \(Self.nestingLimit) deep; no setting is",
          byteOffset: position)
      }
      position += 1
    }
    return nil
  }

  private mutating func scanPlain() {
    switch bytes[position] {
    case UInt8(ascii: "#"): context = .comment
    case UInt8(ascii: "\""), UInt8(ascii: "'"): openText(bytes[position])
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      brackets += 1
      dots = 0
    case UInt8(ascii: "]"), UInt8(ascii: "}"):
      brackets = max(0, brackets - 1)
      dots = 0
    case UInt8(ascii: "."): dots += 1
    case UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "\n"): dots = 0
    default: break
    }
  }

  private mutating func openText(_ quote: UInt8) {
    let isMultiline = hasTriple(quote)
    if isMultiline { position += 2 }
    context = .text(quote: quote, isMultiline: isMultiline)
  }

  private mutating func scanText(_ quote: UInt8, _ isMultiline: Bool) {
    let byte = bytes[position]
    if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
      position += 1
    } else if byte == UInt8(ascii: "\n"), !isMultiline {
      context = .plain
    } else if byte == quote, !isMultiline {
      context = .plain
    } else if byte == quote, hasTriple(quote) {
      position += 2
      context = .plain
    }
  }

  private func hasTriple(_ quote: UInt8) -> Bool {
    position + 2 < bytes.count && bytes[position + 1] == quote && bytes[position + 2] == quote
  }
}
