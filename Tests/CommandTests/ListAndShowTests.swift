import Canonical
import Foundation
import RunStore
import SearchCore
import Testing

@Suite struct ListAndShowTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  @Test func anEmptyFolderIsNoError() throws {
    let list = try place.nasrun("ls")
    #expect(list.output == "No runs in runs yet.\n" && list.status == 0)
    let show = try place.nasrun("show", "last")
    #expect(show.errors.contains("there are no runs") && show.status == 64)
  }

  @Test func runsAreListedOldestFirst() throws {
    try place.sampleRun("second", minutes: 61)
    try place.sampleRun("first")
    let list = try place.nasrun("ls")
    let expected = """
      RUN  RECIPE    STATUS    TRIALS  BEST            STARTED                   TIME
      #    hill.lua  finished  4 of 4  accuracy 90.25  2026-11-20 12:00:00  2 min 3 s
      #    hill.lua  finished  4 of 4  accuracy 90.25  2026-11-20 13:01:00  2 min 3 s

      """
    // A run's id holds the local time of this machine.
    let ids = list.output.replacing(/\d{8}-\d{6}-(first|second)/, with: "#").replacing(
      /RUN +RECIPE/, with: "RUN  RECIPE"
    )
    .replacing(/# +hill/, with: "#    hill")
    #expect(ids == expected)
    #expect(list.output.split(separator: "\n")[1].contains("-first "))
  }

  @Test func aRunIsShown() throws {
    let run = try place.sampleRun("first")
    let show = try place.nasrun("show", "first")
    let expected = """
      first  \(run.identity.id)
        status       finished
        recipe       hill.lua in /recipes
        arguments    data = "shapes", epochs = 3
        seed         7
        started      2026-11-20 12:00:00, 2 min 3 s at work

      search climb: stopped by 4 trials
        4 of 4 trials, 1 failed
        best
          TRIAL  ARCHITECTURE  ACCURACY  LATENCY_MS   PARAMS  STATUS  DECISIONS
              2  0123456789ab     90.25           4  1073466  ok      {"op":"conv3"}
        Pareto front (accuracy max, latency_ms min)
          TRIAL  ARCHITECTURE  ACCURACY  LATENCY_MS   PARAMS  STATUS  DECISIONS
              2  0123456789ab     90.25           4  1073466  ok      {"op":"conv3"}
              1  0123456789ab        80         2.5  1073466  ok      {"op":"conv3"}
        trial 4 failed: loss is NaN after epoch 2 (hill.lua:12)

      environment
        nasrun       1.0

      files in FOLDER
        log.txt
        recipe.lua
        run.json
        run.sqlite
        trials.csv

      """
    #expect(show.output.replacing(/files in .*/, with: "files in FOLDER") == expected)
    let all = try place.nasrun("show", "first", "--trials").output
    #expect(all.contains("    3  0123456789ab        70           3  1073466  ok"))
    #expect(all.contains("failed: loss is NaN after epoch 2 (hill.lua:12)  {\"op\""))
  }

  /// What a record says can't steer the terminal that it is shown on.
  @Test func controlCharactersAreShownAsMarks() throws {
    let run = try Run.create(
      in: place.runs, name: "esc\u{1B}[2Jape", recipe: RecipeSource(file: "a.lua", folder: "/", text: "return 1\n"),
      seed: 1)
    try run.record(SearchRecord(name: "s", objectives: [Objective("a\u{1B}]0;x\u{7}", .max)]))
    try run.record([
      TrialRecord(search: "s", number: 1, architecture: "a1-x", status: .failed, failure: "no\u{9B}31m\u{1B}[31m")
    ])
    try run.finish(.finished)
    try Run.mark(run.folder) { $0.note = "a\u{1B}[31mb" }
    for arguments in [["ls"], ["show", "last"], ["show", "last", "--trial", "1"], ["note", "last"]] {
      let output = try place.nasrun(arguments).output
      #expect(
        !output.isEmpty
          && output.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 && !(127...159).contains($0.value) })
    }
    #expect(try place.nasrun("note", "last").output == "a\u{FFFD}[31mb\n")
  }

  /// 50,000 trials are shown in the time of a look; the bound is that of a debug build on a busy machine.
  @Test func aLongRunIsShownQuickly() throws {
    let run = try Run.create(
      in: place.runs, name: "long", recipe: RecipeSource(file: "a.lua", folder: "/", text: "return 1\n"), seed: 1)
    try run.record(SearchRecord(name: "s", objectives: [Objective("accuracy", .max), Objective("latency_ms", .min)]))
    try run.record(
      (1...50_000).map { number in
        TrialRecord(
          search: "s", number: number, architecture: "a1-\(number)", decisions: ["op": "conv3"],
          finished: 1,
          metrics: [
            MetricRecord("accuracy", Double(number * 7919 % 50_021)),
            MetricRecord("latency_ms", Double(number * 104_729 % 50_021), exact: false),
          ])
      })
    try run.finish(.finished)
    #expect(try place.nasrun("show", "last").output.contains("  50000 trials\n"))
    #expect(try place.nasrun("show", "last", "--trial", "777").output.contains("a1-777"))
  }

  @Test func programsReadJSON() throws {
    let run = try place.sampleRun("first")
    let list = try JSONValue(parsing: place.nasrun("ls", "--json").output.utf8, source: "ls")
    #expect(list["schema"] == 1 && list["runs"]?.array?.first?["best"] == ["metric": "accuracy", "value": 90.25])
    let show = try JSONValue(parsing: place.nasrun("show", "last", "--json").output.utf8, source: "show")
    let search = try #require(show["searches"]?.array?.first)
    #expect(show["schema"] == 1 && show["id"]?.string == run.identity.id && show["seed"] == "7")
    #expect(search["best"]?["number"] == 2 && search["pareto"]?.array?.count == 2 && search["trials"] == nil)
    let trials = try JSONValue(parsing: place.nasrun("show", "last", "--json", "--trials").output.utf8, source: "show")
    let failed = try #require(trials["searches"]?.array?.first?["trials"]?.array?.last)
    #expect(failed["metrics"]?["accuracy"] == "NaN" && failed["failed_at"] == "hill.lua:12")
    #expect(failed["epochs"] == [["accuracy", 1, 10.0]])
  }

  @Test func aDamagedRunIsNamedWithStatus66() throws {
    let run = try place.sampleRun("first")
    try Data("garbage garbage garbage".utf8).write(to: run.folder.appending(path: "run.sqlite"))
    let show = try place.nasrun("show", run.identity.id)
    #expect(show.status == 66 && show.errors.contains("run.sqlite: this is not a run's record"))
    let list = try place.nasrun("ls")
    #expect(list.status == 0 && list.output.contains("unreadable"))
  }

  @Test(arguments: [["ls", "--bogus"], ["show"], ["show", "a", "b"]])
  func wrongUseEndsWith64(_ arguments: [String]) throws {
    let outcome = try place.nasrun(arguments)
    #expect(outcome.status == 64 && outcome.errors.contains("Usage: nasrun"))
  }
}
