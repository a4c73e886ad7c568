/// Why a Parquet file could not be read or written.
///
/// `message` is one sentence for people: what was expected and what was found. `byteOffset` counts
/// from the start of the file where the place is known; `path` is the name given to the reader.
public struct ParquetError: Error, Equatable, Sendable {
  public enum Code: String, Sendable {
    /// The file does not start and end as a Parquet file does.
    case notParquet
    /// The file, a page or a value ends before its announced length.
    case truncated
    /// The footer or a page header is not what the format describes.
    case corruptMetadata
    /// The body of a page is not what its header announces.
    case corruptPage
    /// The stored CRC-32 of a page differs from that of its bytes.
    case checksumMismatch
    /// Legal Parquet that this library does not read.
    case unsupported
    /// The schema breaks a rule of the format.
    case invalidSchema
    /// The codec failed to compress.
    case compressionFailed
    /// The operating system refused to hand over the bytes.
    case unreadable
    /// A value, page or footer is larger than the format can express.
    case tooLarge
  }

  public let code: Code
  public let message: String
  public var byteOffset: Int?
  public var path: String?
  /// The `errno` behind `unreadable`; `nil` when the file could be opened and is not a regular one.
  public var systemError: Int32?

  public init(_ code: Code, _ message: String, byteOffset: Int? = nil, path: String? = nil) {
    self.code = code
    self.message = message
    self.byteOffset = byteOffset
    self.path = path
  }
}

extension ParquetError: CustomStringConvertible {
  public var description: String {
    var text = path.map { "\($0): " } ?? ""
    text += message
    if let byteOffset { text += " (at byte \(byteOffset))" }
    return "\(text) [\(code.rawValue)]"
  }
}
