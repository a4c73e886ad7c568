/// The few facts of an X.509 certificate (RFC 5280) that tell an operator which one it is.
///
/// The bytes come from whoever answered, before anything about them is known to be true: nothing
/// in here trusts a length, and a certificate that cannot be read has no summary.
struct CertificateSummary: Equatable {
  /// The common name, else the organisation; only printable ASCII.
  var subject: String
  var issuer: String
  /// The last day on which it is valid, such as "2026-11-23" (UTC).
  var lastDay: String

  /// - Parameter certificate: in DER (X.690).
  init?(_ certificate: UnsafeRawBufferPointer) {
    var outer = DERReader(certificate[...])
    guard var whole = outer.enter(.sequence), var fields = whole.enter(.sequence) else {
      return nil
    }
    if fields.tag == .version { _ = fields.next() }
    _ = fields.next()  // the serial number
    _ = fields.next()  // the algorithm
    guard let issuer = fields.enter(.sequence), var validity = fields.enter(.sequence),
      let subject = fields.enter(.sequence), validity.next() != nil, let end = validity.next()
    else { return nil }
    self.issuer = Self.name(issuer)
    self.subject = Self.name(subject)
    lastDay = Self.day(end)
  }

  private static let commonName: [UInt8] = [0x55, 0x04, 0x03]
  private static let organisation: [UInt8] = [0x55, 0x04, 0x0a]

  /// A name is a sequence of sets of (type, value).
  private static func name(_ sets: DERReader) -> String {
    var sets = sets
    var organisation: String?
    while var attributes = sets.enter(.set), var pair = attributes.enter(.sequence) {
      guard let type = pair.next()?.content, let value = pair.next()?.content else { break }
      if type.elementsEqual(commonName) { return "CN=\(printable(value))" }
      if type.elementsEqual(Self.organisation) { organisation = "O=\(printable(value))" }
    }
    return organisation ?? "no name"
  }

  /// "261123154012Z" or, from 2050 on, "20501123154012Z".
  private static func day(_ element: DERReader.Element) -> String {
    let text = printable(element.content)
    let isShort = element.tag == .utcTime
    guard text.utf8.count >= (isShort ? 6 : 8) else { return "an unknown day" }
    let full = isShort ? (text < "50" ? "20" : "19") + text : text
    return "\(full.prefix(4))-\(full.dropFirst(4).prefix(2))-\(full.dropFirst(6).prefix(2))"
  }

  private static func printable(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
    let limit = 64
    return String(
      decoding: bytes.prefix(limit).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") },
      as: UTF8.self)
  }
}

/// Walks the elements of one level of a DER text.
private struct DERReader {
  struct Tag: Equatable {
    var number: UInt8
    static let sequence = Tag(number: 0x30)
    static let set = Tag(number: 0x31)
    static let version = Tag(number: 0xa0)
    static let utcTime = Tag(number: 0x17)
  }

  struct Element {
    var tag: Tag
    var content: Slice<UnsafeRawBufferPointer>
  }

  private var rest: Slice<UnsafeRawBufferPointer>

  init(_ bytes: Slice<UnsafeRawBufferPointer>) { rest = bytes }

  /// Of the element that comes next.
  var tag: Tag? { rest.first.map { Tag(number: $0) } }

  /// `nil` at the end, and when the length is not that of something that is there.
  mutating func next() -> Element? {
    guard let tag, let (length, header) = length() else { return nil }
    let body = rest.dropFirst(header)
    guard length <= body.count else { return nil }
    rest = body.dropFirst(length)
    return Element(tag: tag, content: body.prefix(length))
  }

  /// The inside of the next element, if it has that tag.
  mutating func enter(_ wanted: Tag) -> DERReader? {
    guard tag == wanted, let element = next() else { return nil }
    return DERReader(element.content)
  }

  /// The length of the next element's content, and the bytes before that content.
  private func length() -> (length: Int, header: Int)? {
    guard let first = rest.dropFirst().first else { return nil }
    guard first >= 0x80 else { return (Int(first), 2) }
    let count = Int(first & 0x7f)
    let digits = rest.dropFirst(2).prefix(count)
    guard (1...4).contains(count), digits.count == count else { return nil }
    return (digits.reduce(0) { $0 << 8 | Int($1) }, 2 + count)
  }
}
