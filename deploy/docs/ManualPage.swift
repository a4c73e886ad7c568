import Argp
import DeltaLake
import Pipeline

/// A manual: text by hand, with lists from the programs' tables where a line is `@NAME@`.
struct ManualPage {
  let text: String

  /// A line that asks for a list that does not exist.
  struct UnknownList: Error, CustomStringConvertible {
    let line: String
    var description: String { "no list is called \(line)" }
  }

  init(_ template: String) throws {
    let lines = template.split(separator: "\n", omittingEmptySubsequences: false)
    text = try lines.map { line in
      guard line.hasPrefix("@"), line.hasSuffix("@") else { return String(line) }
      guard let list = Self.list(String(line)) else { throw UnknownList(line: String(line)) }
      return list
    }.joined(separator: "\n")
  }

  private static func list(_ name: String) -> String? {
    switch name {
    case "@DAEMON-COMMANDS@": commands(DaemonCommand.table)
    case "@DAEMON-OPTIONS@": generalOptions(DaemonCommand.table)
    case "@DAEMON-EXAMPLES@": examples(DaemonCommand.table)
    case "@OPERATOR-COMMANDS@": commands(OperatorCommand.table)
    case "@OPERATOR-OPTIONS@": generalOptions(OperatorCommand.table)
    case "@OPERATOR-EXAMPLES@": examples(OperatorCommand.table)
    case "@MESSAGES@": MessageCatalog.sections.map(messages).joined(separator: "\n")
    case "@FINDINGS@":
      tagged(Finding.meanings.map { ("Sy \($0.code)", prose($0.meaning + ".")) })
    case "@RAW-COLUMNS@": columns(BronzeSchema.raw)
    case "@DEAD-LETTER-COLUMNS@": columns(BronzeSchema.deadLetter)
    case "@SESSIONS-COLUMNS@": columns(SessionsSchema.table)
    case _ where name.hasPrefix("@SETTINGS "): settings(of: name.dropFirst(10).dropLast())
    default: nil
    }
  }

  // MARK: Lists

  /// Each command with its own options below it.
  private static func commands(_ table: ProgramTable) -> String {
    tagged(
      table.commands.map { row in
        let own = table.options.filter { $0.commands.contains(row.name) }
        let list = own.isEmpty ? "" : "\n" + options(own, "-compact")
        return ("Cm \(row.name)", prose(row.summary + ".") + list)
      })
  }

  private static func generalOptions(_ table: ProgramTable) -> String {
    options(table.allOptions.filter(\.commands.isEmpty))
  }

  private static func options(_ rows: [OptionRow], _ style: String...) -> String {
    tagged(rows.map { (flag($0), prose($0.help + ".")) }, style)
  }

  private static func flag(_ row: OptionRow) -> String {
    let name = "Fl -\(row.name)"
    return switch row.argument {
    case .none: name
    case .required(let word): "\(name) Ar \(word)"
    case .optional(let word): "\(name) Ns Op = Ns Ar \(word)"
    }
  }

  private static func examples(_ table: ProgramTable) -> String {
    table.examples.map { example in
      """
      \(prose(example.purpose)):
      .Bd -literal -offset indent
      \(protected(escaped(example.line)))
      .Ed
      """
    }.joined(separator: "\n.Pp\n")
  }

  private static func messages(_ section: MessageCatalog.Section) -> String {
    ".Ss \(section.title)\n"
      + tagged(
        section.messages.map { message in
          let text = [message.subject + ".", message.cause].map(prose)
          let remedy = ".br\n" + prose("To do: " + message.remedy)
          return ("Sy \(message.code)", (text + [remedy]).joined(separator: "\n"))
        })
  }

  private static func columns(_ schema: StructType) -> String {
    tagged(
      schema.fields.map { field in
        ("Sy \(field.name) Pq \(field.type.name ?? "nested")", prose((field.comment ?? "") + "."))
      })
  }

  /// The keys of one table of the configuration; `nil` for a table that has none.
  private static func settings(of table: Substring) -> String? {
    let rows = Schema.settings.filter { $0.table == table }
    guard !rows.isEmpty else { return nil }
    return tagged(
      rows.map { row in
        let usual = row.defaultText.map { "default `\($0)`" } ?? "no default"
        let range = prose("Expected: \(row.expectation); \(usual).")
        return ("Sy \(row.key)", "\(prose(row.summary))\n.br\n\(range)")
      })
  }

  /// - Parameter items: marked up already.
  private static func tagged(
    _ items: [(tag: String, text: String)], _ style: [String] = []
  ) -> String {
    let list = items.map { ".It \($0.tag)\n\($0.text)" }.joined(separator: "\n")
    let arguments = (["-tag", "-width", "Ds"] + style).joined(separator: " ")
    return ".Bl \(arguments)\n\(list)\n.El"
  }

  // MARK: Text

  /// A paragraph, one sentence a line as mdoc(7) wants it, with commands in bold.
  ///
  /// Words of commands are not hyphenated, so that they can be copied.
  private static func prose(_ text: String) -> String {
    var isCommand = false
    let marked = escaped(text).reduce(into: "") { result, character in
      switch character {
      case "`":
        isCommand.toggle()
        result += isCommand ? "\\fB\\%" : "\\fP"
      case " " where isCommand: result += " \\%"
      default: result.append(character)
      }
    }
    return FilledText.lines(marked, width: 78, breaksSentences: true)
      .map(protected).joined(separator: "\n")
  }

  /// Text that roff(7) prints as it stands.
  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "\"": result += "\\(dq"
      case "…": result += "..."
      case "µ": result += "u"
      default: result.append(character)
      }
    }
  }

  /// A line that roff(7) does not take for a request.
  private static func protected(_ line: String) -> String {
    [".", "'"].contains { line.hasPrefix($0) } ? "\\&" + line : line
  }
}
