import Argp
import DeltaLake
import Foundation
import Testing

@testable import Pipeline

/// The catalog against the sources: nothing is unexplained, and nothing is explained in vain.
struct MessageCatalogTests {
  /// Names with capitals and underscores in the sources that are no codes: variables of the
  /// environment, the daemon's and those of the on_failure program.
  private static let otherNames: Set<String> = [
    "CREDENTIALS_DIRECTORY", "SHOPMETRICS_EVENT", "SHOPMETRICS_CODE", "SHOPMETRICS_TEXT",
  ]

  /// The lines of code of the pipeline and the programs, without comments and the catalog.
  private static let lines: [(file: String, text: Substring)] = {
    let root = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources").standardized
    return ["Pipeline", "shopmetricsd", "shopmetricsctl"].flatMap { folder in
      let files = FileManager.default.enumerator(
        at: root.appending(path: folder), includingPropertiesForKeys: nil)
      return (files ?? .init()).compactMap { $0 as? URL }.flatMap { file in
        let name = file.lastPathComponent
        let isCatalog = name.hasPrefix("MessageCatalog") || name == "Finding+Meanings.swift"
        guard file.pathExtension == "swift", !isCatalog,
          let text = try? String(contentsOf: file, encoding: .utf8)
        else { return [(file: String, text: Substring)]() }
        return text.split(separator: "\n").filter { !$0.contains(/^\s*\/\//) }
          .map { (name, $0) }
      }
    }
  }()

  /// Every capital word in quotes.
  private static let words = Set(
    lines.flatMap { line in
      line.text.matches(of: /"([A-Z][A-Z0-9_]{2,})"/).map { String($0.1) }
    })

  /// Those that can only be codes: an underscore tells, or where the word stands.
  private static let codes: Set<String> = {
    let text = lines.map(\.text).joined(separator: "\n")
    let placed = text.matches(of: /(?:PipelineError\(|"code",|code =)\s*"([A-Z0-9_]+)"/)
    return Set(placed.map { String($0.1) }).union(words.filter { $0.contains("_") })
  }()

  /// The codes that `ErrorTranslation` makes from those of a table.
  private static let tableCodes = DeltaError.Code.allCases.map { code in
    PipelineError.translating(DeltaError(code, table: "/t", "x", hint: "y")).code
  }

  private var explained: Set<String> { Set(MessageCatalog.all.map(\.code)) }
  private var findings: Set<String> { Set(Finding.meanings.map(\.code)) }

  @Test func `Every code in the sources is explained`() {
    #expect(Self.codes.count > 80, "the sources were not found")
    let unknown = Self.codes.subtracting(explained).subtracting(findings)
      .subtracting(Self.otherNames)
    #expect(unknown.isEmpty, "add them to MessageCatalog or Finding.meanings")
    #expect(Set(Self.tableCodes).subtracting(explained).isEmpty)
  }

  @Test func `Every explanation is of a code in the sources`() {
    let used = Self.words.union(Self.tableCodes)
    #expect(explained.subtracting(used).isEmpty)
    #expect(findings.subtracting(used).isEmpty)
  }

  @Test func `An id is 128 bits in hexadecimal, and of one code alone`() {
    for message in MessageCatalog.all {
      #expect(message.id.wholeMatch(of: /[0-9a-f]{32}/) != nil, "\(message.code)")
      #expect(MessageCatalog.id(of: message.code) == message.id)
    }
    #expect(Set(MessageCatalog.all.map(\.id)).count == MessageCatalog.all.count)
    #expect(explained.count == MessageCatalog.all.count)
    #expect(MessageCatalog.id(of: "NO_SUCH_CODE") == nil)
  }

  @Test func `Texts are sentences, with commands in pairs of backquotes`() {
    for message in MessageCatalog.all {
      #expect(!message.subject.hasSuffix("."), "\(message.code)")
      for text in [message.subject, message.cause, message.remedy] {
        #expect(!text.isEmpty && !text.contains("\n") && !text.contains("  "), "\(message.code)")
        #expect(text.filter { $0 == "`" }.count.isMultiple(of: 2), "\(message.code)")
      }
      for text in [message.cause, message.remedy] {
        #expect(text.hasSuffix("."), "\(message.code)")
      }
    }
  }

  @Test func `Every command that an error or its explanation names exists`() {
    let commands = OperatorCommand.table.commands.map(\.name)
    let options = Set(
      (OperatorCommand.table.allOptions + DaemonCommand.table.allOptions).map { "--\($0.name)" })
    let texts =
      Self.lines.map { (place: $0.file, text: String($0.text)) }
      + MessageCatalog.all.map { (place: $0.code, text: $0.cause + $0.remedy) }
    var count = 0
    for (place, text) in texts {
      for match in text.matches(of: /`shopmetrics(d|ctl) ([^`"]+)/) {
        count += 1
        let given = String(match.2)
        if match.1 == "ctl", !given.hasPrefix("--") {
          #expect(commands.contains { given.hasPrefix($0) }, "\(place): \(given)")
        }
        for option in given.matches(of: /--[a-z-]+/) {
          #expect(options.contains(String(option.0)), "\(place): \(given)")
        }
      }
    }
    #expect(count > 20, "the sources were not found")
  }
}
