import Diagnostics
import Testing

@Suite struct SuggestionTests {
  @Test(arguments: [("epcohs", "epochs"), ("bacth", "batch"), ("lrr", "lr")])
  func findsTheNearest(typed: String, meant: String) {
    #expect(Suggestion.nearest(to: typed, among: ["epochs", "batch", "lr", "momentum"]) == meant)
  }

  @Test func listsAllWhenNothingIsNear() {
    #expect(Suggestion.hint(for: "zzzzzz", among: ["b", "a"]) == "Known: a, b.")
  }
}

@Suite struct FaultTests {
  @Test func isOneParagraph() {
    let fault = Fault(
      .recipe, "wrong channel count", at: "r.lua:3", path: "stem/conv1", expected: "a positive integer", got: "-4",
      hint: "Give it at least 1.")
    #expect(
      fault.description
        == "r.lua:3: stem/conv1: wrong channel count: expected a positive integer, got -4. Give it at least 1.")
  }
}
