extension LogicalType {
  /// The member of the union that is set.
  init(from reader: inout CompactReader, _ field: CompactReader.Field) throws(ParquetError) {
    var type = LogicalType.none
    try reader.structure(field) { reader, member throws(ParquetError) in
      switch member.id {
      case 1: type = .string
      case 2: type = .map
      case 3: type = .list
      case 6: type = .date
      case 5: type = try readDecimal(&reader, member)
      case 8: type = try readTimestamp(&reader, member)
      case 10: type = try readInteger(&reader, member)
      default: type = .other(member.id)
      }
      switch member.id {
      case 5, 8, 10: break
      default: try reader.skip(member)
      }
    }
    self = type
  }

  /// What the older annotation says, for files that have no other.
  init(convertedType: Int32?, precision: Int32?, scale: Int32?) {
    self =
      switch convertedType {
      case 0: .string
      case 1, 2: .map
      case 3: .list
      case 4: .other(4)  // ENUM
      case 5: .decimal(precision: precision ?? 0, scale: scale ?? 0)
      case 6: .date
      case 7, 8: .other(7)  // TIME
      case 9: .timestampMillis(utc: true)
      case 10: .timestampMicros(utc: true)
      case 11: .integer(bitWidth: 8, signed: false)
      case 12: .integer(bitWidth: 16, signed: false)
      case 13: .integer(bitWidth: 32, signed: false)
      case 14: .integer(bitWidth: 64, signed: false)
      case 15: .integer(bitWidth: 8, signed: true)
      case 16: .integer(bitWidth: 16, signed: true)
      case 17: .integer(bitWidth: 32, signed: true)
      case 18: .integer(bitWidth: 64, signed: true)
      case 19: .other(12)  // JSON
      case 20: .other(13)  // BSON
      default: .none
      }
  }
}

private func readDecimal(
  _ reader: inout CompactReader, _ member: CompactReader.Field
) throws(ParquetError) -> LogicalType {
  var (precision, scale): (Int32?, Int32?)
  try reader.structure(member) { reader, field throws(ParquetError) in
    switch field.id {
    case 1: scale = try reader.int32(field)
    case 2: precision = try reader.int32(field)
    default: try reader.skip(field)
    }
  }
  return .decimal(
    precision: try required(precision, "precision", reader),
    scale: try required(scale, "scale", reader))
}

private func readTimestamp(
  _ reader: inout CompactReader, _ member: CompactReader.Field
) throws(ParquetError) -> LogicalType {
  var utc: Bool?
  var unit: Int16?
  try reader.structure(member) { reader, field throws(ParquetError) in
    switch field.id {
    case 1: utc = try reader.boolean(field)
    case 2:
      try reader.structure(field) { reader, choice throws(ParquetError) in
        unit = choice.id
        try reader.skip(choice)
      }
    default: try reader.skip(field)
    }
  }
  let adjusted = try required(utc, "isAdjustedToUTC", reader)
  switch try required(unit, "unit", reader) {
  case 1: return .timestampMillis(utc: adjusted)
  case 2: return .timestampMicros(utc: adjusted)
  case 3: return .timestampNanos(utc: adjusted)
  case let unknown:
    throw reader.cursor.error(.unsupported, "time unit \(unknown) is not known")
  }
}

private func readInteger(
  _ reader: inout CompactReader, _ member: CompactReader.Field
) throws(ParquetError) -> LogicalType {
  var bitWidth: Int8?
  var signed: Bool?
  try reader.structure(member) { reader, field throws(ParquetError) in
    switch field.id {
    case 1: bitWidth = try reader.int8(field)
    case 2: signed = try reader.boolean(field)
    default: try reader.skip(field)
    }
  }
  return .integer(
    bitWidth: try required(bitWidth, "bitWidth", reader),
    signed: try required(signed, "isSigned", reader))
}
