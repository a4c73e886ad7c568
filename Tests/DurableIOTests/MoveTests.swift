import DurableIO
import Foundation
import Testing

@Suite struct MoveTests {
  private let publisher = Publisher(lock: nil)

  private func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  @Test func `a data file gets a second name, twice as well as once`() throws {
    let scratch = try ScratchDirectory()
    try write("rows", to: "\(scratch.path)/a")
    for _ in 0..<2 {
      try publisher.link("\(scratch.path)/a", to: "\(scratch.path)/b", role: .eventsData)
    }
    #expect(try scratch.bytes(of: "b") == Array("rows".utf8))
    #expect(try scratch.names() == ["a", "b"])
  }

  @Test func `another file under that name is an error and stays`() throws {
    let scratch = try ScratchDirectory()
    try write("rows", to: "\(scratch.path)/a")
    try write("others", to: "\(scratch.path)/b")
    #expect(throws: SystemError.self) {
      try publisher.link("\(scratch.path)/a", to: "\(scratch.path)/b", role: .eventsData)
    }
    #expect(try scratch.bytes(of: "b") == Array("others".utf8))
  }

  @Test func `a directory moves with everything in it`() throws {
    let scratch = try ScratchDirectory()
    try Files.makeDirectories("\(scratch.path)/old/offsets")
    try write("v1", to: "\(scratch.path)/old/offsets/0")
    try publisher.moveDirectory(
      "\(scratch.path)/old", to: "\(scratch.path)/new", role: .rebuildIntent)
    #expect(try scratch.names() == ["new"])
    #expect(try scratch.bytes(of: "new/offsets/0") == Array("v1".utf8))
  }

  @Test func `a directory never moves over one with files`() throws {
    let scratch = try ScratchDirectory()
    for name in ["old", "new"] {
      try Files.makeDirectories("\(scratch.path)/\(name)")
      try write(name, to: "\(scratch.path)/\(name)/f")
    }
    #expect(throws: SystemError.self) {
      try publisher.moveDirectory(
        "\(scratch.path)/old", to: "\(scratch.path)/new", role: .rebuildIntent)
    }
    #expect(try scratch.bytes(of: "new/f") == Array("new".utf8))
  }

  @Test func `a tree goes with its links, and what they point to stays`() throws {
    let scratch = try ScratchDirectory()
    try Files.makeDirectories("\(scratch.path)/tree/deep")
    try write("rows", to: "\(scratch.path)/kept")
    try FileManager.default.createSymbolicLink(
      atPath: "\(scratch.path)/tree/deep/link", withDestinationPath: "\(scratch.path)/kept")
    try publisher.removeTree("\(scratch.path)/tree")
    try publisher.removeTree("\(scratch.path)/tree")
    #expect(try scratch.names() == ["kept"])
  }
}
