import Argp

/// A function for zsh's completion system (zshcompsys(1)).
struct ZshCompletion {
  private let words: CompletionWords
  private let name: String

  init(_ table: ProgramTable) {
    words = CompletionWords(table: table)
    name = table.name
  }

  var text: String {
    """
    #compdef \(name)
    local -a options commands
    local command="" word option=$words[CURRENT-1]
    for word in ${words[2,CURRENT-1]}; do
      case $word in
        (\(words.all.joined(separator: "|"))) command+="${command:+ }$word" ;;
      esac
    done
    if [[ $PREFIX == --*=* ]]; then
      option=${PREFIX%%=*}
      compset -P 1 '*='
    fi
    case $option in
    \(values)
    esac
    if [[ $PREFIX == -* ]]; then
      options=(\(Self.described(words.general)))
      case $command in
    \(options)
      esac
      _describe -o option options
    else
      case $command in
        ('') commands=(\(Self.described(words.first))) ;;
    \(secondWords)
      esac
      _describe command commands
    fi

    """
  }

  private static func described(_ rows: [OptionRow]) -> String {
    described(rows.map { ("--\($0.name)", $0.help) })
  }

  private static func described(_ words: [CompletionWords.Word]) -> String {
    words.map { "'\(quoted($0.text)):\(quoted($0.summary))'" }.joined(separator: " ")
  }

  /// Inside single quotes of the shell, where `_describe` takes a colon for its own.
  private static func quoted(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "'": result += "'\\''"
      case ":": result += "\\:"
      default: result.append(character)
      }
    }
  }

  private var values: String {
    words.table.allOptions.compactMap { row in
      CompletionWords.value(of: row).map { value in
        let action =
          switch value {
          case .files: "_files"
          case .directories: "_files -/"
          case .choices(let choices): "compadd -- \(choices.joined(separator: " "))"
          case .free(let word): "_message '\(word)'"
          }
        return "  (--\(row.name)) \(action); return ;;"
      }
    }.joined(separator: "\n")
  }

  private var options: String {
    words.commandsWithOptions.map { command in
      "    ('\(command)') options+=(\(Self.described(words.options(of: command)))) ;;"
    }.joined(separator: "\n")
  }

  private var secondWords: String {
    let lines = words.groups.map { group in
      "    ('\(group)') commands=(\(Self.described(words.second(after: group)))) ;;"
    }
    return (lines + ["    (*) commands=() ;;"]).joined(separator: "\n")
  }
}
