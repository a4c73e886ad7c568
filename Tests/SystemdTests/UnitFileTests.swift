import Foundation
import Testing

/// `deploy/shopmetricsd.service` as systemd itself judges it.
struct UnitFileTests {
  private static let analyze = ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  private static let deploy = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("deploy")

  /// Standard output and error together, and the exit status.
  private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(Self.analyze))
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  @Test(.enabled(if: analyze != nil, "systemd-analyze is not installed"))
  func `The unit has no directive that systemd does not know`() throws {
    // The program and its manual need not be installed where the tests run.
    let unit = try String(
      contentsOf: Self.deploy.appendingPathComponent("shopmetricsd.service"), encoding: .utf8)
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("shopmetrics-unit-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let copy = directory.appendingPathComponent("shopmetricsd.service")
    try unit.replacingOccurrences(of: "/usr/sbin/shopmetricsd", with: "/bin/true")
      .write(to: copy, atomically: true, encoding: .utf8)
    let (status, output) = try run(["verify", "--man=no", copy.path])
    #expect(output == "")
    #expect(status == 0)
  }

  @Test(.enabled(if: analyze != nil, "systemd-analyze is not installed"))
  func `The sandbox leaves an exposure of 1.1 at most`() throws {
    let path = Self.deploy.appendingPathComponent("shopmetricsd.service").path
    let (status, output) = try run(["security", "--offline=true", "--threshold=11", path])
    #expect(status == 0, "\(output)")
  }

  @Test func `The runtime's thread priorities are refused and do not kill`() throws {
    let unit = try String(
      contentsOf: Self.deploy.appendingPathComponent("shopmetricsd.service"), encoding: .utf8)
    let filters = unit.split(separator: "\n").filter { $0.hasPrefix("SystemCall") }
    #expect(
      filters == [
        "SystemCallArchitectures=native", "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources", "SystemCallErrorNumber=EPERM",
      ])
  }

  @Test func `Damaged state and a bad configuration are not tried again`() throws {
    let unit = try String(
      contentsOf: Self.deploy.appendingPathComponent("shopmetricsd.service"), encoding: .utf8)
    #expect(unit.contains("\nRestart=on-failure\n"))
    #expect(unit.contains("\nRestartPreventExitStatus=65 78\n"))
  }
}
