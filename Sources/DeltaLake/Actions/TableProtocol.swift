import JSON

/// What a reader and a writer must be able to do: the `protocol` action of the Delta protocol.
public struct TableProtocol: Equatable, Sendable {
  public var minReaderVersion: Int64
  public var minWriterVersion: Int64
  /// Named features, given when `minReaderVersion` is 3.
  public var readerFeatures: [String]?
  /// Named features, given when `minWriterVersion` is 7.
  public var writerFeatures: [String]?

  public init(
    minReaderVersion: Int64, minWriterVersion: Int64, readerFeatures: [String]? = nil,
    writerFeatures: [String]? = nil
  ) {
    self.minReaderVersion = minReaderVersion
    self.minWriterVersion = minWriterVersion
    self.readerFeatures = readerFeatures
    self.writerFeatures = writerFeatures
  }

  /// What our tables ask for: every Delta reader and writer since 2019 can do it.
  public static let ours = TableProtocol(minReaderVersion: 1, minWriterVersion: 2)

  init(_ fields: ActionFields) throws(ActionError) {
    minReaderVersion = try fields.integer("minReaderVersion")
    minWriterVersion = try fields.integer("minWriterVersion")
    readerFeatures = try fields.optionalStrings("readerFeatures")
    writerFeatures = try fields.optionalStrings("writerFeatures")
  }

  func write(to json: inout JSONWriter) {
    json.field("minReaderVersion", minReaderVersion)
    json.field("minWriterVersion", minWriterVersion)
    if let readerFeatures { json.field("readerFeatures", readerFeatures) }
    if let writerFeatures { json.field("writerFeatures", writerFeatures) }
  }
}
