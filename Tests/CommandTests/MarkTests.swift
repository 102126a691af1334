import Canonical
import Foundation
import RunStore
import Testing

/// `tag`, `note`, `star`, `rm`, and what `ls` picks by.
@Suite struct MarkTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    try place.sampleRun("first")
    try place.sampleRun("second", minutes: 61)
  }

  private func names(_ arguments: String...) throws -> [String] {
    let list = try JSONValue(parsing: place.nasrun(["ls", "--json"] + arguments).output.utf8, source: "ls")
    return (list["runs"]?.array ?? []).compactMap { $0["name"]?.string }
  }

  @Test func tagsNotesAndStarsAreShown() throws {
    let before = try Run.open("first", in: place.runs).exactJournal()
    #expect(try place.nasrun("tag", "first", "+good", "+demo", "-bad").output == "demo good\n")
    #expect(try place.nasrun("tag", "first", "-demo", "--runs", "runs").output == "good\n")
    #expect(try place.nasrun("note", "first", "the one for the paper").output == "")
    #expect(try place.nasrun("star", "first").status == 0)
    #expect(try place.nasrun("tag", "first").output == "good\n")
    #expect(try place.nasrun("note", "first").output == "the one for the paper\n")
    let lines = try place.nasrun("ls").output.split(separator: "\n")
    #expect(lines[0].hasSuffix("TIME  TAGS  NOTE"))
    #expect(lines[1].contains("-first ★") && lines[1].hasSuffix("2 min 3 s  good  the one for the paper"))
    let show = try place.nasrun("show", "first").output
    #expect(show.contains("first ★") && show.contains("  tags         good\n"))
    #expect(show.contains("  note         the one for the paper\n"))
    #expect(try Run.open("first", in: place.runs).exactJournal() == before)
    _ = try place.nasrun("star", "first", "--off")
    _ = try place.nasrun("note", "first", "")
    #expect(try Run.open("first", in: place.runs).marks() == RunMarks(tags: ["good"]))
  }

  @Test func wrongTagsAreRefused() throws {
    let outcome = try place.nasrun("tag", "first", "good")
    #expect(outcome.status == 64)
    #expect(
      outcome.errors
        == "nasrun: wrong change of tags: expected +tag or -tag, of letters, digits, '-', '_' and '.', got 'good'\n")
    #expect(try place.nasrun("tag", "frist", "+a").errors.contains("Did you mean 'first'?"))
  }

  @Test func listsArePickedAndSorted() throws {
    _ = try place.nasrun("tag", "second", "+good")
    _ = try place.nasrun("star", "first")
    #expect(try names("--tag", "good") == ["second"] && names("--starred") == ["first"])
    #expect(try names("--where", "accuracy > 90 and epochs = 3") == ["first", "second"])
    #expect(try names("--where", "accuracy > 90.25 or tag = good") == ["second"])
    #expect(try names("--where", "not (tag = good) and name ~ IRS") == ["first"])
    #expect(try names("--where", "tag != good") == ["first"] && names("--where", "starred") == ["first"])
    #expect(try names("--sort", "name", "--reverse") == ["second", "first"])
    #expect(try place.nasrun("ls", "--tag", "none").output == "None of the 2 runs in runs is of that kind.\n")
  }

  @Test(arguments: [
    ("accuracy >", "character 11: expected a value, got the end"),
    ("accuracy 90", "character 10: expected one of = != < <= > >= ~, got '90'"),
    ("(starred", "character 9: expected ')', got the end"),
    ("starred starred", "character 9: expected 'and', 'or' or the end, got 'starred'"),
    ("acuracy > 9", "no run has a field 'acuracy'. Did you mean 'accuracy'?"),
  ])
  func wrongConditionsAreExplained(_ condition: String, _ words: String) throws {
    let outcome = try place.nasrun("ls", "--where", condition)
    #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.errors)")
  }

  @Test func aRunIsRemoved() throws {
    let asked = try place.nasrun("rm", "first")
    #expect(asked.status == 64 && asked.errors.contains("Pass -y to remove without."))
    #expect(try names() == ["first", "second"])
    let folder = try RunIndex.find("first", in: place.runs)
    #expect(try place.nasrun("rm", "first", "-y").output == "removed \(folder.lastPathComponent)\n")
    #expect(try names() == ["second"])
    let left = try FileManager.default.contentsOfDirectory(atPath: place.runs.path).filter { $0.hasPrefix(".scratch") }
    #expect(left.isEmpty && !FileManager.default.fileExists(atPath: folder.path))
  }

  /// What a link in a run points to isn't the run's.
  @Test func linksAreNotFollowed() throws {
    try place.write("precious/data.txt", "42")
    let folder = try RunIndex.find("first", in: place.runs)
    let files = FileManager.default
    try files.createSymbolicLink(
      at: folder.appending(path: "models"), withDestinationURL: place.folder.appending(path: "precious"))
    try files.createSymbolicLink(at: place.runs.appending(path: "linked"), withDestinationURL: folder)
    let refused = try place.nasrun("rm", "linked", "-y")
    #expect(refused.status == 64 && refused.errors.contains("this is a link to a run"))
    #expect(try place.nasrun("rm", folder.lastPathComponent, "-y").status == 0)
    #expect(files.fileExists(atPath: place.folder.appending(path: "precious/data.txt").path))
  }

  @Test func aRunAtWorkIsNotRemoved() throws {
    let run = try Run.create(
      in: place.runs, name: "busy", recipe: RecipeSource(file: "a.lua", folder: "/", text: "return 1\n"), seed: 1)
    let refused = try place.nasrun("rm", "busy", "-y")
    #expect(refused.status == 64 && refused.errors.contains("another process is writing this run"))
    // Marks are beside the journal: they can be set while it is written.
    #expect(try place.nasrun("tag", "busy", "+now").output == "now\n")
    #expect(FileManager.default.fileExists(atPath: run.folder.path))
    try run.finish(.finished)
    #expect(try Run.open("busy", in: place.runs).marks().tags == ["now"])
  }
}
