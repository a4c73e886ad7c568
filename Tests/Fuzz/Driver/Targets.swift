import Clickstream
import DeltaLake
import JSON
import Parquet
import StreamCheckpoint

/// Opens a file and reads all of it, with limits that keep one input quick.
func readParquet(_ input: UnsafeRawBufferPointer) {
  let limits = ReadLimits(
    pageBytes: 1 << 20, chunkValues: 1 << 14, chunkBytes: 1 << 20, footerBytes: 1 << 20)
  do {
    let file = try FileReader(bytes: [UInt8](input), name: "input", limits: limits)
    for rowGroup in 0..<file.rowGroupCount {
      for leaf in file.schema.leaves.indices {
        // One damaged column says nothing of the next one.
        _ = try? file.readColumn(rowGroup: rowGroup, leaf: leaf).entries { $0 }
      }
    }
    _ = try file.verifyStatistics()
  } catch {
    precondition(!error.message.isEmpty, "an error says what is wrong")
  }
}

private nonisolated(unsafe) let decoder = ClickEventDecoder(
  declaredColumns: DeclaredType.allCases.map {
    DeclaredColumn(name: $0.rawValue, field: $0.rawValue, type: $0)
  })

/// Decodes a message's value with a declared column of each type.
func decodeEvent(_ input: UnsafeRawBufferPointer) {
  if let rejected = decoder.decode(input) {
    precondition(!rejected.detail.isEmpty, "a dead letter says what is wrong")
  } else {
    precondition(!decoder.event.eventID.isNull, "a good event has an id")
  }
}

/// What is parsed and written again is the same value.
func parseJSON(_ input: UnsafeRawBufferPointer) {
  guard let value = try? JSONValue.parse(input) else { return }
  guard let again = try? JSONValue.parse(value.text) else {
    preconditionFailure("our own JSON does not parse")
  }
  precondition(again == value, "a value changes when it is written and parsed")
}

/// Each line as an action of the Delta log; what is read and written again is the same action.
func parseActions(_ input: UnsafeRawBufferPointer) {
  for line in input.split(separator: 0x0A) {
    guard let value = try? JSONValue.parse([UInt8](line)), let action = try? Action(value) else {
      continue
    }
    guard let text = try? JSONValue.parse(action.line), let again = try? Action(text) else {
      preconditionFailure("our own action does not parse")
    }
    precondition(again == action, "an action changes when it is written and parsed")
    if case .metadata(let metadata) = action {
      _ = try? StructType(schemaString: metadata.schemaString)
    }
  }
}

/// The bytes as every kind of file in a streaming checkpoint.
func parseCheckpointFiles(_ input: UnsafeRawBufferPointer) {
  let bytes = [UInt8](input)
  if let entry = try? OffsetLogEntry(bytes: bytes, path: "input") {
    guard let again = try? OffsetLogEntry(bytes: entry.bytes, path: "again") else {
      preconditionFailure("our own offsets file does not parse")
    }
    precondition(again.batchTimestampMs == entry.batchTimestampMs, "a time changes")
    for case let text? in entry.sources {
      _ = try? KafkaOffsetsJSON.parse(text, path: "input")
    }
  }
  _ = try? CommitLogEntry(bytes: bytes, path: "input")
  if let offsets = try? KafkaOffsetsJSON.parse(
    String(decoding: bytes, as: UTF8.self), path: "input")
  {
    let text = KafkaOffsetsJSON.text(
      topic: offsets.topic, offsets: offsets.offsets, order: .like(offsets.order))
    guard let again = try? KafkaOffsetsJSON.parse(text, path: "again") else {
      preconditionFailure("our own offsets do not parse")
    }
    precondition(again == offsets, "offsets change when they are written and parsed")
  }
}
