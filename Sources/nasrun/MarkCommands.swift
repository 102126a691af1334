import ArgumentParser
import Canonical
import Diagnostics
import Foundation
import RunStore

/// `nasrun tag RUN +good -bad`
struct TagCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tag", abstract: "Put tags on a run, or take them off.",
    usage: "nasrun tag <run> [+<tag> | -<tag> ...] [--runs <dir>]",
    discussion: "Without changes it prints the tags. 'nasrun ls --tag good' lists the runs that have one.")

  @Argument(help: "The run, then the changes: '+good' adds a tag, '-bad' takes one off.", completion: .runs)
  var runName: String
  @OptionGroup var runs: RunsOption
  @Argument(parsing: .allUnrecognized, help: ArgumentHelp("Changes.", valueName: "change")) var changes: [String] = []

  func run() throws {
    let folder = try RunIndex.find(runName, in: runs.url)
    let steps = try changes.map(Self.step)
    let marks: RunMarks
    if steps.isEmpty {
      marks = try Run.open(folder).marks()
    } else {
      marks = try Run.mark(folder) { marks in
        for (isAdded, tag) in steps {
          let rest = marks.tags.filter { $0 != tag }
          marks = RunMarks(tags: rest + (isAdded ? [tag] : []), note: marks.note, isStarred: marks.isStarred)
        }
      }
    }
    print(marks.tags.isEmpty ? "no tags" : marks.tags.joined(separator: " "))
  }

  /// `+good` or `-bad` as whether to add, and the tag.
  private static func step(_ text: String) throws -> (isAdded: Bool, tag: String) {
    let tag = String(text.dropFirst())
    let isPlain = !tag.isEmpty && tag.count <= 64 && tag.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
    guard text.hasPrefix("+") || text.hasPrefix("-"), isPlain, !tag.hasPrefix("-") else {
      throw Fault(
        .usage, "wrong change of tags", expected: "+tag or -tag, of letters, digits, '-', '_' and '.'",
        got: "'\(text)'")
    }
    return (text.hasPrefix("+"), tag)
  }
}

/// `nasrun note RUN "text"`
struct NoteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "note", abstract: "Write a note on a run; without a text, print it. An empty text removes it.")

  @Argument(
    help: ArgumentHelp("An id or its unique beginning, a name, a path, or 'last'.", valueName: "run"), completion: .runs
  )
  var runName: String
  @Argument(help: "The note.") var text: String?
  @OptionGroup var runs: RunsOption

  func run() throws {
    let folder = try RunIndex.find(runName, in: runs.url)
    guard let text else { return print(Wording.printable(try Run.open(folder).marks().note ?? "no note")) }
    try Run.mark(folder) { $0.note = text.allSatisfy(\.isWhitespace) ? nil : text }
  }
}

/// `nasrun star RUN`
struct StarCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "star", abstract: "Star a run, or with --off take the star away.")

  @Argument(
    help: ArgumentHelp("An id or its unique beginning, a name, a path, or 'last'.", valueName: "run"), completion: .runs
  )
  var runName: String
  @Flag(help: "Take the star away.") var off = false
  @OptionGroup var runs: RunsOption

  func run() throws { try Run.mark(try RunIndex.find(runName, in: runs.url)) { $0.isStarred = !off } }
}
