/// How a page's values are encoded (parquet.thrift, `enum Encoding`).
///
/// A structure, because a file may name encodings that this library has never heard of in columns
/// nobody asks for.
public struct Encoding: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let plain = Encoding(rawValue: 0)
  public static let plainDictionary = Encoding(rawValue: 2)
  public static let rle = Encoding(rawValue: 3)
  public static let bitPacked = Encoding(rawValue: 4)
  public static let deltaBinaryPacked = Encoding(rawValue: 5)
  public static let deltaLengthByteArray = Encoding(rawValue: 6)
  public static let deltaByteArray = Encoding(rawValue: 7)
  public static let rleDictionary = Encoding(rawValue: 8)
  public static let byteStreamSplit = Encoding(rawValue: 9)

  public var description: String {
    switch self {
    case .plain: "PLAIN"
    case .plainDictionary: "PLAIN_DICTIONARY"
    case .rle: "RLE"
    case .bitPacked: "BIT_PACKED"
    case .deltaBinaryPacked: "DELTA_BINARY_PACKED"
    case .deltaLengthByteArray: "DELTA_LENGTH_BYTE_ARRAY"
    case .deltaByteArray: "DELTA_BYTE_ARRAY"
    case .rleDictionary: "RLE_DICTIONARY"
    case .byteStreamSplit: "BYTE_STREAM_SPLIT"
    default: "encoding \(rawValue)"
    }
  }
}

/// How a page's bytes are compressed (parquet.thrift, `enum CompressionCodec`).
public struct CompressionCodec: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let uncompressed = CompressionCodec(rawValue: 0)
  public static let snappy = CompressionCodec(rawValue: 1)
  public static let gzip = CompressionCodec(rawValue: 2)
  public static let lzo = CompressionCodec(rawValue: 3)
  public static let brotli = CompressionCodec(rawValue: 4)
  public static let lz4 = CompressionCodec(rawValue: 5)
  public static let zstd = CompressionCodec(rawValue: 6)
  public static let lz4Raw = CompressionCodec(rawValue: 7)

  public var description: String {
    switch self {
    case .uncompressed: "UNCOMPRESSED"
    case .snappy: "SNAPPY"
    case .gzip: "GZIP"
    case .lzo: "LZO"
    case .brotli: "BROTLI"
    case .lz4: "LZ4"
    case .zstd: "ZSTD"
    case .lz4Raw: "LZ4_RAW"
    default: "codec \(rawValue)"
    }
  }
}

/// What a page holds (parquet.thrift, `enum PageType`).
public struct PageType: RawRepresentable, Hashable, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let data = PageType(rawValue: 0)
  public static let index = PageType(rawValue: 1)
  public static let dictionary = PageType(rawValue: 2)
  public static let dataV2 = PageType(rawValue: 3)
}

/// By which order a column's statistics compare (parquet.thrift, `union ColumnOrder`).
public enum ColumnOrder: Equatable, Sendable {
  case typeDefined
  case unknown
}
