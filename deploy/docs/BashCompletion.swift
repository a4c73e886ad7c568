import Argp

/// A completion that needs nothing but bash itself.
struct BashCompletion {
  private let words: CompletionWords
  private let name: String

  init(_ table: ProgramTable) {
    words = CompletionWords(table: table)
    name = table.name
  }

  var text: String {
    """
    # bash completion for \(name)                                -*- shell-script -*-
    _\(name)() {
      local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command="" words i
      # "--option=value" is three words here
      [[ $cur == = ]] && cur=""
      [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
      for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
          \(words.all.joined(separator: " | "))) command+="${command:+ }${COMP_WORDS[i]}" ;;
        esac
      done
      case $prev in
    \(values)
      esac
      if [[ $cur == -* ]]; then
        words="\(Self.flags(words.general))"
        case $command in
    \(options)
        esac
      else
        case $command in
          "") words="\(words.first.map(\.text).joined(separator: " "))" ;;
    \(secondWords)
        esac
      fi
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    }
    complete -F _\(name) \(name)

    """
  }

  private static func flags(_ rows: [OptionRow]) -> String {
    rows.map { "--\($0.name)" }.joined(separator: " ")
  }

  private var values: String {
    var lines: [String] = []
    var free: [String] = []
    for row in words.table.allOptions {
      switch CompletionWords.value(of: row) {
      case .files: lines.append(offer(row, "-f", before: "compopt -o filenames 2>/dev/null; "))
      case .directories:
        lines.append(offer(row, "-d", before: "compopt -o filenames 2>/dev/null; "))
      case .choices(let choices):
        lines.append(offer(row, "-W \"\(choices.joined(separator: " "))\""))
      case .free: free.append("--\(row.name)")
      case nil: break
      }
    }
    if !free.isEmpty { lines.append("    \(free.joined(separator: " | "))) return ;;") }
    return lines.joined(separator: "\n")
  }

  private func offer(_ row: OptionRow, _ words: String, before: String = "") -> String {
    """
        --\(row.name))
          \(before)mapfile -t COMPREPLY < <(compgen \(words) -- "$cur")
          return ;;
    """
  }

  private var options: String {
    words.commandsWithOptions.map { command in
      "      \"\(command)\") words+=\" \(Self.flags(words.options(of: command)))\" ;;"
    }.joined(separator: "\n")
  }

  private var secondWords: String {
    let lines = words.groups.map { group in
      let second = words.second(after: group).map(\.text).joined(separator: " ")
      return "      \"\(group)\") words=\"\(second)\" ;;"
    }
    return (lines + ["      *) words=\"\" ;;"]).joined(separator: "\n")
  }
}
