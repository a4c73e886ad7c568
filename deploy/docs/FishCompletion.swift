import Argp

/// Rules for fish, one line each.
struct FishCompletion {
  private let words: CompletionWords
  private let name: String

  init(_ table: ProgramTable) {
    words = CompletionWords(table: table)
    name = table.name
  }

  var text: String {
    let first = words.first.map(\.text).joined(separator: " ")
    var lines = ["complete -c \(name) -f"]
    for word in words.first {
      lines.append(rule("not __fish_seen_subcommand_from \(first)", word))
    }
    for group in words.groups {
      let second = words.second(after: group)
      let known = second.map(\.text).joined(separator: " ")
      let condition =
        "__fish_seen_subcommand_from \(group); and not __fish_seen_subcommand_from \(known)"
      for word in second { lines.append(rule(condition, word)) }
    }
    for row in words.general { lines.append("complete -c \(name)\(option(row))") }
    for command in words.commandsWithOptions {
      let condition = command.split(separator: " ")
        .map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
      for row in words.options(of: command) {
        lines.append("complete -c \(name) -n '\(condition)'\(option(row))")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func rule(_ condition: String, _ word: CompletionWords.Word) -> String {
    "complete -c \(name) -n '\(condition)' -a \(word.text) -d \(Self.quoted(word.summary))"
  }

  private func option(_ row: OptionRow) -> String {
    let value =
      switch CompletionWords.value(of: row) {
      case .files: " -rF"
      case .directories: " -xa '(__fish_complete_directories)'"
      case .choices(let choices): " -xa '\(choices.joined(separator: " "))'"
      case .free: " -x"
      case nil: ""
      }
    return " -l \(row.name)\(value) -d \(Self.quoted(row.help))"
  }

  private static func quoted(_ text: String) -> String {
    let inside = text.reduce(into: "") { result, character in
      if character == "'" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return "'\(inside)'"
  }
}
