import Canonical
import SearchCore
import Testing

/// Whatever is drawn from a space is a member of it: its values are read back to the same architecture.
struct MembershipTests {
  private func expectMember(_ architecture: Architecture, of space: Space) throws {
    let json = try JSONValue(parsing: Array(architecture.values.text().utf8), source: "test")
    let again = try space.make(json)
    #expect(again == architecture)
    #expect(again.id == architecture.id)
    #expect(architecture.encoding.count == space.encodingNames.count)
    #expect(architecture.encoding.allSatisfy { $0 >= 0 && $0 <= 1 })
  }

  @Test(arguments: Spaces.all.indices)
  func operationsStayInside(_ index: Int) throws {
    let space = try Spaces.all[index]()
    var generator = SplitMix64(state: UInt64(index))
    for _ in 0..<200 {
      let a = try space.random(using: &generator), b = try space.random(using: &generator)
      let drawn = [
        a, try space.mutate(a, using: &generator), try space.mutate(a, changes: 3, using: &generator),
        try space.crossover(a, b, using: &generator),
      ]
      for member in drawn { try expectMember(member, of: space) }
      #expect(drawn[1] != a)
    }
  }

  @Test(arguments: Spaces.all.indices)
  func neighborsAreOtherMembersWithoutRepetition(_ index: Int) throws {
    let space = try Spaces.all[index]()
    var generator = SplitMix64(state: UInt64(index))
    for _ in 0..<5 {
      let center = try space.random(using: &generator)
      let neighbors = Array(try space.neighbors(of: center))
      #expect(Set(neighbors).count == neighbors.count)
      #expect(!neighbors.contains(center))
      for neighbor in neighbors.prefix(100) { try expectMember(neighbor, of: space) }
    }
  }

  @Test func neighborsOfACell() throws {
    let space = try Spaces.nasbench201()
    var generator = SplitMix64(state: 9)
    let center = try space.random(using: &generator)
    let neighbors = Array(try space.neighbors(of: center))
    #expect(neighbors.count == 24)
    for neighbor in neighbors {
      #expect(zip(center.decisions, neighbor.decisions).count { $0 != $1 } == 1)
    }
  }

  @Test func neighborsOfEachKind() throws {
    func neighbors(_ root: SpaceNode, of value: JSONValue) throws -> [String] {
      let space = try Space(name: "s", root: root)
      return try space.neighbors(of: try space.make(value)).map(\.canonicalText)
    }
    #expect(try neighbors(.int(IntRange(1, 7, step: 2)), of: 5) == ["1", "3", "7"])
    #expect(
      try neighbors(.float(FloatRange(0, 1)), of: 0.5)
        == ["0", "0.1", "0.2", "0.3", "0.4", "0.6", "0.7", "0.8", "0.9", "1"])
    #expect(try neighbors(.list(.between(IntRange(0, 2)), .oneOf([5, 6])), of: [6]) == ["[]", "[6,5]", "[5]"])
    #expect(try neighbors(.manyOf(2, ["a", "b", "c"]), of: ["a", "b"]) == [#"["b","c"]"#, #"["a","c"]"#])
    #expect(
      try neighbors(.manyOf(2, ["a", "b"], ordered: true), of: ["a", "b"]) == [#"["b","a"]"#])
    #expect(try neighbors(.manyOf(2, [1, 2], distinct: false), of: [1, 1]) == ["[1,2]"])
    #expect(
      try neighbors(Spaces.conditional, of: "skip") == [#"{"expand":2,"kernel":3,"kind":"mb"}"#])
  }

  @Test func crossoverTakesEveryDecisionFromAParent() throws {
    let space = try Spaces.blocks()
    var generator = SplitMix64(state: 10)
    var fromFirst = 0, different = 0
    for _ in 0..<500 {
      let a = try space.random(using: &generator), b = try space.random(using: &generator)
      let child = try space.crossover(a, b, using: &generator).decisions
      for ((x, y), z) in zip(zip(a.decisions, b.decisions), child) {
        #expect(z == x || z == y)
        if x != y {
          different += 1
          fromFirst += z == x ? 1 : 0
        }
      }
    }
    // 4 standard deviations of a fair coin.
    #expect(abs(Double(fromFirst) / Double(different) - 0.5) < 2 / Double(different).squareRoot())
  }

  @Test func sameNumbersSameDraws() throws {
    let space = try Spaces.wild()
    func draw() throws -> [String] {
      var generator = SplitMix64(state: 11)
      var here = try space.random(using: &generator)
      return try (0..<20).map { _ in
        here = try space.mutate(here, using: &generator)
        return here.id
      }
    }
    #expect(try draw() == draw())
  }

  @Test func rejectionIsCountedAndLimited() throws {
    let space = try Space(name: "s", root: .int(IntRange(1, 10)))
    var generator = SplitMix64(state: 12)
    let even = Validity { try $0.value(at: "").int! % 2 == 0 }
    for _ in 0..<100 {
      #expect(try space.random(using: &generator, validity: even).values.int! % 2 == 0)
    }
    #expect(even.rejections > 50 && even.rejections < 200)
    let never = Validity(tryLimit: 20) { _ in false }
    #expect(
      faultText { _ = try space.random(using: &generator, validity: never) }
        == "space: random found no valid architecture in 20 tries. "
        + "Make `valid` less strict, or narrow the space so that more of it is valid.")
    #expect(never.rejections == 20)
    #expect(
      faultText { try never.require(try space.make(3)) } == "space: `valid` rejects this architecture: got 3")
  }

  /// The same draws made in Python from the documented steps: a recorded run depends on them.
  @Test func drawsAreStable() throws {
    var generator = SplitMix64(state: 42)
    let cell = try Spaces.nasbench201().random(using: &generator)
    #expect(
      cell.values == [
        "node1": ["nor_conv_3x3"], "node2": ["skip_connect", "nor_conv_3x3"],
        "node3": ["avg_pool_3x3", "none", "nor_conv_1x1"],
      ])
    let wild = try Spaces.wild().random(using: &generator)
    #expect(
      wild.values == [
        "bag": ["a", "b", "b"], "drop": 0.309241033, "order": ["z", "y", "x"], "rate": 0.011313174,
        "slots": [["n": 1], "a"], "units": 805,
        "stages": [
          [["expand": 2, "kernel": 3, "kind": "mb"]],
          [["expand": 4, "kernel": 3, "kind": "mb"], ["expand": 4, "kernel": 5, "kind": "mb"]],
        ],
      ])
  }
}
