import JSON

/// How far an application has come: the `txn` action of the Delta protocol.
///
/// The newest one of each application is state of the table; a streaming query commits its batch
/// number here together with its files, so that a batch is in the table once or not at all.
public struct SetTransaction: Equatable, Sendable {
  /// The query's id.
  public var appID: String
  /// The batch.
  public var version: Int64
  /// Milliseconds since 1970.
  public var lastUpdated: Int64?

  public init(appID: String, version: Int64, lastUpdated: Int64?) {
    self.appID = appID
    self.version = version
    self.lastUpdated = lastUpdated
  }

  init(_ fields: ActionFields) throws(ActionError) {
    appID = try fields.string("appId")
    version = try fields.integer("version")
    lastUpdated = try fields.optionalInteger("lastUpdated")
  }

  func write(to json: inout JSONWriter) {
    json.field("appId", appID)
    json.field("version", version)
    json.field("lastUpdated", ifPresent: lastUpdated)
  }
}
