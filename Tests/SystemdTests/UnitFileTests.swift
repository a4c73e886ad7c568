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

  private static let testbed = ProcessInfo.processInfo.environment["SHOPMETRICS_TESTBED"]

  /// Standard output and error together, and the exit status.
  private func run(
    _ program: String?, _ arguments: [String]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(program))
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  private static let service = "shopmetricsd.service"
  private static let oneRun = "shopmetricsd-run.service"
  private static let timer = "shopmetricsd-run.timer"

  private func text(_ unit: String) throws -> String {
    try String(contentsOf: Self.deploy.appendingPathComponent(unit), encoding: .utf8)
  }

  @Test(.enabled(if: analyze != nil, "systemd-analyze is not installed"))
  func `No unit has a directive that systemd does not know`() throws {
    // The program and its manual need not be installed where the tests run.
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("shopmetrics-unit-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let copies = try [Self.service, Self.oneRun, Self.timer].map { unit in
      let copy = directory.appendingPathComponent(unit)
      try text(unit).replacingOccurrences(of: "/usr/sbin/shopmetricsd", with: "/bin/true")
        .write(to: copy, atomically: true, encoding: .utf8)
      return copy.path
    }
    let (status, output) = try run(Self.analyze, ["verify", "--man=no"] + copies)
    #expect(output == "")
    #expect(status == 0)
  }

  @Test(
    .enabled(if: analyze != nil, "systemd-analyze is not installed"),
    arguments: [service, oneRun])
  func `The sandbox leaves an exposure of 1.1 at most`(unit: String) throws {
    let path = Self.deploy.appendingPathComponent(unit).path
    let (status, output) = try run(
      Self.analyze, ["security", "--offline=true", "--threshold=11", path])
    #expect(status == 0, "\(output)")
  }

  @Test func `A run by the timer is confined and bounded like the service`() throws {
    let directives = try [Self.service, Self.oneRun].map { unit in
      try text(unit).split(separator: "\n").drop { !$0.hasPrefix("MemoryHigh=") }
        .filter { !$0.hasPrefix("#") }.prefix { !$0.hasPrefix("[") }
    }
    #expect(directives[0].count > 30)
    #expect(directives[0] == directives[1])
  }

  /// `systemd-analyze` accepts filters that the kernel does not; only a start shows that.
  @Test(
    .enabled(if: testbed != nil, "SHOPMETRICS_TESTBED names no folder with a real systemd"),
    .timeLimit(.minutes(5)))
  func `A real systemd applies the whole sandbox and starts a program in it`() throws {
    let script = """
      set -e
      cp '\(Self.deploy.path)/shopmetricsd.service' /etc/systemd/system/
      systemd-sysusers '\(Self.deploy.path)/shopmetricsd.sysusers'
      mkdir /etc/systemd/system/shopmetricsd.service.d
      printf '[Service]\\nType=oneshot\\nRestart=no\\nExecStart=\\nExecStart=%s\\n' \
        '/bin/sh -c "touch /var/lib/shopmetrics/made; ! touch /etc/made; id -un"' \
        > /etc/systemd/system/shopmetricsd.service.d/probe.conf
      systemctl daemon-reload
      systemctl start shopmetricsd || true
      journalctl --sync
      journalctl -u shopmetricsd -o cat
      systemctl show -p Result shopmetricsd
      stat -c '%U %G %a' /var/lib/shopmetrics
      """
    let guest = (Self.testbed ?? "") + "/with-systemd"
    let (status, output) = try run(guest, ["--", "/bin/sh", "-c", script])
    if status == 77 { try Test.cancel("no systemd can run on this machine: \(output)") }
    #expect(status == 0, "\(output)")
    #expect(output.contains("\nshopmetrics\n"), "\(output)")
    #expect(output.contains("Result=success\nshopmetrics shopmetrics 750"), "\(output)")
  }

  @Test func `The runtime's thread priorities are refused and do not kill`() throws {
    let lines = try text(Self.service).split(separator: "\n")
    let filters = lines.filter { $0.hasPrefix("SystemCall") }
    #expect(
      filters == [
        "SystemCallArchitectures=native", "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources", "SystemCallErrorNumber=EPERM",
      ])
  }

  @Test func `Damaged state and a bad configuration are not tried again`() throws {
    let unit = try text(Self.service)
    #expect(unit.contains("\nRestart=on-failure\n"))
    #expect(unit.contains("\nRestartPreventExitStatus=65 78\n"))
  }
}
