/// What tells a record from every other that could stand at its offset.
///
/// A topic that was deleted and made again has the same name, and soon the same offsets; its
/// records are others. Comparing the newest one that was read shows it, whatever the brokers'
/// version and the library's.
package struct RecordProof: Equatable, Sendable {
  package var offset: Int64
  /// FNV-1a over the timestamp, the key and the value, each with its length.
  package var hash: UInt64

  package init(offset: Int64, hash: UInt64) {
    self.offset = offset
    self.hash = hash
  }

  init(_ message: MessageView) {
    offset = message.offset
    hash = 0xcbf2_9ce4_8422_2325
    add(number: message.timestampMs)
    for bytes in [message.key, message.value] {
      add(number: bytes.map { Int64($0.count) } ?? -1)
      if let bytes { add(bytes) }
    }
  }

  private mutating func add(number: Int64) {
    withUnsafeBytes(of: number.littleEndian) { add($0) }
  }

  private mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var hash = hash
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    self.hash = hash
  }
}
