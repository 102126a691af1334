import Canonical
import Foundation
import RunStore
import Testing

/// `nasrun RECIPE` and `nasrun resume`.
@Suite struct RunCommandTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private let small = """
    local nas = require "nas"
    local args = nas.args { trials = 3, rate = 0.5, fast = false, label = "x" }
    local space = nas.space { op = nas.oneof { "a", "b", "c", "d" } }
    local result = nas.search {
      name = "small", space = space, strategy = nas.strategies.random {}, stop = { trials = args.trials },
      evaluate = function(trial) return { accuracy = trial.arch.op:byte() } end,
    }
    print(result)
    """

  @Test func aRecipeRuns() throws {
    try place.write("recipes/small.lua", small)
    let outcome = try place.nasrun("recipes/small.lua", "--set", "trials=2", "--name", "mine", "--seed", "5")
    #expect(outcome.output == "search 'small': 2 trials (2 trials done)\n" && outcome.status == 0)
    #expect(outcome.errors.contains("small 1/2: accuracy ") && outcome.errors.contains(" is finished\n"))
    let run = try place.lastRun()
    #expect(run.identity.name == "mine" && run.identity.seed == 5 && run.identity.arguments["trials"] == 2)
    #expect(try run.status == .finished && run.trials().count == 2 && run.recipeText() == small)
    let list = try place.nasrun("ls")
    #expect(list.output.contains("small.lua  finished  2 of 2"))
    let show = try place.nasrun("show", "last")
    #expect(show.output.contains("search small: stopped by 2 trials done"))
  }

  @Test func quietIsQuietAndVerboseTellsMore() throws {
    try place.write("small.lua", small)
    let quiet = try place.nasrun("small.lua", "-q"), verbose = try place.nasrun("small.lua", "-v")
    #expect(quiet.errors.isEmpty && quiet.output == verbose.output)
    #expect(verbose.errors.contains("{\"op\":"))
    #expect(try place.nasrun("small.lua", "-q", "-v").status == 64)
  }

  @Test func helpListsTheSettings() throws {
    try place.write("small.lua", small)
    let outcome = try place.nasrun("small.lua", "--help")
    let expected = """
      USAGE: nasrun small.lua [--set <name=value> ...] [--seed <n>] [options]

      SETTINGS of the recipe, with their defaults:
        fast   = false
        label  = "x"
        rate   = 0.5
        trials = 3

      'nasrun --help' shows the options.

      """
    #expect(outcome.output == expected && outcome.errors.isEmpty && outcome.status == 0)
    #expect(!FileManager.default.fileExists(atPath: place.runs.path))
  }

  @Test(arguments: [
    ("shwo", "nasrun: no such file or command: 'shwo'. Did you mean 'nasrun show'?\n"),
    ("smal.lua", "nasrun: no such file: 'smal.lua'. Did you mean 'small.lua'?\n"),
    (".", "nasrun: .: this is a folder: expected a recipe: a Lua file\n"),
  ])
  func whatIsNoRecipe(_ word: String, _ error: String) throws {
    try place.write("small.lua", small)
    let outcome = try place.nasrun(word)
    #expect(outcome.errors == error && outcome.status == 64)
  }

  @Test(arguments: [["--kernels", "sse"], ["--threads", "0"], ["--seed", "-1"], ["--reuse", "none"], ["--bogus"]])
  func wrongOptions(_ options: [String]) throws {
    try place.write("small.lua", small)
    let outcome = try place.nasrun(["small.lua"] + options)
    #expect(outcome.status == 64 && !outcome.errors.isEmpty && outcome.output.isEmpty)
  }

  @Test func aFinishedRunIsNotResumed() throws {
    try place.write("small.lua", small)
    _ = try place.nasrun("small.lua", "-q")
    let outcome = try place.nasrun("resume", "last")
    #expect(outcome.status == 64 && outcome.errors.contains("is finished. Start its recipe again with --reuse "))
    #expect(try place.nasrun("resume", "none").status == 64)
    let set = try place.nasrun("resume", "last", "--set", "trials=5")
    #expect(set.status == 64)
    #expect(set.errors.contains("the settings of a run are fixed: got --set trials=5. Start another"))
    #expect(try place.nasrun("ls").output.contains("finished"))
  }

  @Test func theSameSeedGivesTheSameJournal() throws {
    try place.write("small.lua", small)
    _ = try place.nasrun("small.lua", "-q")
    let journal = try place.lastRun().exactJournal()
    _ = try place.nasrun("small.lua", "-q", "--runs", "others", "--threads", "2")
    let other = try Run.open("last", in: place.folder.appending(path: "others"))
    #expect(try other.exactJournal() == journal)
    _ = try place.nasrun("small.lua", "-q", "--seed", "2")
    #expect(try place.lastRun().exactJournal() != journal)
  }

  private let slow = """
    local nas = require "nas"
    local space = nas.space { op = nas.int(1, 1000000) }
    nas.search {
      space = space, strategy = nas.strategies.random {}, stop = { trials = 100000 },
      evaluate = function(trial) return { accuracy = trial.arch.op } end,
    }
    """

  /// Starts the endless recipe and waits for its first trials.
  private func startSlowRun(_ arguments: String...) throws -> (command: Command, run: URL) {
    try place.write("slow.lua", slow)
    let known = Set(try runFolders())
    let command = try Command(["slow.lua", "-q"] + arguments, in: place.folder)
    let end = Date(timeIntervalSinceNow: 30)
    while Date() < end {
      usleep(20_000)
      guard let folder = try runFolders().first(where: { !known.contains($0) }) else { continue }
      if let run = try? Run.open(folder), try run.trials().count > 3 { return (command, folder) }
    }
    command.send(SIGKILL)
    throw CancellationError()
  }

  private func runFolders() throws -> [URL] {
    guard FileManager.default.fileExists(atPath: place.runs.path) else { return [] }
    return try FileManager.default.contentsOfDirectory(at: place.runs, includingPropertiesForKeys: nil)
      .filter { $0.lastPathComponent.contains("-slow") }
  }

  @Test func twoRunsAtOnceDontDisturbEachOther() throws {
    let (first, firstFolder) = try startSlowRun(), (second, secondFolder) = try startSlowRun()
    let list = try place.nasrun("ls")
    #expect(list.output.split(separator: "\n").filter { $0.contains("running") }.count == 2)
    for command in [first, second] { command.send(SIGINT) }
    for command in [first, second] {
      let outcome = try command.outcome()
      #expect(outcome.status == 130 && outcome.errors.contains("nasrun: interrupted; nothing recorded is lost"))
    }
    let trials = try [firstFolder, secondFolder].map { try Run.open($0).trials().filter { $0.status == .ok } }
    let count = min(trials[0].count, trials[1].count)
    #expect(trials[0].prefix(count).map(\.architecture) == trials[1].prefix(count).map(\.architecture))
  }

  @Test func aSecondWriterIsRefused() throws {
    let (command, folder) = try startSlowRun()
    let outcome = try place.nasrun("resume", folder.lastPathComponent)
    #expect(outcome.status == 64 && outcome.errors.contains("another process is writing this run: got process "))
    command.send(SIGKILL)
    #expect(try command.outcome().status == -SIGKILL)
    #expect(try Run.open(folder).status == .interrupted)
  }

  /// The lowest priority to die: Ctrl-C ends a strategy that swallows every error.
  @Test func interruptionsPassPcall() throws {
    try place.write("stubborn.lua", "print('ready')\nwhile true do pcall(function() while true do end end) end\n")
    let command = try Command(["stubborn.lua"], in: place.folder)
    try command.waitForOutput()
    command.send(SIGINT)
    let outcome = try command.outcome()
    #expect(outcome.status == 130 && outcome.output == "ready\n")
  }

  /// A resumed run reads what the first one could, from wherever it is resumed: not the defaults of settings.
  @Test func aResumedRunReadsTheSamePaths() throws {
    try place.writeImages("place/data")
    try place.writeImages("secret")
    try place.write(
      "recipes/open.lua",
      """
      local nas = require "nas"
      local secret = "\(place.folder.path)/secret"
      local args = nas.args { data = "", other = secret }
      print(nas.run.id and nas.data.open(args.data).train)
      nas.data.open(args.other)
      """)
    let folder = place.folder.appending(path: "place")
    let first = try Command(["../recipes/open.lua", "-q", "--runs", "../runs", "--set", "data=data"], in: folder)
    for outcome in [try first.outcome(), try place.nasrun("resume", "last", "-q")] {
      #expect(outcome.output == "6\n" && outcome.status == 66)
      #expect(outcome.errors.contains("open.lua:5: the recipe may not read this path"))
    }
  }

  /// What a finished trial read has changed: its record isn't what a resumed run would find.
  @Test func aResumedRunOnOtherInputsSaysSo() throws {
    try place.write("bonus.csv", "bonus\n3\n")
    try place.write(
      "r.lua",
      """
      local nas = require "nas"
      local bonus = nas.data.records("bonus.csv"):row(1).bonus
      local space = nas.space { a = nas.int(1, 5) }
      nas.search {
        space = space, strategy = nas.strategies.listed { space:make { a = 2 } },
        evaluate = function(trial) return { accuracy = trial.arch.a + bonus } end,
      }
      error("enough", 0)
      """)
    #expect(try place.nasrun("r.lua", "-q").errors.contains("enough"))
    try place.write("bonus.csv", "bonus\n4\n")
    let outcome = try place.nasrun("resume", "last", "-q")
    let run = try place.lastRun().identity.id
    #expect(
      outcome.errors.hasPrefix(
        "nasrun: r.lua:4: search1/trial 1: what the trial depends on has changed since it was recorded: expected the data, files, "
          + "modules and values that it was recorded with, got another digest of them. Put back what has changed, or "
          + "start the recipe again with --reuse \(run)."), "\(outcome.errors)")
    #expect(outcome.status == 65)
    try place.write("bonus.csv", "bonus\n3\n")
    #expect(try place.nasrun("resume", "last", "-q").errors.contains("enough"))
  }

  /// Nothing else tells as long as no trial is recorded.
  @Test func aResumedRunOnOtherDataSaysSo() throws {
    func write(_ name: String, rows: Int) throws {
      try place.write(name, "a,y\n" + (0..<rows).map { "\($0),\($0 % 2)\n" }.joined())
    }
    func data(_ errors: String) -> Substring? {
      errors.split(separator: "\n").first { $0.contains("the data are not") }
    }
    try write("t.csv", rows: 20)
    try write("u.csv", rows: 30)
    try place.write(
      "r.lua",
      """
      local nas = require "nas"
      local space = nas.space { a = nas.int(1, 2), build = function(arch, x, task) return nas.nn.linear(x, task.classes) end }
      local data = nas.data.open("t.csv", { target = "y", task = "classification" })
      print(data.digest)
      space:make { a = 1 }:network(data):evaluate(data, { split = "test" })
      if data.train > 50 then nas.data.open("u.csv", { target = "y", task = "classification" }) end
      error("enough", 0)
      """)
    let begun = try place.nasrun("r.lua"), same = try place.nasrun("resume", "last")
    #expect(begun.errors.contains("enough") && data(begun.errors) == nil && data(same.errors) == nil)
    try write("t.csv", rows: 100)
    let other = try place.nasrun("resume", "last")
    #expect(
      try #require(data(other.errors)) == """
        warning: the data are not those that the run began with: expected t.csv with the digest \
        \(begun.output.prefix(12)), got t.csv with the digest \(other.output.prefix(12)); put them back, or start the \
        recipe again
        """)
    // u.csv is new to the run, which ended before it opened it. Both are known from now on.
    #expect(other.errors.components(separatedBy: "the data are not").count == 2)
    #expect(data(try place.nasrun("resume", "last").errors) == nil)
  }

  /// The beginning of recipes that train a network.
  private static let network = """
    local nas = require "nas"
    local nn = nas.nn
    local space = nas.space { c = nas.oneof { 2, 3 }, build = function(arch, x, task)
      return nn.linear(nn.global_avg_pool(nn.conv2d(x, arch.c, { kernel = 3 })), task.classes)
    end }
    local data = nas.data.open("data")
    local network = space:make { c = 2 }:network(data)

    """

  /// A trial would fail by it.
  @Test func aTrainingThatDivergesOutsideOfATrialIsToldOnce() throws {
    try place.writeImages("data")
    try place.write(
      "fit.lua",
      Self.network + """
        for _ = 1, 2 do network:fit { data = data, epochs = 2, batch = 2, lr = 1e30 } end
        """)
    let outcome = try place.nasrun("fit.lua"), told = "warning: a training outside of a trial diverged: its loss is "
    #expect(outcome.status == 0 && outcome.errors.components(separatedBy: told).count == 2, "\(outcome.errors)")
  }

  @Test func aModelInAModelIsToldOf() throws {
    try place.write(
      "m.lua",
      """
      local nas = require "nas"
      local inner = nas.model(function(x) return nas.nn.linear(x, 2) end)
      local outer = nas.model(function(x) return inner(nas.nn.linear(x, 3)) end)
      for _ = 1, 2 do outer(nas.ones { 1, 4 }) end
      print(#outer:parameters(), #inner:parameters())
      """)
    let outcome = try place.nasrun("m.lua")
    #expect(outcome.output == "2\t2\n")
    let told = """
      warning: a model called inside another one keeps its parameters to itself: the outer one's parameters() and save() \
      leave them out

      """
    #expect(outcome.errors.components(separatedBy: told).count == 2, "\(outcome.errors)")
  }

  @Test func aDamagedWeightFileIsNamed() throws {
    try place.writeImages("data")
    try place.write(
      "fit.lua",
      Self.network + """
        network:fit { data = data, epochs = 1, batch = 2 }
        error("stop here")
        """)
    _ = try place.nasrun("fit.lua", "-q")
    let folder = try place.lastRun().folder.appending(path: "weights")
    let file = try #require(FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).first)
    try Data(Data(contentsOf: file).prefix(40)).write(to: file)
    let outcome = try place.nasrun("resume", "last", "-q")
    #expect(outcome.status == 66 && outcome.errors.contains(file.lastPathComponent))
  }
}
