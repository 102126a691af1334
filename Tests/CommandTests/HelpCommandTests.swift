import Canonical
import Foundation
import LuaAPI
import RunStore
import Testing

/// `nasrun api`, `new`, `completion` and `doctor`, as users call them.
@Suite struct HelpCommandTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8), source: "output") }

  // MARK: - api

  @Test func oneFunctionInFull() throws {
    let outcome = try place.nasrun("api", "nas.stop.target")
    #expect(outcome.status == 0)
    #expect(
      outcome.output == """
        nas.stop.target(value, [metric])

        Stops when the best trial has reached `value` in `metric` (default: the primary objective).

        Arguments
          value   number – to be reached
          metric  string, optional – default: the primary objective

        Returns  fun(state: SearchState): string?
        Called   anywhere in a recipe

        """)
  }

  @Test func aMisspelledName() throws {
    let outcome = try place.nasrun("api", "nas.strategies.randon")
    #expect(outcome.status == 64)
    #expect(outcome.errors.hasPrefix("nasrun: nothing in nasrun is called 'nas.strategies.randon'. Did you mean "))
    #expect(outcome.errors.contains("'nas.strategies.random'"))
  }

  @Test func everythingAsJSON() throws {
    let all = try json(try place.nasrun("api", "--json").output)
    #expect(all["schema"] == 1)
    #expect(all["nasrun"] == .string(nasrunVersion))
    let one = try json(try place.nasrun("api", "Trial", "--json").output)
    #expect(one["entries"]?.array?.first?["kind"] == "class")
  }

  @Test func thePageIsWritten() throws {
    #expect(try place.nasrun("api", "--html", "reference.html").output == "Wrote reference.html\n")
    let page = try String(contentsOf: place.folder.appending(path: "reference.html"), encoding: .utf8)
    #expect(page.hasPrefix("<!doctype html>"))
    let refused = try place.nasrun("api", "--html", "nowhere/reference.html")
    #expect(
      refused.errors
        == "nasrun: nowhere/reference.html: can't write the reference. Name a file in a folder that is there.\n")
    #expect(refused.status == 64)
  }

  // MARK: - new

  @Test func aNewFolderHasARecipeAndWhatAnEditorNeeds() throws {
    let outcome = try place.nasrun("new", "first")
    #expect(
      outcome.output == """
        wrote    first/search.lua
        wrote    first/.luarc.json
        wrote    first/.nasrun/meta/nas.lua

        Run it:  nasrun first/search.lua
        Look up what it calls:  nasrun api nas.search

        """)
    let run = try place.nasrun(
      ["first/search.lua", "-q", "--set", "trials=2", "--set", "epochs=1"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("2 trials (2 trials done)"))
  }

  @Test(arguments: ["strategy", "space"]) func templatesRun(name: String) throws {
    #expect(try place.nasrun("new", "\(name)_mine.lua", "--template", name).status == 0)
    let run = try place.nasrun(
      ["\(name)_mine.lua", "-q", "--set", "trials=2", "--set", "epochs=1"])
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func nothingIsOverwritten() throws {
    try place.write("search.lua", "-- mine\n")
    try place.write(".luarc.json", "{}\n")
    let refused = try place.nasrun("new")
    #expect(refused.status == 64)
    #expect(
      refused.errors
        == "nasrun: search.lua: there is a file of this name already. Name another: nasrun new NAME.lua.\n")
    #expect(!FileManager.default.fileExists(atPath: place.folder.appending(path: ".nasrun").path))

    let second = try place.nasrun("new", "other.lua")
    #expect(second.output.contains("kept     .luarc.json, which was there already\n"))
    #expect(try String(contentsOf: place.folder.appending(path: "search.lua"), encoding: .utf8) == "-- mine\n")
    #expect(try String(contentsOf: place.folder.appending(path: ".luarc.json"), encoding: .utf8) == "{}\n")
    let third = try place.nasrun("new", "third.lua")
    #expect(third.output.contains("kept     .nasrun/meta/nas.lua, which is up to date\n"))
  }

  @Test func anUnknownTemplate() throws {
    let outcome = try place.nasrun("new", "--template", "serch")
    #expect(outcome.errors == "nasrun: there is no template 'serch'. Did you mean 'search'?\n")
  }

  /// The Lua language server, where there is one, finds nothing wrong with the recipes and the library.
  @Test(.enabled(if: Tool.output(of: "lua-language-server", ["--version"]) != nil))
  func theLanguageServerIsContent() throws {
    #expect(try place.nasrun("new", "search.lua").status == 0)
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    try FileManager.default.copyItem(
      at: root.appending(path: "Recipes"), to: place.folder.appending(path: "Recipes"))
    let report = Tool.output(
      of: "lua-language-server", ["--check", place.folder.path, "--checklevel=Warning"], ignoringStatus: true)
    #expect(report?.contains("no problems found") == true, "\(report ?? "")")
  }

  // MARK: - completion

  /// What bash offers for a command line whose last word is being typed.
  private func bash(_ line: String) throws -> [String] {
    let script = try place.nasrun("completion", "bash").output
    try place.write("completion.bash", script)
    let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    try place.write(
      "complete.bash",
      """
      PATH=\(program.path):$PATH
      source completion.bash
      COMP_LINE=$1
      COMP_POINT=${#COMP_LINE}
      read -ra COMP_WORDS <<<"$COMP_LINE"
      [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=("")
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      handler=$(complete -p nasrun | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      "$handler" nasrun "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """)
    let output = Tool.output(of: "bash", ["complete.bash", line], in: place.folder, withErrors: true) ?? "failed"
    return output.split(separator: "\n").map(String.init)
  }

  @Test func bashCompletesCommandsRecipesAndRuns() throws {
    try place.write("hill.lua", "local args = require('nas').args { epochs = 3, data = 'shapes' }\n")
    try place.write("notes.txt", "")
    let run = try place.sampleRun("first")
    #expect(try bash("nasrun sho") == ["show"])
    #expect(try bash("nasrun hi") == ["hill.lua"])
    #expect(try bash("nasrun notes") == [])
    #expect(try bash("nasrun show ").contains(run.identity.id))
    #expect(try bash("nasrun show la") == ["last"])
    #expect(try bash("nasrun compare la") == ["last"])
    #expect(try bash("nasrun hill.lua --set ").sorted() == ["data=shapes", "epochs=3"])
    #expect(try bash("nasrun run hill.lua --set e") == ["epochs=3"])
    #expect(try bash("nasrun hill.lua --see") == ["--seed"])
    #expect(try bash("nasrun api nas.strategies.ra") == ["nas.strategies.random"])
    #expect(try bash("nasrun new --template sp") == ["space"])
  }

  @Test(.enabled(if: Tool.output(of: "zsh", ["--version"]) != nil))
  func zshReadsItsScript() throws {
    try place.write("_nasrun", try place.nasrun("completion", "zsh").output)
    let output = Tool.output(
      of: "zsh",
      [
        "-f", "-c",
        "fpath=($PWD $fpath); autoload -Uz compinit; compinit -D -u; source ./_nasrun; print $_comps[nasrun]",
      ],
      in: place.folder, withErrors: true)
    #expect(output == "_nasrun_or_recipe")
  }

  // MARK: - doctor

  @Test func theDoctorFindsAHealthyInstallation() throws {
    try place.sampleRun("first")
    let outcome = try place.nasrun("doctor")
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(outcome.output.hasSuffix("All is well.\n"))
    #expect(outcome.output.contains("nasrun               \(nasrunVersion), library "))
    #expect(outcome.output.contains("runs                 1, 0 of them unreadable; index there"))
    // What is pasted into a report names no folder of the user's.
    #expect(!outcome.output.contains(place.folder.path))
    #expect(!outcome.output.contains(NSHomeDirectory() + "/"))
  }

  @Test func theDoctorNamesWhatIsWrongAndWhatToDo() throws {
    let run = try place.sampleRun("first")
    let id = run.identity.id
    try Data("no database".utf8).write(to: run.folder.appending(path: "run.sqlite"))
    let outcome = try place.nasrun("doctor")
    #expect(outcome.status == 1)
    #expect(
      outcome.output.hasSuffix(
        """
        WRONG: runs: unreadable: \(id). 'nasrun show RUN' says why; move a damaged one out of the folder.
        1 of 14 wrong.

        """))
    let report = try json(try place.nasrun("doctor", "--json").output)
    #expect(report["schema"] == 1)
    #expect(report["ok"] == false)
    let runs = try #require(report["checks"]?.array?.first { $0["name"] == "runs" })
    #expect(runs["problem"] == .string("unreadable: \(id)"))
  }

  @Test func theIndexIsMadeAnew() throws {
    let run = try place.sampleRun("first")
    _ = try place.nasrun("ls")
    let index = place.runs.appending(path: "nasrun.sqlite")
    try Data("damaged".utf8).write(to: index)
    #expect(try place.nasrun("doctor", "--reindex").status == 0)
    #expect(try Data(contentsOf: index).starts(with: "SQLite format 3".utf8))
    #expect(try place.nasrun("ls").output.contains(run.identity.id))
  }
}
