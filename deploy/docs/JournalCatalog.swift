import Argp
import Pipeline

/// What `journalctl -x` shows below a line (systemd's message catalog format).
enum JournalCatalog {
  static var text: String {
    MessageCatalog.all.map { message in
      """
      -- \(message.id)
      Subject: \(message.subject) [\(message.code)]
      Defined-By: shopmetricsd
      Documentation: man:shopmetricsd(8)

      \(filled("Cause: \(message.cause)"))

      \(filled("What to do: \(message.remedy)"))

      """
    }.joined(separator: "\n")
  }

  /// In lines that fit a terminal of 80 columns behind journalctl's margin.
  private static func filled(_ text: String) -> String {
    FilledText.lines(text, width: 76).joined(separator: "\n")
  }
}
