import Glibc
import Pipeline
import Systemd

/// `shopmetricsd --check-config --online`: the configuration, then what it is about.
enum OnlineCheckCommand {
  static func execute(_ path: String) throws(StartFailure) -> ExitStatus {
    let status = ConfigurationCommand(path, json: false).check()
    guard status == .success else { return status }
    let configuration: Configuration
    do {
      // Not what was just checked: that may do without the credentials of the service.
      configuration = try ConfigurationFile.load(path: path)
    } catch {
      throw StartFailure(error)
    }
    let online: OnlineCheck
    do {
      online = try OnlineCheck(configuration)
    } catch {
      throw StartFailure(error)
    }
    print(PrintableText.escapingLines(online.lines.joined(separator: "\n")))
    fflush(nil)
    for problem in online.problems { StartFailure(problem).report() }
    return online.problems.first?.exitStatus ?? .success
  }
}
