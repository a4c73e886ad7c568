// The footer's structures, as parquet.thrift of apache/parquet-format names them. The number
// beside a field is its Thrift id.

/// What the footer says about the whole file.
public struct FileMetaData: Equatable, Sendable {
  public var version: Int32  // 1
  public var schema: [SchemaElement]  // 2: depth first, the root first
  public var numRows: Int64  // 3
  public var rowGroups: [RowGroup]  // 4
  public var keyValueMetadata: [KeyValue]?  // 5
  public var createdBy: String?  // 6
  public var columnOrders: [ColumnOrder]?  // 7
}

/// One node of the flattened schema tree.
public struct SchemaElement: Equatable, Sendable {
  public var type: PhysicalType?  // 1: nil for a group
  public var typeLength: Int32?  // 2
  public var repetition: Repetition?  // 3: nil for the root
  public var name: String  // 4
  public var numChildren: Int32?  // 5: nil for a leaf
  public var convertedType: Int32?  // 6
  public var scale: Int32?  // 7
  public var precision: Int32?  // 8
  public var fieldID: Int32?  // 9
  public var logicalType: LogicalType?  // 10
}

/// An application's own note in the footer.
public struct KeyValue: Equatable, Sendable {
  public var key: String  // 1
  public var value: String?  // 2
}

/// A horizontal slice of the table.
public struct RowGroup: Equatable, Sendable {
  public var columns: [ColumnChunk]  // 1
  public var totalByteSize: Int64  // 2: uncompressed, page headers included
  public var numRows: Int64  // 3
  public var fileOffset: Int64?  // 5
  public var totalCompressedSize: Int64?  // 6
  public var ordinal: Int16?  // 7
}

/// Where one column of one row group lies.
public struct ColumnChunk: Equatable, Sendable {
  public var filePath: String?  // 1: set only when the data is in another file
  public var fileOffset: Int64  // 2: deprecated; writers put 0
  public var metaData: ColumnMetaData?  // 3
}

/// How one column chunk is stored.
public struct ColumnMetaData: Equatable, Sendable {
  public var type: PhysicalType  // 1
  public var encodings: [Encoding]  // 2
  public var pathInSchema: [String]  // 3
  public var codec: CompressionCodec  // 4
  public var numValues: Int64  // 5: levels, so nulls are counted
  public var totalUncompressedSize: Int64  // 6: page headers included
  public var totalCompressedSize: Int64  // 7: page headers included
  public var dataPageOffset: Int64  // 9
  public var dictionaryPageOffset: Int64?  // 11
  public var statistics: Statistics?  // 12
}

/// Bounds of a chunk's values, PLAIN encoded without a length prefix.
public struct Statistics: Equatable, Sendable {
  public var nullCount: Int64?  // 3
  public var maxValue: [UInt8]?  // 5
  public var minValue: [UInt8]?  // 6
}
