import JSON

/// The decoder's one pass over a value, and the memory that it uses again for the next.
struct EventPass: ~Copyable {
  private let limits: DecodeLimits
  private let nesting: JSONNesting
  private let declared: [DeclaredField]
  private let slots: UnsafeMutablePointer<FieldSlot>
  private var eventTime: Int64 = 0
  private var declaredValues: [DeclaredValue]
  private var scratch = ScratchBuffer()
  private var unknown = UnknownFields()
  private var faults = FieldFaults()

  init(declaredColumns: [DeclaredColumn], limits: DecodeLimits) {
    precondition(
      limits.maxValueBytes <= 1 << 30, "positions in a value are 32 bits wide: allow 1 GiB at most")
    self.limits = limits
    nesting = JSONNesting(maxDepth: limits.maxDepth)
    declared = declaredColumns.map(DeclaredField.init)
    declaredValues = Array(repeating: .null, count: declared.count)
    slots = .allocate(capacity: KnownField.count)
    slots.initialize(repeating: .absent, count: KnownField.count)
  }

  deinit { slots.deallocate() }

  /// Nil is a good record, which is in `event` then.
  mutating func decode(
    _ payload: UnsafeRawBufferPointer?, into event: inout DecodedEvent
  ) -> DeadLetter? {
    guard let payload else { return .tombstone }
    guard payload.count <= limits.maxValueBytes else {
      return .tooLarge(payload.count, limit: limits.maxValueBytes)
    }
    guard let base = payload.baseAddress, !payload.isEmpty else { return .empty }
    var scanner = JSONScanner(
      base.assumingMemoryBound(to: UInt8.self), count: payload.count)
    reset()
    do throws(JSONError) {
      guard try object(&scanner) else { return .notAnObject(scanner) }
    } catch {
      // A type fault is noted before anything behind it is read, so it stands before the syntax's.
      return faults.first.map { letter($0, scanner) }
        ?? .invalid(error, scanner, nesting)
    }
    if let fault = faults.first { return letter(fault, scanner) }
    if let field = firstMissing() { return .missing(field, slots[field.rawValue], scanner) }
    publish(scanner, into: &event)
    return nil
  }

  private mutating func reset() {
    slots.update(repeating: .absent, count: KnownField.count)
    scratch.removeAll()
    if !unknown.isEmpty { unknown.removeAll() }
    faults.removeAll()
    for index in declaredValues.indices { declaredValues[index] = .null }
  }

  // MARK: The object

  /// Reads the whole text; false when it is not an object.
  private mutating func object(_ scanner: inout JSONScanner) throws(JSONError) -> Bool {
    scanner.skipWhitespace()
    guard scanner.consume(0x7B) else {
      // An array is no object from its first byte; a scalar must be a token first.
      if scanner.current != 0x5B { try scanner.skipValue(nesting, outerDepth: 0) }
      return false
    }
    scanner.skipWhitespace()
    if !scanner.consume(0x7D) {
      var expectation = JSONError.Expectation.keyOrObjectEnd
      repeat {
        scanner.skipWhitespace()
        try member(try scanner.key(expecting: expectation), &scanner)
        expectation = .key
        scanner.skipWhitespace()
      } while scanner.consume(0x2C)
      guard scanner.consume(0x7D) else { throw scanner.fault(.commaOrObjectEnd) }
    }
    try scanner.finish()
    return true
  }

  /// Reads the value that follows `key`.
  @inline(__always)
  private mutating func member(
    _ key: JSONStringToken, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    let name = slot(of: key, scanner)
    guard let start = name.start, let field = KnownField(start, count: name.count) else {
      return try otherMember(key, name, &scanner)
    }
    guard let first = scanner.current, first == 0x22 else {
      return try nonString(field, &scanner)
    }
    let offset = scanner.position
    let slot = slot(of: try scanner.string(), scanner)
    slots[field.rawValue] = slot
    faults.forget(field.rawValue)
    guard field == .eventTime else { return }
    if let time = slot.buffer.flatMap(EventTime.parse) {
      eventTime = time
    } else {
      faults.note(field.rawValue, .badTimestamp, at: offset, to: scanner.position)
    }
  }

  @inline(__always)
  private mutating func slot(of token: JSONStringToken, _ scanner: JSONScanner) -> FieldSlot {
    token.isEscaped
      ? unescaped(token, scanner)
      : FieldSlot(start: scanner.base + token.start, count: token.count)
  }

  @inline(never)
  private mutating func unescaped(_ token: JSONStringToken, _ scanner: JSONScanner) -> FieldSlot {
    // All decoded strings of a record together are no longer than its payload.
    if scratch.count == 0 { scratch.reserve(scanner.count) }
    let start = scratch.next
    let count = scanner.unescape(token, into: start)
    scratch.advance(by: count)
    return FieldSlot(start: UnsafePointer(start), count: count)
  }

