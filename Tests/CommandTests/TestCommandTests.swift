import Canonical
import Foundation
import Testing

/// `nasrun test`: what it prints, how it ends, what it leaves.
@Suite struct TestCommandTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private let tests = """
    describe("adding", function()
      local sum
      before_each(function() sum = 0 end)
      it("starts at nothing", function() expect(sum):to_equal(0) end)
      it("is wrong on purpose", function()
        sum = sum + 1
        expect(sum):to_equal(2)
      end)
      it("stumbles", function() return nothing.field end)
      pending("is to be written")
    end)
    """

  @Test func failuresNameTheirLineAndOthersRun() throws {
    try place.write("sum_test.lua", tests)
    let outcome = try place.nasrun("test", "sum_test.lua")
    let expected = """
      sum_test.lua
        ok      adding > starts at nothing
        FAILED  adding > is wrong on purpose
                  at        sum_test.lua:7
                  message   expect(…):to_equal failed
                  expected  2
                  got       1
        FAILED  adding > stumbles
                  at        sum_test.lua:9
                  message   undeclared global 'nothing'
                  mend      Check the spelling, or write 'local nothing = …' before this line.
        pending adding > is to be written
      1 passed, 2 failed, 1 pending

      """
    #expect(outcome.output == expected)
    #expect(outcome.status == 1)
    #expect(!FileManager.default.fileExists(atPath: place.runs.path))
  }

  @Test func filtersAndQuiet() throws {
    try place.write("sum_test.lua", tests)
    let one = try place.nasrun("test", "sum_test.lua", "--filter", "STARTS")
    #expect(one.output == "sum_test.lua\n  ok      adding > starts at nothing\n1 passed, 0 failed\n" && one.status == 0)
    let rest = try place.nasrun("test", "sum_test.lua", "--skip", "wrong", "--skip", "stumbles", "-q")
    #expect(rest.output == "1 passed, 0 failed, 1 pending\n" && rest.status == 0)
    let none = try place.nasrun("test", "sum_test.lua", "--filter", "nowhere")
    let noTest = "no test ran: tests are in describe and it; 'nasrun test --strategy FILE' is for a strategy"
    #expect(none.output == "sum_test.lua\n\(noTest)\n" && none.status == 1)
  }

  @Test func programsReadJSONAndJUnit() throws {
    try place.write("sum_test.lua", tests.replacing("stumbles", with: "stumbles <&\\\">"))
    let outcome = try place.nasrun("test", "sum_test.lua", "--json", "--junit", "report.xml")
    let json = try JSONValue(parsing: Array(outcome.output.utf8), source: "output")
    #expect(json["schema"] == 1 && json["failed"] == 2 && json["pending"] == 1 && outcome.status == 1)
    let results = json["parts"]?.array?.first?["results"]?.array ?? []
    #expect(results.map { $0["outcome"]?.string } == ["passed", "failed", "failed", "pending"])
    #expect(results.count == 4 && results[1]["at"] == "sum_test.lua:7" && results[1]["expected"] == "2")
    let xml = try String(contentsOf: place.folder.appending(path: "report.xml"), encoding: .utf8)
    #expect(xml.contains("<testsuite name=\"sum_test.lua\" tests=\"4\" failures=\"2\" skipped=\"1\">"))
    #expect(xml.contains("name=\"adding &gt; stumbles &lt;&amp;&quot;&gt;\""))
    #expect(throws: Never.self) { try XMLDocumentCheck(xml).run() }
  }

  @Test func aFileThatDoesNotRunIsAFailure() throws {
    try place.write("broken.lua", "describe('x', function()\n")
    let outcome = try place.nasrun("test", "broken.lua")
    #expect(outcome.output.contains("FAILED  the file runs\n            message   broken.lua:2: 'end' expected"))
    #expect(outcome.status == 1)
    #expect(try place.nasrun("test").status == 64)
    #expect(try place.nasrun("test", "nowhere.lua").errors == "nasrun: no such file: 'nowhere.lua'\n")
  }

  // MARK: - Suites

  @Test func aStrategyThatFailsIsTold() throws {
    try place.write(
      "climb.lua",
      """
      return function(search)
        local best = 0
        while true do
          local trial = search:evaluate(search.space:random())
          best = math.max(best, trial.metrics.accuracy // 1 | 0)
        end
      end
      """)
    let outcome = try place.nasrun("test", "--strategy", "climb.lua", "--filter", "failed trials")
    let expected = """
      strategy climb.lua
        FAILED  survives failed trials
                  did       let every third trial fail
                  expected  that it goes on
                  got       climb.lua:5: number has no integer representation
                  mend      A failed trial has `failed`, and no metrics but the worst value of each objective (±infinity). \
      Compare with
                            search:better or search:rank, and leave out trials with `failed` before you calculate.
      0 passed, 1 failed

      """
    #expect(outcome.output == expected)
    #expect(outcome.status == 1)
  }

  @Test func whatAFileMustReturn() throws {
    try place.write("nothing.lua", "local function climb(search) end")
    let nothing = try place.nasrun("test", "--strategy", "nothing.lua", "--json")
    let text = """
      the file returns no strategy: expected a strategy: function(search), or a table with ask and tell, or a function \
      declared with nas.declare that makes one, got nothing. End the file with: return function(search) … end
      """
    #expect(nothing.output.contains(JSONValue.string(text).text()))
    try place.write("space.lua", "return { op = 1 }")
    let space = try place.nasrun("test", "--space", "space.lua")
    #expect(space.output.contains("expected a space, as nas.space makes one") && space.status == 1)
    #expect(!space.output.contains("builds every architecture"))
    #expect(space.output.hasSuffix("0 passed, 1 failed, 10 skipped\n"))
    try place.write("proxy.lua", "return function() return 1 end")
    #expect(try place.nasrun("test", "--proxy", "proxy.lua").output.contains("return nas.proxy {"))
    try place.write("evaluator.lua", "return 3")
    #expect(try place.nasrun("test", "--evaluator", "evaluator.lua").output.contains("return nas.evaluator {"))
  }

  @Test func makersTakeOptionsAndFilesGiveSpaces() throws {
    try place.write(
      "walk.lua",
      """
      local nas = require "nas"
      local make = nas.declare("walk", { options = { { "steps", "integer", min = 1, default = 5 } } }, function(options)
        return function(search)
          local here = search:evaluate(search.space:random())
          for _ = 2, options.steps do here = search:evaluate(search.space:mutate(here.arch)) end
        end
      end)
      return { strategy = make, space = nas.space { width = nas.int(1, 50), height = nas.int(1, 50) } }
      """)
    let arguments = ["test", "--strategy", "walk.lua", "--filter", "runs", "--filter", "runs"]
    #expect(try place.nasrun(arguments).status == 0)
    #expect(try place.nasrun(arguments + ["--set", "steps=7"]).status == 0)
    let wrong = try place.nasrun(arguments + ["--set", "stepz=7"])
    #expect(wrong.status == 1 && wrong.output.contains("Did you mean 'steps'?"))
    let kinds = try place.nasrun("test", "--strategy", "walk.lua", "--filter", "nested")
    #expect(kinds.output.contains("skipped works on spaces with nested decisions") && kinds.status == 0)
  }
}

/// Reads XML to its end with the system's parser.
private final class XMLDocumentCheck {
  private let text: String
  init(_ text: String) { self.text = text }

  func run() throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c", "import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.argv[1])", text,
    ]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }
}
