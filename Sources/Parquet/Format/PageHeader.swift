// The structures in front of each page; the number beside a field is its Thrift id.

/// What stands before every page.
public struct PageHeader: Equatable, Sendable {
  public var type: PageType  // 1
  public var uncompressedPageSize: Int32  // 2: without this header
  public var compressedPageSize: Int32  // 3: without this header
  public var crc: Int32?  // 4: CRC-32 of the page as stored
  public var dataPage: DataPageHeader?  // 5
  public var dictionaryPage: DictionaryPageHeader?  // 7
  public var dataPageV2: DataPageHeaderV2?  // 8
}

public struct DataPageHeader: Equatable, Sendable {
  public var numValues: Int32  // 1: levels, so nulls are counted
  public var encoding: Encoding  // 2
  public var definitionLevelEncoding: Encoding  // 3
  public var repetitionLevelEncoding: Encoding  // 4
}

public struct DictionaryPageHeader: Equatable, Sendable {
  public var numValues: Int32  // 1
  public var encoding: Encoding  // 2
}

public struct DataPageHeaderV2: Equatable, Sendable {
  public var numValues: Int32  // 1
  public var numNulls: Int32  // 2
  public var numRows: Int32  // 3
  public var encoding: Encoding  // 4
  public var definitionLevelsByteLength: Int32  // 5
  public var repetitionLevelsByteLength: Int32  // 6
  public var isCompressed: Bool  // 7: true when the field is absent
}
