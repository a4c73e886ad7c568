extension FileReader {
  /// The least and the greatest value of an INT64 leaf in one row group, as the footer states them.
  ///
  /// - Returns: nil when the footer states none, states what cannot be, or compares the leaf in
  ///   another order than that of signed numbers; the row group may then hold any value.
  public func int64Bounds(rowGroup: Int, leaf: Int) -> ClosedRange<Int64>? {
    precondition(metadata.rowGroups.indices.contains(rowGroup), "there is no such row group")
    precondition(schema.leaves.indices.contains(leaf), "there is no such leaf in the schema")
    let column = schema.leaves[leaf]
    guard column.physicalType == .int64 else { return nil }
    if case .integer(_, signed: false) = column.logicalType { return nil }
    guard let stated = metadata.rowGroups[rowGroup].columns[leaf].metaData?.statistics,
      let low = Self.int64(stated.minValue), let high = Self.int64(stated.maxValue), low <= high
    else { return nil }
    return low...high
  }

  /// A PLAIN value of 8 bytes.
  private static func int64(_ bytes: [UInt8]?) -> Int64? {
    guard let bytes, bytes.count == 8 else { return nil }
    return bytes.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }
  }
}
