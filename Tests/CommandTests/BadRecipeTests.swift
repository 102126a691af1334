import Foundation
import TestSupport
import Testing

/// Every mistake in a recipe ends in one clear paragraph and the right exit status: no crash, no hang.
@Suite struct BadRecipeTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  @Test(arguments: BadRecipe.endless + BadRecipe.language + BadRecipe.names + BadRecipe.searches + BadRecipe.slips)
  func endsInAnError(_ recipe: BadRecipe) throws {
    try place.write("r.lua", recipe.text)
    try place.write("broken.lua", "local t = {}\nt.x.y = 1\n")
    try place.write("fine.lua", "return { metrics = { accuracy = 1 } }\n")
    try place.write("wrong.lua", "local = 1\n")
    if recipe.text.contains("\"data\"") { try place.writeImages("data") }
    try check(recipe)
  }

  private func check(_ recipe: BadRecipe) throws {
    let outcome = try place.nasrun(["r.lua", "-q", "--seconds-between-calls", recipe.seconds])
    let here = place.folder.resolvingSymlinksInPath().path
    #expect(outcome.errors.replacing(here, with: "PLACE") == "nasrun: \(recipe.error)\n")
    #expect(outcome.status == recipe.status)
  }

  @Test(arguments: BadRecipe.data + BadRecipe.tensors + BadRecipe.models)
  func badTensors(_ recipe: BadRecipe) throws { try endsWithFiles(recipe) }

  @Test(arguments: BadRecipe.sharedWeights + BadRecipe.relaxed + BadRecipe.loading)
  func badSupernets(_ recipe: BadRecipe) throws { try endsWithFiles(recipe) }

  /// Runs the recipe beside a file of weights and a table.
  private func endsWithFiles(_ recipe: BadRecipe) throws {
    let weights = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "References/weights/import_f32.safetensors")
    try FileManager.default.copyItem(at: weights, to: place.folder.appending(path: "weights.safetensors"))
    try place.write("kinds.csv", "size,kind\n" + (0..<20).map { "\($0),\($0 % 2 == 0 ? "a" : "b")\n" }.joined())
    try place.write("r.lua", recipe.text + "\n")
    try check(recipe)
  }

  @Test func anEmptyFileIsAMistake() throws {
    try place.write("r.lua", "")
    let outcome = try place.nasrun("r.lua")
    #expect(
      outcome.errors == "nasrun: r.lua: the recipe is empty. 'nasrun new' writes one to begin with.\n"
        && outcome.status == 65)
  }

  @Test func invalidUTF8() throws {
    try Data([0x0A, 0x2D, 0x2D, 0xFF]).write(to: place.folder.appending(path: "r.lua"))
    let outcome = try place.nasrun("r.lua")
    #expect(outcome.errors == "nasrun: r.lua:2: the text is not UTF-8. Save the file in the encoding UTF-8.\n")
    #expect(outcome.status == 65)
  }

  @Test(arguments: [
    ("epoch=2", "nasrun: r.lua:1: the recipe has no setting 'epoch'. Did you mean 'epochs'?\n"),
    ("epochs=many", "nasrun: r.lua:1: wrong value for the setting 'epochs': expected a whole number, got 'many'\n"),
    ("epochs", "nasrun: wrong --set: expected name=value, got 'epochs'\n"),
  ])
  func wrongSettings(_ setting: String, _ error: String) throws {
    try place.write("r.lua", "local args = require 'nas'.args { epochs = 1 }\nprint(args.epochs)\n")
    let outcome = try place.nasrun("r.lua", "--set", setting)
    #expect(outcome.errors == error && outcome.status == 64 && outcome.output.isEmpty)
  }

  @Test func settingsOfARecipeWithoutAny() throws {
    try place.write("r.lua", "print('hello')\n")
    let outcome = try place.nasrun("r.lua", "--set", "epochs=2")
    #expect(outcome.errors == "nasrun: the recipe has no setting 'epochs'. It never calls nas.args { … }.\n")
    #expect(outcome.status == 64)
  }

  /// `--trace` adds the calls once, below nested pcalls and coroutines.
  @Test func aTraceNamesTheCalls() throws {
    try place.write(
      "r.lua",
      """
      local function inner() error("deep") end
      local function outer() local ok, err = pcall(inner) error(err, 0) end
      coroutine.wrap(function() outer() end)()
      """)
    let outcome = try place.nasrun("r.lua", "--trace")
    #expect(outcome.status == 65 && outcome.errors.hasSuffix("nasrun: r.lua:1: deep\n"))
    for line in ["r.lua:1", "r.lua:2", "r.lua:3"] { #expect(outcome.errors.contains(line)) }
  }
}
