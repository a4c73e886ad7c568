import Argp
import DurableIO
import Glibc
import Pipeline

/// Writes everything that is made from the programs' own tables: manuals, shell completions, the
/// journal's catalog.
@main struct Documentation {
  static func main() {
    guard CommandLine.arguments.count == 3 else {
      complain("usage: shopmetrics-docs TEMPLATES OUTPUT")
      exit(EX_USAGE)
    }
    do {
      try write(templates: CommandLine.arguments[1], output: CommandLine.arguments[2])
    } catch {
      complain("\(error)")
      exit(EX_IOERR)
    }
  }

  private static let programs = [DaemonCommand.table, OperatorCommand.table]

  private static func write(templates: String, output: String) throws {
    for name in try Files.list(templates) {
      let template = String(decoding: try Files.read("\(templates)/\(name)"), as: UTF8.self)
      let page = name.hasSuffix(".in") ? String(name.dropLast(3)) : name
      try save(try ManualPage(template).text, as: "\(output)/man", page)
    }
    for table in programs {
      let shells = "\(output)/completions"
      try save(BashCompletion(table).text, as: "\(shells)/bash", table.name)
      try save(ZshCompletion(table).text, as: "\(shells)/zsh", "_\(table.name)")
      try save(FishCompletion(table).text, as: "\(shells)/fish", "\(table.name).fish")
    }
    try save(JournalCatalog.text, as: output, "shopmetrics.catalog")
  }

  private static func save(_ text: String, as directory: String, _ name: String) throws {
    try Files.makeDirectories(directory)
    let path = "\(directory)/\(name)"
    guard let file = fopen(path, "w") else {
      throw SystemError(errno: errno, call: "fopen", path: path)
    }
    let isWritten = fputs(text, file) >= 0
    guard fclose(file) == 0, isWritten else {
      throw SystemError(errno: errno, call: "fclose", path: path)
    }
  }

  private static func complain(_ text: String) {
    let bytes = Array("shopmetrics-docs: \(text)\n".utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
