import DurableIO
package import JSON

/// Who committed and why: the `commitInfo` action of the Delta protocol.
///
/// Never state of the table.
///
/// Other writers give it any shape; whatever is not as expected reads as absent.
public struct CommitInfo: Equatable, Sendable {
  /// Milliseconds since 1970.
  public var timestamp: Int64?
  /// Such as `STREAMING UPDATE` or `OPTIMIZE`.
  public var operation: String?
  public var operationParameters: [String: String]
  /// The version that the writer had read; nil for the first commit of a table.
  public var readVersion: Int64?
  public var isolationLevel: String?
  /// True when the commit read nothing and only added files: it conflicts with no other append.
  public var isBlindAppend: Bool?
  public var operationMetrics: [String: String]
  public var engineInfo: String?
  public var txnID: String?
  /// The accounting of our own batches, which other readers ignore.
  package var shopmetrics: JSONObject?
  /// The number of lines of the commit, in our own ones, so that a torn file is noticed.
  package var actionCount: Int64?

  /// - Parameters:
  ///   - timestamp: milliseconds since 1970.
  ///   - isBlindAppend: true when nothing was read and files are only added.
  package init(
    timestamp: Int64, operation: String, operationParameters: [String: String] = [:],
    isBlindAppend: Bool, operationMetrics: [String: String] = [:], engineInfo: String,
    txnID: String = RandomUUID.text(), shopmetrics: JSONObject? = nil
  ) {
    self.timestamp = timestamp
    self.operation = operation
    self.operationParameters = operationParameters
    self.isolationLevel = isBlindAppend ? "Serializable" : "SnapshotIsolation"
    self.isBlindAppend = isBlindAppend
    self.operationMetrics = operationMetrics
    self.engineInfo = engineInfo
    self.txnID = txnID
    self.shopmetrics = shopmetrics
  }

  init(_ object: JSONObject) {
    timestamp = object.int64("timestamp")
    operation = object.string("operation")
    operationParameters = Self.texts(object.object("operationParameters"))
    readVersion = object.int64("readVersion")
    isolationLevel = object.string("isolationLevel")
    isBlindAppend = object.bool("isBlindAppend")
    operationMetrics = Self.texts(object.object("operationMetrics"))
    engineInfo = object.string("engineInfo")
    txnID = object.string("txnId")
    shopmetrics = object.object("shopmetrics")
    actionCount = object.int64("shopmetricsActions")
  }

  /// Strings as they are, everything else as its JSON text: delta-rs writes numbers.
  private static func texts(_ object: JSONObject?) -> [String: String] {
    var texts: [String: String] = [:]
    for (name, value) in object?.members ?? [] {
      texts[name] = value.stringValue ?? value.text
    }
    return texts
  }

  func write(to json: inout JSONWriter) {
    json.field("timestamp", ifPresent: timestamp)
    json.field("operation", ifPresent: operation)
    json.field("operationParameters", operationParameters)
    json.field("readVersion", ifPresent: readVersion)
    json.field("isolationLevel", ifPresent: isolationLevel)
    json.field("isBlindAppend", ifPresent: isBlindAppend)
    json.field("operationMetrics", operationMetrics)
    json.field("engineInfo", ifPresent: engineInfo)
    json.field("txnId", ifPresent: txnID)
    json.field("shopmetricsActions", ifPresent: actionCount)
    if let shopmetrics {
      json.key("shopmetrics")
      JSONValue.object(shopmetrics).write(to: &json)
    }
  }
}
