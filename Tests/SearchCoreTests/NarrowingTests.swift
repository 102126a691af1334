import Canonical
import SearchCore
import Testing

struct NarrowingTests {
  private func sizeOf(_ space: Space, _ path: String, _ to: Narrowing) throws -> Int? {
    try space.fix([(path, to)]).size?.int
  }
  private func nested() throws -> Space {
    try Space(
      name: "s",
      root: .record([
        "op": .oneOf([
          "skip", .record(["kind": "mb", "expand": .oneOf([2, 4])]),
          .record(["kind": "conv", "expand": .oneOf([4, 6]), "kernel": .oneOf([3, 5])]),
        ])
      ]))
  }

  @Test func valuesAndSubsets() throws {
    let space = try Spaces.blocks()
    #expect(try sizeOf(space, "stem", .value(16)) == 20_736)
    #expect(try sizeOf(space, "stem", .options([24, 8])) == 2 * 20_736)
    #expect(try sizeOf(space, "blocks[2].op", .value("mb3")) == 62_208 / 4)
    #expect(try sizeOf(space, "blocks[*].op", .options(["mb3", "mb5"])) == 3 * 6 * 6 * 6 * 6)
    #expect(try sizeOf(space, "blocks[2]", .value(["op": "skip", "expand": 2])) == 62_208 / 12)
    let both = try space.fix([("stem", .value(16)), ("blocks[1].expand", .value(2))])
    #expect(both.size?.int == 20_736 / 3)
  }

  @Test func membersOfTheNarrowedSpaceKeepTheirId() throws {
    let space = try Spaces.blocks()
    let narrow = try space.fix([("blocks[3].op", .value("skip")), ("stem", .options([8, 24]))])
    var generator = SplitMix64(state: 1)
    for _ in 0..<50 {
      let member = try narrow.random(using: &generator)
      #expect(try member.value(at: "blocks[3].op") == "skip")
      #expect(try space.adopt(member).id == member.id)
      #expect(try narrow.mutate(try space.adopt(member), using: &generator).space == narrow)
    }
    #expect(!narrow.decisions.contains { $0.path == "blocks[3].op" })
  }

  /// 1 + 2 + 4 members.
  @Test func decisionsInsideOptions() throws {
    let space = try nested()
    #expect(space.size?.int == 7)
    #expect(try sizeOf(space, "op", .value("skip")) == 1)
    #expect(try sizeOf(space, "op.kind", .value("mb")) == 3)
    #expect(try sizeOf(space, "op.expand", .value(4)) == 1 + 1 + 2)
    #expect(try sizeOf(space, "op.expand", .value(2)) == 1 + 1)
    #expect(try sizeOf(space, "op.kernel", .value(3)) == 1 + 2 + 2)
    #expect(try sizeOf(space, "op", .options(["skip", ["kind": "mb", "expand": 2]])) == 2)
  }

  @Test func numbersChoicesAndLengths() throws {
    let space = try Spaces.everything()
    #expect(try sizeOf(space, "width", .options([8, 2])) == 155 * 2 * 9 * 2)
    #expect(try sizeOf(space, "pick", .options(["a", "c"])) == 155 * 3 * 1 * 2)
    let picked = try space.fix([("pick", .options(["c", "a"]))])
    #expect(!picked.decisions.contains { $0.path == "pick" })
    var generator = SplitMix64(state: 1)
    #expect(try picked.random(using: &generator).value(at: "pick") == ["a", "c"])
    #expect(try sizeOf(space, "ends[2]", .value(true)) == 155 * 3 * 9)
    #expect(try sizeOf(space, "#cells", .value(2)) == 25 * 3 * 9 * 2)
    #expect(try sizeOf(space, "#cells", .options([3, 1])) == 130 * 3 * 9 * 2)
    #expect(try sizeOf(space, "cells[*]", .value("skip")) == 3 * 3 * 9 * 2)
    let fixed = try Spaces.wild().fix([("rate", .value(0.5)), ("drop", .options([0.25, 0.5]))])
    #expect(fixed.size?.int != nil)
  }

  @Test func faults() throws {
    func text(_ space: () throws -> Space, _ path: String, _ to: Narrowing) -> String {
      faultText { _ = try space().fix([(path, to)]) }
    }
    #expect(text(Spaces.blocks, "steam", .value(16)) == "space: no decision 'steam'. Did you mean 'stem'?")
    #expect(
      text(Spaces.blocks, "blocks[5].op", .value("skip"))
        == "space.blocks: no such element: expected an index from 1 to 4, got 5")
    #expect(
      text(Spaces.blocks, "stem", .options([16, 17]))
        == "space.stem: not a value of this space: expected one of 8, 16, 24, got 17")
    #expect(
      text(Spaces.blocks, "stem", .options([])) == "space.stem: nothing is left to choose: expected at least one value")
    #expect(
      text(Spaces.everything, "cells[1]", .value("skip"))
        == "space.cells: one element of a list of variable length can't be narrowed. "
        + "Narrow all of them with [*], or its length first.")
    #expect(
      text(Spaces.everything, "#cells", .value(4))
        == "space.cells: not a length of this list: expected a whole number from 1 to 3, got 4")
    #expect(text(Spaces.everything, "#width", .value(4)) == "space.width: only a list has a length: got int")
    #expect(
      text(nested, "op.expand", .value(3))
        == "space.op.expand: not a value of this space: expected one of 2, 4, got 3")
    #expect(
      text(nested, "op.width", .value(3))
        == "space.op: no decision 'width': got oneof. space:decisions() lists the paths.")
    #expect(
      text(Spaces.everything, "pick", .options(["a"]))
        == "space.pick: can't choose that many options: expected at most 1, got 2")
  }
}
