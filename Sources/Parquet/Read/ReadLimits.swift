/// How much memory a file may ask of its reader.
///
/// A few bytes can stand for very much, legally: a run of equal levels, a compressed page. These
/// bounds end the reading with `tooLarge` before the memory is taken.
public struct ReadLimits: Equatable, Sendable {
  /// One page's bytes after decompression.
  public var pageBytes: Int
  /// One column chunk's values, nulls included.
  public var chunkValues: Int
  /// One column chunk's bytes of texts, decoded.
  public var chunkBytes: Int
  /// The footer.
  public var footerBytes: Int

  public init(
    pageBytes: Int = 512 << 20, chunkValues: Int = 1 << 26, chunkBytes: Int = 2 << 30,
    footerBytes: Int = 256 << 20
  ) {
    precondition(
      chunkBytes <= Int(UInt32.max), "texts of a chunk are addressed with 32 bits")
    self.pageBytes = pageBytes
    self.chunkValues = chunkValues
    self.chunkBytes = chunkBytes
    self.footerBytes = footerBytes
  }
}
