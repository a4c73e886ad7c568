/// Why one action cannot be read; the reader of the file adds file and line.
struct ActionError: Error, Equatable {
  /// What was expected and what was found, naming the field.
  let message: String
  /// The byte within the line, where the fault is one of syntax.
  let byteOffset: Int?

  init(_ message: String, byteOffset: Int? = nil) {
    self.message = message
    self.byteOffset = byteOffset
  }
}
