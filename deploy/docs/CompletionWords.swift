import Argp

/// What the three shells have to know of a program, by words.
struct CompletionWords {
  let table: ProgramTable

  /// A word that may come next, and what it does.
  typealias Word = (text: String, summary: String)

  /// First words of commands, once each; a group's summary lists its second words.
  var first: [Word] {
    var found: [Word] = []
    for row in table.commands {
      let word = String(row.name.prefix { $0 != " " })
      guard !found.contains(where: { $0.text == word }) else { continue }
      let second = second(after: word).map(\.text)
      found.append((word, second.isEmpty ? row.summary : second.joined(separator: ", ")))
    }
    return found
  }

  /// First words that need a second one.
  var groups: [String] { first.map(\.text).filter { !second(after: $0).isEmpty } }

  func second(after first: String) -> [Word] {
    table.commands.filter { $0.name.hasPrefix(first + " ") }
      .map { (String($0.name.dropFirst(first.count + 1)), $0.summary) }
  }

  /// Every word that is part of a command.
  var all: [String] {
    var words: [String] = []
    for word in table.commands.flatMap({ $0.name.split(separator: " ").map(String.init) })
    where !words.contains(word) {
      words.append(word)
    }
    return words
  }

  /// Options of the program itself, known everywhere.
  var general: [OptionRow] { table.allOptions.filter(\.commands.isEmpty) }

  func options(of command: String) -> [OptionRow] {
    table.allOptions.filter { $0.commands.contains(command) }
  }

  /// Commands that have options of their own.
  var commandsWithOptions: [String] {
    table.commands.map(\.name).filter { !options(of: $0).isEmpty }
  }

  /// What may be offered as the value of an option.
  enum Value {
    case files
    case directories
    case choices([String])
    /// Only the user knows; the word stands for it in the help.
    case free(String)
  }

  /// `nil` for an option without a value.
  static func value(of row: OptionRow) -> Value? {
    let word: String
    switch row.argument {
    case .none: return nil
    case .required(let text), .optional(let text): word = text
    }
    if !row.choices.isEmpty { return .choices(row.choices) }
    switch word {
    case "FILE": return .files
    case "DIR": return .directories
    default: return .free(word)
    }
  }
}
