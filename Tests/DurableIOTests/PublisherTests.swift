import DurableIO
import Foundation
import Testing

@Suite struct PublisherTests {
  private func publish(
    _ text: String, as name: String = "f", in directory: String,
    mode: PublishMode = .ifAbsent, sidecar: Bool = false, lock: InstanceLock? = nil
  ) throws -> PublishOutcome {
    try Publisher(lock: lock).publish(
      Array(text.utf8), as: name, in: directory, role: .offsets, mode: mode, sidecar: sidecar)
  }

  @Test func `a published file has its bytes and leaves nothing else`() throws {
    let scratch = try ScratchDirectory()
    #expect(try publish("one", in: scratch.path) == .published)
    #expect(try scratch.bytes(of: "f") == Array("one".utf8))
    #expect(try scratch.names() == ["f"])
  }

  @Test func `a name that is taken is a result and changes nothing`() throws {
    let scratch = try ScratchDirectory()
    _ = try publish("one", in: scratch.path, sidecar: true)
    let before = try scratch.names()
    #expect(try publish("two", in: scratch.path) == .alreadyExists)
    #expect(try publish("two", in: scratch.path, sidecar: true) == .alreadyExists)
    #expect(try scratch.bytes(of: "f") == Array("one".utf8))
    #expect(try scratch.names() == before)
  }

  @Test func `replace takes the place of an older file and of its checksum`() throws {
    let scratch = try ScratchDirectory()
    _ = try publish("one", in: scratch.path, sidecar: true)
    #expect(try scratch.names() == [".f.crc", "f"])
    _ = try publish("two", in: scratch.path, mode: .replace)
    #expect(try scratch.bytes(of: "f") == Array("two".utf8))
    #expect(try scratch.names() == ["f"], "a stale checksum would make Spark refuse the file")
  }

  @Test func `the sidecar is Hadoop's`() throws {
    let scratch = try ScratchDirectory()
    let text = "v1\n{\"nextBatchWatermarkMs\":0}"
    _ = try publish(text, in: scratch.path, sidecar: true)
    // CRC-32 of these 29 bytes by Python's zlib.crc32.
    #expect(
      try scratch.bytes(of: ".f.crc")
        == [0x63, 0x72, 0x63, 0, 0, 0, 2, 0, 0xF3, 0x2A, 0xBF, 0xDD])
  }

  @Test(arguments: [false, true])
  func `of many publishers of one name exactly one wins`(sidecar: Bool) throws {
    let scratch = try ScratchDirectory()
    let path = scratch.path
    for id in 0..<50 {
      let winners = Winners()
      DispatchQueue.concurrentPerform(iterations: 8) { index in
        let outcome = try? Publisher(lock: nil).publish(
          [UInt8(index)], as: "\(id)", in: path, role: .commits, mode: .ifAbsent, sidecar: sidecar)
        if outcome == .published { winners.add(index) }
      }
      #expect(winners.all.count == 1)
      let bytes = try scratch.bytes(of: "\(id)")
      #expect(bytes == winners.all.map { UInt8($0) })
      // A loser's checksum file must never make the winner's file look damaged.
      if let checksum = try? scratch.bytes(of: ".\(id).crc") {
        try HadoopChecksum.verify(bytes, sidecar: checksum, path: "\(id)")
      }
    }
    #expect(try scratch.names().filter { !$0.hasPrefix(".") }.count == 50)
  }

  @Test func `a process whose lock file was replaced publishes nothing`() throws {
    let scratch = try ScratchDirectory()
    let lock = try InstanceLock.acquire(path: "\(scratch.path)/lock")
    #expect(try publish("one", as: "a", in: scratch.path, lock: lock) == .published)
    try FileManager.default.removeItem(atPath: "\(scratch.path)/lock")
    let second = try InstanceLock.acquire(path: "\(scratch.path)/lock")
    #expect(throws: SystemError.self) {
      try publish("two", as: "b", in: scratch.path, lock: lock)
    }
    #expect(try scratch.names() == ["a", "lock"])
    withExtendedLifetime(second) {}
  }

  @Test func `only our own leftovers are swept`() throws {
    let scratch = try ScratchDirectory()
    let leftover = ".7.\(UUID().uuidString.lowercased()).tmp"
    for name in [leftover, ".editor.tmp", "7", "notes.tmp", ".x.swp"] {
      try Data().write(to: URL(fileURLWithPath: "\(scratch.path)/\(name)"))
    }
    #expect(try Publisher(lock: nil).sweepTemporaries(in: scratch.path) == [leftover])
    #expect(try scratch.names() == [".editor.tmp", ".x.swp", "7", "notes.tmp"])
  }

  @Test func `a data file never takes the place of another`() throws {
    let scratch = try ScratchDirectory()
    let publisher = Publisher(lock: nil)
    let file = try publisher.createDataFile("d", in: scratch.path, role: .bronzeData)
    try [1, 2, 3].withUnsafeBytes { try file.write($0) }
    try file.close()
    #expect(file.byteCount == 3 * MemoryLayout<Int>.size)
    let error = #expect(throws: SystemError.self) {
      try publisher.createDataFile("d", in: scratch.path, role: .bronzeData)
    }
    #expect(error?.description == "open \(scratch.path)/d: File exists (EEXIST)")
  }
}

private final class Winners: @unchecked Sendable {
  // Safe because every access holds the lock.
  private let lock = NSLock()
  private var indices: [Int] = []

  var all: [Int] { lock.withLock { indices } }

  func add(_ index: Int) { lock.withLock { indices.append(index) } }
}
