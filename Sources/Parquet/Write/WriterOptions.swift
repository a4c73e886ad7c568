/// How pages are compressed.
public enum Codec: Equatable, Sendable {
  case uncompressed
  case snappy
  /// `level` as libzstd counts: 1 is the fastest of the ordinary ones.
  case zstd(level: Int32)

  var format: CompressionCodec {
    switch self {
    case .uncompressed: .uncompressed
    case .snappy: .snappy
    case .zstd: .zstd
    }
  }
}

/// What a `FileWriter` can be told.
public struct WriterOptions: Equatable, Sendable {
  public var codec: Codec
  /// The size before compression at which a data page ends.
  ///
  /// One row is never split, so a page may be larger by one row.
  public var pageByteLimit: Int
  /// `name version x.y.z (build h)`: readers parse it, and parquet-mr ignores the bounds of strings
  /// in a file whose writer it cannot tell.
  public var createdBy: String

  public init(
    codec: Codec = .zstd(level: 1), pageByteLimit: Int = 1 << 20,
    createdBy: String = "shopmetricsd version 0.1.0 (build dev)"
  ) {
    precondition(pageByteLimit > 0, "a page holds at least one byte")
    self.codec = codec
    self.pageByteLimit = pageByteLimit
    self.createdBy = createdBy
  }
}
