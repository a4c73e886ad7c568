import JSON
import Testing

@testable import DeltaLake

/// The lines of formats that Spark with Delta 3.3 writes, byte for byte.
struct ActionTests {
  private func decode(_ line: String) throws -> Action {
    try Action(try JSONValue.parse(line))
  }

  static let sparkLines = [
    #"{"txn":{"appId":"21dd4fe8-659a-47dc-963f-9a7eb5f94023","version":0,"#
      + #""lastUpdated":1795363079555}}"#,
    #"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
    #"{"add":{"path":"part-00000-eec9a2e4-c000.snappy.parquet","partitionValues":{},"size":2403,"#
      + #""modificationTime":1795363078852,"dataChange":true,"stats":"{\"numRecords\":3}"}}"#,
    #"{"remove":{"path":"part-1.parquet","deletionTimestamp":1795363578257,"dataChange":false,"#
      + #""extendedFileMetadata":true,"partitionValues":{},"size":1216}}"#,
    #"{"metaData":{"id":"4cd3a39d-2332-4af7-b306-ec1897a2c95f","format":{"provider":"parquet","#
      + #""options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","#
      + #""partitionColumns":["d"],"configuration":{"delta.appendOnly":"true"},"#
      + #""createdTime":1795363065519}}"#,
    #"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["x"],"#
      + #""writerFeatures":["x","appendOnly"]}}"#,
    #"{"add":{"path":"c=a%20b%252F/x.parquet","partitionValues":{"c":null,"d":"1"},"size":0,"#
      + #""modificationTime":0,"dataChange":false,"tags":{"k":"v"}}}"#,
    #"{"commitInfo":{"timestamp":1,"operation":"WRITE","operationParameters":{},"readVersion":4,"#
      + #""isolationLevel":"Serializable","isBlindAppend":true,"#
      + #""operationMetrics":{"numAddedFiles":"1"},"engineInfo":"e","txnId":"t"}}"#,
    #"{"domainMetadata":{"domain":"d","configuration":"","removed":false}}"#,
    #"{"something":[1,2]}"#,
  ]

  @Test(arguments: sparkLines)
  func `a line read and written again is the same line`(line: String) throws {
    #expect(try decode(line).line == line)
  }

  @Test func `our accounting comes last in commitInfo and survives as it was`() throws {
    let accounting = #"{"query":"q","batch":12,"second":{"table":"t","actions":[{"add":{}}]}}"#
    var info = TemporaryTable.info()
    info.txnID = "id"
    info.shopmetrics = try JSONValue.parse(accounting).objectValue
    let bytes = CommitFile.bytes(info, [])
    let line = String(decoding: bytes, as: UTF8.self)
    #expect(
      line == #"{"commitInfo":{"timestamp":1769853600000,"operation":"STREAMING UPDATE","#
        + #""operationParameters":{"outputMode":"Append"},"isolationLevel":"Serializable","#
        + #""isBlindAppend":true,"operationMetrics":{"numAddedFiles":"1"},"engineInfo":"test/1","#
        + #""txnId":"id","shopmetricsActions":1,"shopmetrics":"# + accounting + "}}\n")
    let read = try CommitFile.parse(bytes, table: "t", version: 0)
    #expect(read.commitInfo?.shopmetrics == info.shopmetrics)
  }

  @Test func `null fields count as absent, as delta-rs writes them`() throws {
    let line =
      #"{"add":{"path":"p","partitionValues":{"p":null},"size":1,"modificationTime":2,"#
      + #""dataChange":true,"stats":null,"tags":null,"baseRowId":null,"deletionVector":null}}"#
    let expected = AddFile(
      path: "p", partitionValues: ["p": nil], size: 1, modificationTime: 2, dataChange: true)
    #expect(try decode(line) == .add(expected))
  }

  @Test func `commitInfo may have any shape`() throws {
    let line =
      #"{"commitInfo":{"timestamp":"soon","operation":7,"operationParameters":[1],"#
      + #""operationMetrics":{"num_added_files":3,"avg":{"x":1.5}},"isBlindAppend":"no"}}"#
    guard case .commitInfo(let info) = try decode(line) else {
      Issue.record("not read as commitInfo")
      return
    }
    #expect(info.operation == nil)
    #expect(info.isBlindAppend == nil)
    #expect(info.operationMetrics == ["num_added_files": "3", "avg": #"{"x":1.5}"#])
  }

  @Test(arguments: [
    (#"{"add":{"path":1}}"#, "add.path: expected a string, found 1"),
    (#"{"add":{}}"#, "add.path: expected a string, found nothing"),
    (
      #"{"add":{"path":"p","size":-1}}"#,
      "add.size: expected a size of 0 or more bytes, found -1"
    ),
    (
      #"{"add":{"path":"p","size":9223372036854775808}}"#,
      "add.size: expected a 64-bit integer, found 9223372036854775808"
    ),
    (#"{"txn":{"appId":"a","version":1.5}}"#, "txn.version: expected a 64-bit integer, found 1.5"),
    (#"{"protocol":7}"#, "protocol: expected an object"),
    (
      #"{"metaData":{"id":"x","partitionColumns":[1]}}"#, "metaData.schemaString: expected a string"
    ),
    (#"{"add":{},"txn":{}}"#, "expected one action, found 2: add, txn"),
    (#"[]"#, "expected an object with one action"),
    (#"{}"#, "expected an object with one action"),
  ])
  func `a wrong field is named with what was found`(line: String, message: String) throws {
    let error = #expect(throws: ActionError.self) { try decode(line) }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
  }

  @Test func `a file with a deletion vector is refused`() throws {
    let line =
      #"{"add":{"path":"p","size":1,"modificationTime":2,"dataChange":true,"#
      + #""deletionVector":{"storageType":"u"}}}"#
    #expect(throws: ActionError.self) { try decode(line) }
  }
}
