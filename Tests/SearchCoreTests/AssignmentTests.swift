import Canonical
import SearchCore
import Testing

/// `make`, `with`, `value(at:)`, and the texts of what can be wrong with them.
struct AssignmentTests {
  private func blocks(_ second: JSONValue) -> JSONValue {
    let block: JSONValue = ["op": "mb3", "expand": 4]
    return ["stem": 16, "blocks": [block, second, block, block]]
  }

  private func fault(_ values: JSONValue, _ space: () throws -> Space = Spaces.blocks) -> String {
    faultText { _ = try space().make(values) }
  }

  @Test func valuesByPath() throws {
    let arch = try Spaces.blocks().make(blocks(["op": "skip", "expand": 2]))
    #expect(try arch.value(at: "stem") == 16)
    #expect(try arch.value(at: "blocks[2].op") == "skip")
    #expect(try arch.value(at: "blocks[2]") == ["op": "skip", "expand": 2])
    #expect(try arch.value(at: "") == arch.values)
  }

  @Test func withChangesOneValue() throws {
    let arch = try Spaces.blocks().make(blocks(["op": "skip", "expand": 2]))
    let changed = try arch.with("blocks[2].op", "mb5")
    #expect(changed.values == blocks(["op": "mb5", "expand": 2]))
    #expect(arch.values == blocks(["op": "skip", "expand": 2]))
    #expect(try changed.with("blocks[2].op", "skip") == arch)
    #expect(try arch.with("blocks[2]", ["op": "mb5", "expand": 2]) == changed)
  }

