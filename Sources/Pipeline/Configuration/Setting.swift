/// One row of the schema: everything that is known about one key.
package struct Setting: Sendable {
  /// The dotted path of the key, as in `kafka.topic`.
  package let path: String
  /// Completes the sentence "expected …", range included.
  package let expectation: String
  /// The default as TOML text; `nil` when the key has none.
  package let defaultText: String?
  /// What the setting does, in one sentence.
  package let summary: String
  /// Stores the value, or leaves the configuration alone and says `false`.
  let assign: @Sendable (TOMLValue, inout Configuration) -> Bool

  /// A setting that always has a value; the default is that of `Configuration`.
  static func always<Value: Sendable>(
    _ path: String, _ target: any WritableKeyPath<Configuration, Value> & Sendable,
    _ form: ValueForm<Value>, _ summary: String
  ) -> Setting {
    Setting(
      path: path, expectation: form.expectation,
      defaultText: form.write(Configuration(brokers: [])[keyPath: target]), summary: summary,
      assign: assignment(to: target, form) { $0 })
  }

  /// A setting that may be absent and has no default.
  static func optional<Value: Sendable>(
    _ path: String, _ target: any WritableKeyPath<Configuration, Value?> & Sendable,
    _ form: ValueForm<Value>, _ summary: String
  ) -> Setting {
    Setting(
      path: path, expectation: form.expectation, defaultText: nil, summary: summary,
      assign: assignment(to: target, form) { $0 })
  }

  /// A text that no error, log line or dump may show.
  static func secret(
    _ path: String, _ target: any WritableKeyPath<Configuration, Secret?> & Sendable,
    _ form: ValueForm<String>, _ summary: String
  ) -> Setting {
    Setting(
      path: path, expectation: form.expectation, defaultText: nil, summary: summary,
      assign: assignment(to: target, form) { Secret($0) })
  }

  private static func assignment<Value: Sendable, Stored>(
    to target: any WritableKeyPath<Configuration, Stored> & Sendable, _ form: ValueForm<Value>,
    _ store: @escaping @Sendable (Value) -> Stored
  ) -> @Sendable (TOMLValue, inout Configuration) -> Bool {
    { value, configuration in
      guard let read = form.read(value) else { return false }
      configuration[keyPath: target] = store(read)
      return true
    }
  }

  package var table: Substring { path[..<(path.lastIndex(of: ".") ?? path.startIndex)] }
  package var key: Substring { path.split(separator: ".").last ?? "" }
}
