/// The faults of fields' types in the record at hand, in byte order.
///
/// They are not a verdict until the end, since a later member with the same key replaces the value.
struct FieldFaults {
  struct Fault {
    /// The raw value of a `KnownField`, or beyond those the index of a declared column.
    let field: Int
    let reason: DeadLetterReason
    /// The value in the payload.
    let offset: Int
    var end: Int
  }

  private var faults: [Fault] = []

  var first: Fault? { faults.first }

  mutating func removeAll() {
    if !faults.isEmpty { faults.removeAll(keepingCapacity: true) }
  }

  mutating func note(_ field: Int, _ reason: DeadLetterReason, at offset: Int, to end: Int) {
    faults.append(Fault(field: field, reason: reason, offset: offset, end: end))
  }

  mutating func forget(_ field: Int) {
    if !faults.isEmpty { faults.removeAll { $0.field == field } }
  }

  /// The value of the fault that was noted last is known up to `end` now.
  mutating func extendLast(to end: Int) { faults[faults.count - 1].end = end }
}
