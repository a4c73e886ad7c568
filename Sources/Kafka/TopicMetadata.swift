/// What the brokers say about a topic.
package struct TopicMetadata: Equatable, Sendable {
  /// The cluster's id; `nil` from brokers that have none.
  package var clusterID: String?
  /// Ascending.
  package var partitions: [Int32]
  /// One partition of each broker that leads any.
  package var partitionPerLeader: [Int32]
}

/// Which offset of a partition is asked for.
package enum OffsetQuery: Equatable, Sendable {
  /// The first one that the broker still has.
  case beginning
  /// The one after the last committed record (the last stable offset).
  case end
  /// The first one whose record is not older, milliseconds since 1970.
  case timestamp(Int64)

  /// As ListOffsets spells it (Kafka protocol: -2 earliest, -1 latest).
  var wireValue: Int64 {
    switch self {
    case .beginning: -2
    case .end: -1
    case .timestamp(let milliseconds): milliseconds
    }
  }
}
