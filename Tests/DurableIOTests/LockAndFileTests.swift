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

  @Test(arguments: ["f", "f/below"])
  func `a file where a directory should be is an error`(name: String) throws {
    let scratch = try ScratchDirectory()
    try Data().write(to: URL(fileURLWithPath: "\(scratch.path)/f"))
    let error = #expect(throws: SystemError.self) {
      try Files.makeDirectories("\(scratch.path)/\(name)")
    }
    #expect(error?.errnoName == "ENOTDIR")
  }

  @Test func `a lock file that was removed or replaced is a lost lock`() throws {
    let scratch = try ScratchDirectory()
    let path = "\(scratch.path)/lock"
    let lock = try InstanceLock.acquire(path: path)
    try lock.check()
    try FileManager.default.removeItem(atPath: path)
    for _ in 0..<2 {
      let error = #expect(throws: SystemError.self) { try lock.check() }
      #expect(error?.isLostLock == true)
      #expect(error?.outcome == .unknown)
      try Data().write(to: URL(fileURLWithPath: path))
    }
  }

  @Test(arguments: [Int.min / 2, -1, 0, 1 << 33, Int.max / 2])
  func `no time of a file is too large`(seconds: Int) throws {
    // A file system with 64-bit times; others cut them off.
    let path = "/dev/shm/shopmetrics-\(UUID().uuidString)"
    try Data().write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    let time = timespec(tv_sec: seconds, tv_nsec: 5_000_000)
    #expect(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
    let found = try #require(try Files.status(path)?.mtimeMilliseconds)
    let limit = 253_402_300_799
    #expect(found / 1000 <= limit && found / 1000 >= -limit)
    if abs(seconds) < limit { #expect(found == Int64(seconds) * 1000 + 5) }
  }

  @Test func `a failed write says how many bytes had no room`() {
    let error = SystemError(errno: ENOSPC, call: "write", path: "/f", byteCount: 4096)
    #expect(error.description == "write /f: No space left on device (ENOSPC, for 4096 bytes)")
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
