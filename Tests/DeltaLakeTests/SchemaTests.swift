import Parquet
import Testing

@testable import DeltaLake

struct SchemaTests {
  static let spark =
    #"{"type":"struct","fields":["#
    + #"{"name":"value","type":"string","nullable":true,"metadata":{}},"#
    + #"{"name":"n","type":"long","nullable":true,"metadata":{"comment":"how many"}},"#
    + #"{"name":"amt","type":"decimal(10,2)","nullable":true,"metadata":{}},"#
    + #"{"name":"tags","type":{"type":"array","elementType":"string","containsNull":true},"#
    + #""nullable":true,"metadata":{}},"#
    + #"{"name":"m","type":{"type":"map","keyType":"string","valueType":"integer","#
    + #""valueContainsNull":false},"nullable":true,"metadata":{"x":[1,{"y":null}]}},"#
    + #"{"name":"s","type":{"type":"struct","fields":[{"name":"ts","type":"timestamp","#
    + #""nullable":false,"metadata":{}}]},"nullable":true,"metadata":{}}]}"#

  @Test func `Spark's schema text read and written again is the same text`() throws {
    let schema = try StructType(schemaString: Self.spark)
    #expect(schema.schemaString == Self.spark)
    #expect(schema.field(named: "n")?.comment == "how many")
    #expect(schema.field(named: "amt")?.type == .decimal(precision: 10, scale: 2))
    #expect(schema.field(named: "s")?.nullable == true)
  }

  @Test(arguments: DataType.named.keys.sorted())
  func `every named type is read and written by its name`(name: String) throws {
    let type = try #require(DataType(name: name))
    #expect(type.name == name)
  }

  @Test(arguments: [
    ("{", "expected JSON"), (#""long""#, "expected a struct"),
    (#"{"type":"struct"}"#, "expected an array of fields"),
    (#"{"type":"struct","fields":[{"type":"long"}]}"#, "expected a field with a name"),
    (#"{"type":"struct","fields":[{"name":"v","type":"variant"}]}"#, "type variant"),
    (#"{"type":"struct","fields":[{"name":"v","type":"decimal(39,2)"}]}"#, "type decimal(39,2)"),
    (#"{"type":"struct","fields":[{"name":"v","type":"decimal(5,6)"}]}"#, "type decimal(5,6)"),
    (#"{"type":"struct","fields":[{"name":"v"}]}"#, "column v: expected a type"),
    (#"{"type":"struct","fields":[{"name":"v","type":{"type":"array"}}]}"#, "v.element"),
  ])
  func `a schema that cannot be used says why`(text: String, reason: String) {
    let error = #expect(throws: SchemaError.self) { try StructType(schemaString: text) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func `columns become optional leaves of the types that Spark reads`() throws {
    let schema = try StructType(schemaString: Self.spark).parquetSchema()
    let leaves = schema.leaves.map { "\($0.path.joined(separator: ".")) \($0.physicalType)" }
    #expect(
      leaves == [
        "value byteArray", "n int64", "amt int64", "tags.list.element byteArray",
        "m.key_value.key byteArray", "m.key_value.value int32", "s.ts int64",
      ])
    #expect(schema.leaves[0].logicalType == .string)
    #expect(schema.leaves[2].logicalType == .decimal(precision: 10, scale: 2))
    #expect(schema.leaves[6].logicalType == .timestampMicros(utc: true))
    #expect(schema.fields.allSatisfy { $0.repetition == .optional })
  }

  @Test(arguments: [(19, 9), (20, 9), (38, 16)])
  func `wide decimals take as many bytes as their digits need`(precision: Int, bytes: Int32) throws
  {
    let type = DataType.decimal(precision: precision, scale: 0)
    let leaf = try StructType([StructField("d", type)]).parquetSchema().leaves[0]
    #expect(leaf.physicalType == .fixedLenByteArray)
    #expect(leaf.typeLength == bytes)
  }

  @Test func `an added column keeps identity and properties`() throws {
    let before = TemporaryTable.metadata(configuration: ["k": "v"])
    let after = try before.adding([StructField("extra", .double, comment: "new")])
    #expect(after.id == before.id)
    #expect(after.configuration == before.configuration)
    let schema = try StructType(schemaString: after.schemaString)
    #expect(schema.fields.last == StructField("extra", .double, comment: "new"))
    #expect(schema.fields.dropLast() == TemporaryTable.schema.fields[...])
  }

  @Test(arguments: [
    StructField("NAME", .string), StructField("a b", .string), StructField("", .string),
    StructField("x", .string, nullable: false),
  ])
  func `a column that would break other engines is not added`(column: StructField) {
    #expect(throws: SchemaError.self) { try TemporaryTable.metadata().adding([column]) }
  }
}