  @Test func withChoosesAnOptionThatHoldsDecisions() throws {
    let space = try Space(name: "s", root: .record(["op": Spaces.conditional]))
    let mb = try space.make(["op": "skip"]).with("op", ["kind": "mb", "expand": 4, "kernel": 3])
    #expect(try mb.value(at: "op.expand") == 4)
    #expect(try mb.with("op.kernel", 5).value(at: "op") == ["kind": "mb", "expand": 4, "kernel": 5])
    #expect(
      faultText { _ = try mb.with("op.kernel", 7) }
        == "space.op.kernel: not a value of this space: expected one of 3, 5, got 7")
  }

  @Test func constantsMayBeLeftOutOrRepeated() throws {
    let space = try Space(name: "s", root: .record(["op": Spaces.conditional, "stride": 2]))
    let short = try space.make(["op": ["expand": 4, "kernel": 3]])
    let long = try space.make(["op": ["kind": "mb", "expand": 4, "kernel": 3], "stride": 2])
    #expect(short == long)
    #expect(
      faultText { _ = try space.make(["op": "skip", "stride": 1]) }
        == "space.stride: not a value of this space: expected 2, got 1")
  }

  @Test func orderOfAnUnorderedChoiceDoesNotMatter() throws {
    let space = try Space(name: "s", root: .manyOf(2, ["a", "b", "c"]))
    #expect(try space.make(["c", "a"]) == space.make(["a", "c"]))
    let ordered = try Space(name: "s", root: .manyOf(2, ["a", "b", "c"], ordered: true))
    #expect(try ordered.make(["c", "a"]) != ordered.make(["a", "c"]))
  }

  @Test func misspelledDecisions() {
    #expect(
      fault(blocks(["oq": "mb3", "expand": 4])) == "space.blocks[2]: no decision 'oq'. Did you mean 'op'?")
    #expect(fault(["stam": 16]) == "space: no decision 'stam'. Did you mean 'stem'?")
    #expect(fault(["width": 16]) == "space: no decision 'width'. Known: blocks, stem.")
    #expect(
      faultText { _ = try Spaces.blocks().make(blocks(["op": "mb3", "expand": 4])).with("blocks[2].oq", "mb3") }
        == "space.blocks[2]: no decision 'oq'. Did you mean 'op'?")
  }

  @Test func wrongValues() {
    #expect(
      fault(blocks(["op": "conv", "expand": 4]))
        == #"space.blocks[2].op: not a value of this space: expected one of "conv3", "mb3", "mb5", "skip", "#
        + #"got "conv". Did you mean 'conv3'?"#)
    #expect(
      fault(blocks(["op": "mb3", "expand": 3]))
        == "space.blocks[2].expand: not a value of this space: expected one of 2, 4, 6, got 3")
    #expect(
      fault(blocks(["op": "mb3"])) == "space.blocks[2].expand: the decision is missing: expected one of 2, 4, 6")
    #expect(
      fault(["stem": 16, "blocks": [["op": "mb3", "expand": 4]]])
        == "space.blocks: wrong number of elements: expected 4, got 1")
    #expect(
      fault(["stem": 16, "blocks": 3]) == "space.blocks: not a value of this space: expected a list, got 3")
    #expect(
      fault(7) == "space: not a value of this space: expected a table with blocks, stem, got 7")
  }

  @Test func wrongNumbers() throws {
    func text(_ root: SpaceNode, _ value: JSONValue) -> String {
      faultText { _ = try Space(name: "s", root: .record(["n": root])).make(["n": value]) }
    }
    #expect(
      text(.int(IntRange(2, 9, step: 3)), 4)
        == "space.n: not a value of this space: expected a whole number from 2 to 8 in steps of 3, got 4")
    #expect(
      text(.float(FloatRange(0, 0.5)), 0.75)
        == "space.n: not a value of this space: expected a number from 0.0 to 0.5, got 0.75")
    #expect(
      text(.float(FloatRange(0, 0.5)), "NaN")
        == #"space.n: not a value of this space: expected a number from 0.0 to 0.5, got "NaN""#)
    #expect(
      text(.manyOf(2, ["a", "b"]), ["a", "a"])
        == #"space.n[2]: an option is chosen twice: expected 2 different options, got "a""#)
    #expect(
      text(.list(.between(IntRange(1, 3)), .oneOf([1])), [])
        == "space.n: wrong number of elements: expected a whole number from 1 to 3, got 0")
  }

  /// The fault is that of the option that was meant.
  @Test func wrongValuesInsideAnOption() throws {
    func text(_ value: JSONValue) -> String {
      fault(["op": value]) { try Space(name: "s", root: .record(["op": Spaces.conditional])) }
    }
    #expect(
      text(["kind": "mb", "expand": 3, "kernel": 3])
        == "space.op.expand: not a value of this space: expected one of 2, 4, got 3")
    #expect(
      text(["kind": "mb", "expand": 2, "kernal": 3]) == "space.op: no decision 'kernal'. Did you mean 'kernel'?")
    #expect(
      text("skib")
        == #"space.op: not a value of this space: expected one of "skip", a table with expand, kernel, kind, "#
        + #"got "skib". Did you mean 'skip'?"#)
  }

  @Test func badPaths() throws {
    let arch = try Spaces.blocks().make(blocks(["op": "skip", "expand": 2]))
    func text(_ path: String) -> String { faultText { _ = try arch.value(at: path) } }
    #expect(text("blocks[5].op") == "space.blocks: no such element: expected an index from 1 to 4, got 5")
    #expect(
      text("stem.width")
        == "space.stem: the path goes on inside a plain value: expected a path that ends there, got 16. "
        + "space:decisions() lists the paths.")
    #expect(text("blocks[*].op") == "space.blocks: [*] can only narrow a space. Give one index.")
    for path in ["blocks[0]", "blocks[", "blocks[x]", ".stem", "stem.", "a..b", "blocks[1]op"] {
      #expect(
        text(path) == "malformed decision path: expected keys and indices like blocks[2].op, got \"\(path)\"")
    }
  }

  @Test func architecturesOfAnotherSpace() throws {
    var generator = SplitMix64(state: 1)
    let cell = try Spaces.nasbench201().random(using: &generator)
    #expect(try Spaces.nasbench201(.uniformDecision).adopt(cell).id == cell.id)
    #expect(
      faultText { _ = try Spaces.blocks().mutate(cell, using: &generator) }
        == "space: no decision 'node1'. Known: blocks, stem.")
  }
}
