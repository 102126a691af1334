import Canonical
import SearchCore
import Testing

/// Sizes counted by hand, and listings that have as many members, all different.
struct SizeAndIterationTests {
  private func size(_ root: SpaceNode) throws -> String? {
    try Space(name: "s", root: root).size?.description
  }

  @Test func sizesCountedByHand() throws {
    #expect(try Spaces.nasbench201().size?.int == 15_625)
    #expect(try Spaces.blocks().size?.int == 62_208)
    #expect(try size(Spaces.conditional) == "5")
    #expect(try size(.list(.between(IntRange(1, 3)), Spaces.conditional)) == "155")
    #expect(try size(.list(.between(IntRange(0, 4, step: 2)), .oneOf([1, 2, 3]))) == "91")
    #expect(try size(.int(IntRange(2, 9, step: 3))) == "3")
    #expect(try size(.list(.fixed(0), .oneOf([1, 2]))) == "1")
    #expect(try Spaces.everything().size?.int == 155 * 3 * 9 * 2)
  }

  /// Options of sizes 1, 1, 1, 2: pairs are 3 of the single ones and 3 · 2 with the last; with repetition there are
  /// 5 values to choose from.
  @Test func sizesOfChoices() throws {
    #expect(try size(.manyOf(2, Spaces.parts)) == "9")
    #expect(try size(.manyOf(2, Spaces.parts, ordered: true)) == "18")
    #expect(try size(.manyOf(2, Spaces.parts, ordered: true, distinct: false)) == "25")
    #expect(try size(.manyOf(2, Spaces.parts, distinct: false)) == "15")
    #expect(try size(.manyOf(3, ["x", "y", "z"], ordered: true)) == "6")
  }

  @Test func hugeSizesAreExact() throws {
    // Python: 12**40 and 2**53 ** 3.
    let large = try Space(name: "s", root: .list(.fixed(40), .int(IntRange(1, 12))))
    #expect(large.size?.description == "14697715679690864505827555550150426126974976")
    #expect(large.size?.int == nil)
    #expect(large.size?.double == 1.4697715679690864e43)
    let wide = try Space(name: "s", root: .list(.fixed(3), .int(IntRange(1, 1 << 53))))
    #expect(wide.size?.description == "730750818665451459101842416358141509827966271488")
    #expect(try Spaces.wild().size == nil)
  }

  @Test(arguments: [
    SpaceNode.manyOf(2, Spaces.parts), .manyOf(2, Spaces.parts, ordered: true),
    .manyOf(3, Spaces.parts, ordered: true, distinct: false), .manyOf(3, Spaces.parts, distinct: false),
    .manyOf(3, Spaces.parts), .manyOf(4, Spaces.parts), .manyOf(3, ["x", "y", "z"], ordered: true),
    .list(.between(IntRange(0, 3)), Spaces.conditional),
    .oneOf(["none", .list(.between(IntRange(1, 2)), .oneOf([1, 2]))]),
    .constant(3),
  ])
  func listingHasEveryMemberOnce(_ root: SpaceNode) throws {
    let space = try Space(name: "s", root: root)
    let ids = try space.iterate().map(\.id)
    #expect(ids.count == space.size?.int)
    #expect(Set(ids).count == ids.count)
  }

  @Test func listingOfLargeSpaces() throws {
    for space in [try Spaces.nasbench201(), try Spaces.everything()] {
      var ids: Set<String> = []
      var count = 0
      for member in try space.iterate() {
        count += 1
        ids.insert(member.id)
      }
      #expect(count == space.size?.int)
      #expect(ids.count == count)
    }
  }

  @Test func order() throws {
    let space = try Space(name: "s", root: .manyOf(2, ["a", "b", "c"]))
    #expect(try space.iterate().map(\.canonicalText) == [#"["a","b"]"#, #"["a","c"]"#, #"["b","c"]"#])
    let bag = try Space(name: "s", root: .manyOf(2, [1, 2], distinct: false))
    #expect(try bag.iterate().map(\.canonicalText) == ["[1,1]", "[1,2]", "[2,2]"])
    let nested = try Space(name: "s", root: Spaces.conditional)
    #expect(
      try nested.iterate().prefix(3).map(\.canonicalText) == [
        #""skip""#, #"{"expand":2,"kernel":3,"kind":"mb"}"#, #"{"expand":2,"kernel":5,"kind":"mb"}"#,
      ])
  }

  @Test func listingIsLazy() throws {
    let space = try Space(name: "s", root: .list(.fixed(40), .int(IntRange(1, 12))))
    #expect(try space.iterate().prefix(3).map(\.id).count == 3)
  }

  @Test func floatsHaveNoNextValue() throws {
    #expect(
      faultText { _ = try Spaces.wild().iterate() }
        == "space.drop: a space with a float can't be listed. Narrow it to some values with fix.")
  }
}
