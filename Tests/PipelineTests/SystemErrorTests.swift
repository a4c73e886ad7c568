import DurableIO
import Glibc
import Pipeline
import Testing

@Suite struct SystemErrorTests {
  private func translated(
    _ number: Int32, outcome: SystemError.Outcome = .notPublished
  ) -> PipelineError {
    .translating(
      SystemError(errno: number, call: "write", path: "/srv/shop/state/f", outcome: outcome))
  }

  @Test(arguments: [
    (ENOSPC, "DISK_FULL", "`df -h /srv/shop/state`"),
    (EDQUOT, "DISK_QUOTA", "`quota`"),
    (EROFS, "DISK_READ_ONLY", "ReadWritePaths=/srv/shop/state"),
    (EACCES, "DISK_NO_ACCESS", "ReadWritePaths=/srv/shop/state"),
    (EPERM, "DISK_NO_ACCESS", "`lsattr`"),
    (EIO, "DISK_ERROR", "`journalctl -k`"),
    (EMFILE, "TOO_MANY_FILES", "LimitNOFILE="),
    (ENFILE, "TOO_MANY_FILES", "LimitNOFILE="),
    (EFBIG, "FILE_TOO_LARGE", "LimitFSIZE="),
    (ELOOP, "SYSTEM_CALL", "`namei -l /srv/shop/state/f`"),
  ])
  func `an error has a code and a remedy of its own, and is tried again`(
    number: Int32, code: String, remedy: String
  ) {
    let error = translated(number)
    #expect(error.code == code)
    #expect(error.remedy.contains(remedy))
    #expect(error.message.contains("/srv/shop/state/f"))
    #expect(error.effect == PipelineError.nothingChanged)
    #expect(error.isRetried)
    #expect(MessageCatalog.id(of: code) != nil)
  }

  @Test func `what came after a file had its name does not say that nothing changed`() {
    let error = translated(EIO, outcome: .published)
    #expect(error.code == "DISK_ERROR")
    #expect(error.effect.contains("has its name"))
    #expect(error.isRetried)
  }

  @Test func `a failed sync ends the daemon with 74`() {
    let error = translated(EIO, outcome: .unknown)
    #expect(error.code == "SYNC_FAILED")
    #expect(!error.isRetried)
    #expect(error.exitStatus == .inputOutput)
  }

  @Test func `a lock that cannot be opened says why`() {
    let failure = InstanceLock.Failure.system(
      SystemError(errno: EACCES, call: "open", path: "/srv/lock"))
    #expect(PipelineError.translating(failure).code == "DISK_NO_ACCESS")
  }
}
