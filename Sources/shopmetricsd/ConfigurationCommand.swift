import Glibc
import JSON
import Pipeline
import Systemd

/// `--check-config` and `--dump-config`: look at the configuration and change nothing.
struct ConfigurationCommand {
  private let path: String
  private let json: Bool

  init(_ path: String, json: Bool) {
    self.path = path
    self.json = json
  }

  func check() -> ExitStatus {
    do {
      let check = try ConfigurationFile.check(path: path)
      let fit = fit(of: check.configuration)
      if let problem = fit.problem { return refuse(problem) }
      accept(check, fit)
      return .success
    } catch {
      refuse(error)
      return .configuration
    }
  }

  func dump() -> ExitStatus {
    do {
      let dump = try ConfigurationFile.dump(path: path)
      print(json ? dump.json : dump.toml, terminator: json ? "\n" : "")
      return .success
    } catch {
      refuse(error)
      return .configuration
    }
  }

  // MARK: The state on disk

  private struct Fit {
    /// Where the next run goes on.
    var position: String?
    /// The settings do not fit the state.
    var problem: PipelineError?
    /// The state is damaged, or cannot be looked at by whoever asks; no fault of the settings.
    var note: String?
  }

  private func fit(of configuration: Configuration) -> Fit {
    do {
      return Fit(position: try StateFit.examine(configuration))
    } catch  where error.kind == .configuration {
      return Fit(problem: error)
    } catch {
      return Fit(note: "the state on disk is not fit for a start, or not checked here: \(error)")
    }
  }

  // MARK: Saying it

  private func accept(_ check: ConfigurationFile.Check, _ fit: Fit) {
    let notes = check.notes + [fit.note].compactMap { $0 }
    guard json else {
      say("\(path): ok, \(ConfigurationDump.changeCount(check.changedSettings))")
      if let position = fit.position { say("checkpoint: \(position)") }
      for note in notes { say("note: \(note)") }
      return
    }
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("file", path)
    writer.field("ok", true)
    writer.field("changed", check.changedSettings)
    if let position = fit.position { writer.field("checkpoint", position) }
    writer.key("notes")
    writer.beginArray()
    for note in notes { writer.string(note) }
    writer.endArray()
    writer.endObject()
    print(writer.text)
  }

  private func refuse(_ errors: ConfigurationErrors) {
    guard json else { return complain(errors.description) }
    writeProblems(errors.problems.map { ($0.message, $0.place?.line, $0.place?.column) })
  }

  private func refuse(_ problem: PipelineError) -> ExitStatus {
    if json {
      writeProblems([("\(problem)", nil, nil)])
    } else {
      complain("\(path): error: \(problem)\n1 error (exit status \(problem.exitStatus.rawValue))")
    }
    return problem.exitStatus
  }

  private func writeProblems(_ problems: [(message: String, line: Int?, column: Int?)]) {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("file", path)
    writer.field("ok", false)
    writer.key("problems")
    writer.beginArray()
    for problem in problems {
      writer.beginObject()
      writer.field("message", problem.message)
      if let line = problem.line { writer.field("line", line) }
      if let column = problem.column { writer.field("column", column) }
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    print(writer.text)
  }

  /// Names and values of the file may hold what a terminal obeys.
  private func say(_ text: String) { print(PrintableText.escaping(text)) }

  private func complain(_ text: String) {
    let bytes = Array("\(PrintableText.escapingLines(text))\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}
