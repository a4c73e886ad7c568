import DurableIO
import Foundation
import Testing

@Suite struct LockAndFileTests {
  @Test func `a second holder is refused with the first one's pid`() throws {
    let scratch = try ScratchDirectory()
    let path = "\(scratch.path)/lock"
    let first = try InstanceLock.acquire(path: path)
    let pid = ProcessInfo.processInfo.processIdentifier
    #expect(throws: InstanceLock.Failure.held(byPID: pid, path: path)) {
      try InstanceLock.acquire(path: path)
    }
    #expect(InstanceLock.holder(path: path) == pid)
    withExtendedLifetime(first) {}
  }

  @Test func `the lock is free when its holder is gone`() throws {
    let scratch = try ScratchDirectory()
    let path = "\(scratch.path)/lock"
    do { _ = try InstanceLock.acquire(path: path) }
    #expect(InstanceLock.holder(path: path) == nil)
    _ = try InstanceLock.acquire(path: path)
  }

  @Test func `errors name the call, the path and the reason`() throws {
    let scratch = try ScratchDirectory()
    let missing = "\(scratch.path)/none"
    #expect(try Files.readIfPresent(missing) == nil)
    #expect(try Files.status(missing) == nil)
    let absent = #expect(throws: SystemError.self) { try Files.read(missing) }
    #expect(absent?.description == "open \(missing): No such file or directory (ENOENT)")
    let directory = #expect(throws: SystemError.self) { try Files.read(scratch.path) }
    #expect(directory?.errnoName == "EISDIR")
    #expect(throws: SystemError.self) { try Files.list(missing) }
    try Files.remove(missing)
  }

  @Test func `a file beyond the limit is refused, not read`() throws {
    let scratch = try ScratchDirectory()
    try Data(count: 100).write(to: URL(fileURLWithPath: "\(scratch.path)/f"))
    let error = #expect(throws: SystemError.self) {
      try Files.read("\(scratch.path)/f", limit: 99)
    }
    #expect(error?.errnoName == "EFBIG")
    #expect(try Files.read("\(scratch.path)/f", limit: 100).count == 100)
  }

  @Test func `directories are made with their parents`() throws {
    let scratch = try ScratchDirectory()
    try Files.makeDirectories("\(scratch.path)/a/b/c")
    try Files.makeDirectories("\(scratch.path)/a/b/c")
    #expect(try Files.status("\(scratch.path)/a/b/c")?.isDirectory == true)
  }

  @Test(arguments: [0, 1, 511, 512, 513, 5000])
  func `a flipped byte is found in its chunk of 512`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let sidecar = HadoopChecksum.sidecar(of: bytes)
    #expect(sidecar.count == 8 + (count + 511) / 512 * 4)
    try HadoopChecksum.verify(bytes, sidecar: sidecar, path: "f")
    for position in stride(from: 0, to: count, by: 97) {
      var damaged = bytes
      damaged[position] ^= 0x10
      let error = #expect(throws: CorruptFileError.self) {
        try HadoopChecksum.verify(damaged, sidecar: sidecar, path: "f")
      }
      #expect(error?.byteOffset == position / 512 * 512)
    }
    #expect(throws: CorruptFileError.self) {
      try HadoopChecksum.verify(bytes + [1], sidecar: sidecar, path: "f")
    }
  }

  @Test func `random identifiers are version 4 and differ`() {
    let ids = (0..<100).map { _ in RandomUUID.text() }
    #expect(Set(ids).count == 100)
    #expect(ids.allSatisfy { UUID(uuidString: $0) != nil && $0 == $0.lowercased() })
    #expect(ids.allSatisfy { $0.dropFirst(14).first == "4" })
  }
}

#if DEBUG
  @Suite struct CrashPointTests {
    /// A process that dies at a step leaves nothing or the whole file, never a part of it.
    @Test(arguments: CrashPoint.Step.allCases)
    func `a kill at any step leaves the name whole or absent`(step: CrashPoint.Step) async throws {
      let scratch = try ScratchDirectory()
      let path = scratch.path
      let name = step.rawValue
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [path = path as String, name = name as String] in
        setenv("SHOPMETRICS_CRASH_AT", "offsets.\(name)", 1)
        _ = try Publisher(lock: nil).publish(
          Array("whole".utf8), as: "f", in: path, role: .offsets, mode: .ifAbsent, sidecar: false)
      }
      let isThere = step == .published || step == .directorySynced
      #expect(try scratch.names().contains("f") == isThere)
      if isThere { #expect(try scratch.bytes(of: "f") == Array("whole".utf8)) }
      _ = try Publisher(lock: nil).sweepTemporaries(in: path)
      #expect(try scratch.names() == (isThere ? ["f"] : []))
    }
  }
#endif
