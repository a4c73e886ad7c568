import StreamCheckpoint
import Testing

@Suite struct OrderTests {
  /// What Spark 3.5 (Scala 2.12) wrote for so many partitions.
  @Test(arguments: [
    (1, "0"), (2, "1,0"), (3, "2,1,0"), (4, "2,1,3,0"), (6, "2,5,4,1,3,0"),
    (12, "8,11,2,5,4,7,10,1,9,3,6,0"),
    (20, "17,8,11,2,5,14,13,4,16,7,1,10,19,18,9,3,12,15,6,0"),
  ])
  func `the order of Spark 3 is that of its hash map`(count: Int, expected: String) throws {
    let offsets = Dictionary(uniqueKeysWithValues: (0..<Int32(count)).map { ($0, Int64(0)) })
    let text = KafkaOffsetsJSON.text(topic: "t", offsets: offsets, order: .spark3)
    let order = try KafkaOffsetsJSON.parse(text, path: "f").order
    #expect(order.map(String.init).joined(separator: ",") == expected)
  }

  @Test func `an order that is known is kept while the partitions are the same`() throws {
    let three: [Int32: Int64] = [0: 10, 1: 20, 2: 30]
    #expect(
      KafkaOffsetsJSON.text(topic: "clickstream-events", offsets: three, order: .like([2, 1, 0]))
        == #"{"clickstream-events":{"2":30,"1":20,"0":10}}"#)
    #expect(
      KafkaOffsetsJSON.text(topic: "t", offsets: three, order: .like([1, 0]))
        == #"{"t":{"0":10,"1":20,"2":30}}"#)
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"t":1}"#, #"{"t":{},"u":{}}"#, #"{"t":{"x":1}}"#, #"{"t":{"0":-1}}"#,
    #"{"t":{"0":1.5}}"#, #"{"t":{"0":"1"}}"#, #"{"t":{"0":99999999999999999999}}"#,
    #"{"t":{"-1":1}}"#, #"{"t":{"0":NaN}}"#, #"{"t":{"0":1,"0":2}}"#, #"{"t":{"0":1}"#,
  ])
  func `anything but offsets is refused`(text: String) {
    #expect(throws: CheckpointError.self) { try KafkaOffsetsJSON.parse(text, path: "f") }
  }

  @Test func `the largest offset is exact`() throws {
    let parsed = try KafkaOffsetsJSON.parse(#"{"t":{"0":9223372036854775807}}"#, path: "f")
    #expect(parsed.offsets == [0: .max])
  }
}
