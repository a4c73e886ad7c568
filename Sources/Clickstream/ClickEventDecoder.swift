/// Turns Kafka values into rows of Bronze or dead letters, in one pass and without allocation.
///
/// The rules:
/// - The value is one JSON text of RFC 8259 in UTF-8, an object, within the limits. Nothing lax
///   passes, in unused fields neither.
/// - Names match exactly, after their escapes are decoded. Of a key given twice the last counts,
///   and a fault in the type of an earlier one is forgotten.
/// - The first fault in byte order names the reason; a string, number or literal must be a
///   well-formed token before its type is looked at, a container has its type with its first byte.
///   Required fields are checked last, in the order of the schema.
///
/// An instance serves one thread. After the first records the pass allocates nothing, as long as
/// fields that no column takes number at most 32 in a record.
package final class ClickEventDecoder {
  /// The record of the last `decode` that returned nil.
  @exclusivity(unchecked) package internal(set) var event = DecodedEvent()

  /// Apart from `event`, so that the pass is one access to this class and not one for each field.
  ///
  /// Unchecked, both: `decode` calls nobody back, so two accesses can only meet on two threads,
  /// which the check does not see either.
  @exclusivity(unchecked) private var pass: EventPass

  /// `declaredColumns` must have distinct fields, none of them in `DeclaredColumn.reservedFields`.
  package init(declaredColumns: [DeclaredColumn], limits: DecodeLimits = DecodeLimits()) {
    pass = EventPass(declaredColumns: declaredColumns, limits: limits)
    event.declared = Array(repeating: .null, count: declaredColumns.count)
  }

  /// Decodes one Kafka value; nil stands for a null value.
  ///
  /// Nil is a good record: `event` is valid until the next call and as long as the payload is.
  package func decode(_ payload: UnsafeRawBufferPointer?) -> DeadLetter? {
    pass.decode(payload, into: &event)
  }
}