  /// A known field whose value does not begin with a quote.
  @inline(never)
  private mutating func nonString(
    _ field: KnownField, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    let offset = scanner.position
    let value = try FieldValue.read(&scanner)
    faults.forget(field.rawValue)
    switch value {
    case .null: slots[field.rawValue] = .null(at: offset)
    case .number(let token) where token.isInteger && field.acceptsInteger:
      slots[field.rawValue] = FieldSlot(
        start: scanner.base + token.start, count: token.end - token.start)
    case .number where field == .eventTime:
      try refuse(value, of: field.rawValue, .badTimestamp, from: offset, &scanner)
    default:
      try refuse(value, of: field.rawValue, .wrongType, from: offset, &scanner)
    }
  }

  /// Notes the fault of a value whose first byte is at `offset`, and reads what is left of it.
  private mutating func refuse(
    _ value: FieldValue, of field: Int, _ reason: DeadLetterReason, from offset: Int,
    _ scanner: inout JSONScanner
  ) throws(JSONError) {
    faults.note(field, reason, at: offset, to: scanner.position)
    guard case .container = value else { return }
    try scanner.skipValue(nesting, outerDepth: 1)
    faults.extendLast(to: scanner.position)
  }

  // MARK: Other fields

  @inline(never)
  private mutating func otherMember(
    _ key: JSONStringToken, _ name: FieldSlot, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    if let index = declaredIndex(of: name) {
      declaredValues[index] = try declaredValue(index, &scanner)
      return
    }
    let start = scanner.position
    try scanner.skipValue(nesting, outerDepth: 1)
    unknown.append(key: key, value: start..<scanner.position, in: scanner)
  }

  private func declaredIndex(of name: FieldSlot) -> Int? {
    for index in 0..<declared.count where declared[index].matches(name) { return index }
    return nil
  }

  private mutating func declaredValue(
    _ index: Int, _ scanner: inout JSONScanner
  ) throws(JSONError) -> DeclaredValue {
    let field = KnownField.count + index
    let type = declared[index].column.type
    let offset = scanner.position
    let value = try FieldValue.read(&scanner)
    faults.forget(field)
    if let accepted = accepted(value, as: type, scanner) { return accepted }
    let reason: DeadLetterReason =
      type == .timestamp && value.isStringOrNumber ? .badTimestamp : .wrongType
    try refuse(value, of: field, reason, from: offset, &scanner)
    return .null
  }

  private mutating func accepted(
    _ value: FieldValue, as type: DeclaredType, _ scanner: JSONScanner
  ) -> DeclaredValue? {
    switch (type, value) {
    case (_, .null): .null
    case (.boolean, .boolean(let value)): .boolean(value)
    case (.long, .number(let token)): DeclaredNumber.long(token, scanner).map { .long($0) }
    case (.double, .number(let token)): DeclaredNumber.double(token, scanner).map { .double($0) }
    case (.string, .string(let token)): .string(slot(of: token, scanner).bytes)
    case (.timestamp, .string(let token)):
      slot(of: token, scanner).buffer.flatMap(EventTime.parse).map { .timestamp($0) }
    default: nil
    }
  }

  // MARK: The verdict
  // Mutating, although nothing changes: to lend the pass out the compiler would copy all of it.

  private mutating func firstMissing() -> KnownField? {
    for index in 0..<KnownField.required.count {
      let field = KnownField.required[index]
      if slots[field.rawValue].isNull { return field }
    }
    return nil
  }

  private mutating func publish(_ scanner: JSONScanner, into event: inout DecodedEvent) {
    event.eventID = slots[KnownField.eventID.rawValue].bytes
    event.customerID = slots[KnownField.customerID.rawValue].bytes
    event.productID = slots[KnownField.productID.rawValue].bytes
    event.eventType = slots[KnownField.eventType.rawValue].bytes
    event.sessionID = slots[KnownField.sessionID.rawValue].bytes
    event.page = slots[KnownField.page.rawValue].bytes
    event.eventTime = eventTime
    event.rescuedData = unknown.isEmpty ? .null : unknown.object(in: scanner)
    if !declared.isEmpty { swap(&event.declared, &declaredValues) }
  }

  private mutating func letter(_ fault: FieldFaults.Fault, _ scanner: JSONScanner) -> DeadLetter {
    let known = KnownField.allCases
    guard fault.field >= known.count else {
      let field = known[fault.field]
      return .field(field.name, field.expectation(fault.reason), fault, scanner)
    }
    let column = declared[fault.field - known.count].column
    return .field(column.field, column.type.expectation(fault.reason), fault, scanner)
  }
}
