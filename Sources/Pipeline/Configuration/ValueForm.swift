internal import Systemd

/// How one kind of setting is written in TOML: what is accepted, and how a value is spelled.
struct ValueForm<Value: Sendable>: Sendable {
  /// Completes the sentence "expected …", range included.
  let expectation: String
  /// `nil` for everything that is not what the expectation says.
  let read: @Sendable (TOMLValue) -> Value?
  /// The value as TOML text, as the shipped file shows it; the inverse of `read`.
  let write: @Sendable (Value) -> String
}

extension ValueForm where Value == Bool {
  static let boolean = ValueForm(
    expectation: "true or false",
    read: { if case .boolean(let flag) = $0 { flag } else { nil } },
    write: { $0 ? "true" : "false" })
}

extension ValueForm where Value: FixedWidthInteger {
  static func integer(_ range: ClosedRange<Value>) -> ValueForm {
    ValueForm(
      expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)",
      read: { value in
        guard case .integer(let number) = value, let exact = Value(exactly: number) else {
          return nil
        }
        return range.contains(exact) ? exact : nil
      },
      write: { String($0) })
  }

  /// A number of bytes, written with a binary unit.
  static func size(_ range: ClosedRange<Value>) -> ValueForm {
    let low = ByteSize.text(Int64(range.lowerBound))
    let high = ByteSize.text(Int64(range.upperBound))
    return ValueForm(
      expectation: "a size such as \"64MiB\", from \(low) to \(high)",
      read: { value in
        guard case .string(let text) = value, let bytes = ByteSize.bytes(text),
          let exact = Value(exactly: bytes), range.contains(exact)
        else { return nil }
        return exact
      },
      write: { "\"\(ByteSize.text(Int64($0)))\"" })
  }
}

extension ValueForm where Value == Duration {
  static func duration(_ range: ClosedRange<Duration>) -> ValueForm {
    let low = DurationText.text(range.lowerBound)
    let high = DurationText.text(range.upperBound)
    return ValueForm(
      expectation: "a duration such as \"30s\", \"5min\", \"1h\", from \(low) to \(high)",
      read: { value in
        guard case .string(let text) = value, let duration = DurationText.duration(text) else {
          return nil
        }
        return range.contains(duration) ? duration : nil
      },
      write: { "\"\(DurationText.text($0))\"" })
  }
}

extension ValueForm {
  /// One of a fixed set of words.
  static func choice(_ all: [Value], name: @escaping @Sendable (Value) -> String) -> ValueForm {
    let quoted = all.map { "\"\(name($0))\"" }
    return ValueForm(
      expectation: "one of \(quoted.joined(separator: ", "))",
      read: { value in
        guard case .string(let text) = value else { return nil }
        return all.first { name($0) == text }
      },
      write: { "\"\(name($0))\"" })
  }
}

extension ValueForm where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  static var choice: ValueForm { choice(Array(Value.allCases), name: \.rawValue) }
}

extension ValueForm where Value == String {
  static func text(
    _ expectation: String, where isAccepted: @escaping @Sendable (String) -> Bool
  ) -> ValueForm {
    ValueForm(
      expectation: expectation,
      read: { value in
        guard case .string(let text) = value, isAccepted(text) else { return nil }
        return text
      },
      write: { TOMLText.quoted($0) })
  }

  static let anyText = text("a text that is not empty") { !$0.isEmpty }

  /// Letters, digits, `.`, `_` and `-`, at most 249: what Kafka allows.
  static let topic = text("a topic name: at most 249 of A-Z a-z 0-9 . _ -") { name in
    (1...249).contains(name.utf8.count) && name != "." && name != ".."
      && name.utf8.allSatisfy(isNameByte)
  }

  /// The name under which systemd offers a credential.
  static let credential = text("the name of a systemd credential, not a path or the secret") {
    (1...255).contains($0.utf8.count) && $0 != "." && $0 != ".."
      && $0.utf8.allSatisfy(isNameByte)
  }

  static let absolutePath = text("an absolute path without \"..\"") { path in
    path.first == "/" && path.utf8.count < 4096 && !path.utf8.contains(0)
      && !path.split(separator: "/").contains("..")
  }

  /// As long as an address of unix(7) can hold.
  static let socketPath = text("an absolute path without \"..\", at most 107 bytes") { path in
    absolutePath.read(.string(path)) != nil && path.utf8.count <= 107
  }

  static let webAddress = text("a URL that begins with http:// or https://") { url in
    guard let scheme = ["https://", "http://"].first(where: url.hasPrefix) else { return false }
    let rest = url.dropFirst(scheme.count)
    return !rest.isEmpty && rest.first != "/" && url.utf8.count <= 8192
      && url.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  @Sendable private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }
}

extension ValueForm where Value == CalendarExpression {
  static let calendar = ValueForm(
    expectation: "a calendar expression of systemd.time(7), such as \"Mon..Fri 08:00\"",
    read: { value in
      guard case .string(let text) = value else { return nil }
      return try? CalendarExpression(text)
    },
    write: { TOMLText.quoted($0.description) })
}

extension ValueForm where Value == [String] {
  static let brokers = list("a list of \"host:port\", at least one") { brokers in
    !brokers.isEmpty && brokers.allSatisfy(isBroker)
  }

  /// A program, which is not looked for in `$PATH`, and its arguments.
  static let command = list("a list of texts, an absolute path first; [] for none") { words in
    guard let program = words.first else { return true }
    return ValueForm<String>.absolutePath.read(.string(program)) != nil
      && !words.contains { $0.utf8.contains(0) }
  }

  private static func list(
    _ expectation: String, where isAccepted: @escaping @Sendable ([String]) -> Bool
  ) -> ValueForm {
    ValueForm(
      expectation: expectation,
      read: { value in
        guard case .array(let elements) = value else { return nil }
        var texts: [String] = []
        for element in elements {
          guard case .string(let text) = element.value else { return nil }
          texts.append(text)
        }
        return isAccepted(texts) ? texts : nil
      },
      write: { "[" + $0.map(TOMLText.quoted).joined(separator: ", ") + "]" })
  }

  /// The port is asked for: librdkafka's silent 9092 sends TLS clients to the wrong listener.
  @Sendable private static func isBroker(_ text: String) -> Bool {
    guard let colon = text.lastIndex(of: ":") else { return false }
    let host = text[..<colon]
    let port = text[text.index(after: colon)...]
    let isBracketed = host.first == "[" && host.last == "]"
    return !host.isEmpty && (isBracketed || !host.contains(":"))
      && !host.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "/") }
      && port.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      && (UInt16(port) ?? 0) > 0
  }
}
