internal import JSON

extension PipelineError {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("code", code)
    writer.field("kind", kind.rawValue)
    writer.field("message", message)
    writer.field("effect", effect)
    writer.field("remedy", remedy)
    writer.endObject()
  }

  /// Reads it back; `nil` when a member is missing or of another type.
  init?(_ object: JSONObject) {
    guard let code = object.string("code"),
      let kind = object.string("kind").flatMap(Kind.init), let message = object.string("message"),
      let effect = object.string("effect"), let remedy = object.string("remedy")
    else { return nil }
    self.init(code, kind, message, effect: effect, remedy: remedy)
  }
}
