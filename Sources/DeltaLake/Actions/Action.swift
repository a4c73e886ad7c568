package import JSON

/// One line of a commit: what the Delta protocol calls an action.
public enum Action: Equatable, Sendable {
  case add(AddFile)
  case remove(RemoveFile)
  case transaction(SetTransaction)
  case metadata(TableMetadata)
  case protocolVersions(TableProtocol)
  case commitInfo(CommitInfo)
  /// An action of a later protocol or of another writer, kept as its JSON text.
  case unknown(name: String, json: String)

  /// Reads an action from the object of one line.
  ///
  /// - Throws: when it is not an object with one member, or a field that the protocol requires is
  ///   absent or of another type. The error names the field.
  package init(_ value: JSONValue) throws {
    self = try Action.decode(value)
  }

  static func decode(_ value: JSONValue) throws(ActionError) -> Action {
    guard case .object(let line) = value, let (name, body) = line.members.first else {
      throw ActionError("expected an object with one action")
    }
    guard line.members.count == 1 else {
      let names = line.members.map(\.key).joined(separator: ", ")
      throw ActionError("expected one action, found \(line.members.count): \(names)")
    }
    guard case .object(let object) = body else {
      guard !known.contains(name) else { throw ActionError("\(name): expected an object") }
      return .unknown(name: name, json: body.text)
    }
    return try decode(name, object)
  }

  private static let known: Set<String> = [
    "add", "remove", "txn", "metaData", "protocol", "commitInfo",
  ]

  private static func decode(_ name: String, _ object: JSONObject) throws(ActionError) -> Action {
    let fields = ActionFields(action: name, object: object)
    switch name {
    case "add": return .add(try AddFile(fields))
    case "remove": return .remove(try RemoveFile(fields))
    case "txn": return .transaction(try SetTransaction(fields))
    case "metaData": return .metadata(try TableMetadata(fields))
    case "protocol": return .protocolVersions(try TableProtocol(fields))
    case "commitInfo": return .commitInfo(CommitInfo(object))
    default: return .unknown(name: name, json: JSONValue.object(object).text)
    }
  }

  /// Writes the action as one compact JSON object, its fields in the order Spark writes them.
  package func write(to json: inout JSONWriter) {
    json.beginObject()
    json.key(name)
    if case .unknown(_, let text) = self {
      json.raw(text)
    } else {
      json.beginObject()
      writeFields(to: &json)
      json.endObject()
    }
    json.endObject()
  }

  private func writeFields(to json: inout JSONWriter) {
    switch self {
    case .add(let file): file.write(to: &json)
    case .remove(let file): file.write(to: &json)
    case .transaction(let transaction): transaction.write(to: &json)
    case .metadata(let metadata): metadata.write(to: &json)
    case .protocolVersions(let versions): versions.write(to: &json)
    case .commitInfo(let info): info.write(to: &json)
    case .unknown: break
    }
  }

  /// The key of the action in its line.
  public var name: String {
    switch self {
    case .add: "add"
    case .remove: "remove"
    case .transaction: "txn"
    case .metadata: "metaData"
    case .protocolVersions: "protocol"
    case .commitInfo: "commitInfo"
    case .unknown(let name, _): name
    }
  }

  /// The action as one line of a commit, without the line end.
  public var line: String {
    var json = JSONWriter()
    write(to: &json)
    return json.text
  }
}
