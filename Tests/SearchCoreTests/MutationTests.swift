import Canonical
import SearchCore
import Testing

struct MutationTests {
  /// An edge of a cell, with its operation in the parent.
  private struct Edge {
    let path: String
    let node: String
    let edge: Int
    let value: JSONValue?
  }

  /// How often each decision differs from the parent's over many mutations.
  private func frequencies(_ space: Space, draws: Int) throws -> [String: Double] {
    var generator = SplitMix64(state: 1)
    let parent = try space.random(using: &generator)
    let before = (1...3).flatMap { node in
      (1...node).map { edge in
        Edge(
          path: "node\(node)[\(edge)]", node: "node\(node)", edge: edge - 1,
          value: parent.values["node\(node)"]?.array?[edge - 1])
      }
    }
    var counts: [String: Int] = [:]
    for _ in 0..<draws {
      let values = try space.mutate(parent, using: &generator).values
      let changed = before.filter { values[$0.node]?.array?[$0.edge] != $0.value }
      if changed.count == 1 { counts[changed[0].path, default: 0] += 1 }
    }
    #expect(counts.values.reduce(0, +) == draws)
    return counts.mapValues { Double($0) / Double(draws) }
  }

  /// D-X-Y/AutoDL-Projects, `exps/NATS-algos/regularized_ea.py`: a node, then one of its edges.
  /// Tolerance: 4 standard deviations of a frequency over 60,000 draws, at most 0.0077.
  @Test func branchPolicyHasThePublishedEdgeProbabilities() throws {
    let found = try frequencies(try Spaces.nasbench201(.branch), draws: 60_000)
    let expected = [
      "node1[1]": 1.0 / 3, "node2[1]": 1.0 / 6, "node2[2]": 1.0 / 6, "node3[1]": 1.0 / 9, "node3[2]": 1.0 / 9,
      "node3[3]": 1.0 / 9,
    ]
    #expect(found.count == 6)
    for (path, p) in expected {
      #expect(abs((found[path] ?? 0) - p) < 4 * (p * (1 - p) / 60_000).squareRoot(), "\(path)")
    }
  }

  @Test func uniformPolicyTreatsDecisionsAlike() throws {
    let found = try frequencies(try Spaces.nasbench201(.uniformDecision), draws: 20_000)
    #expect(found.count == 6)
    for (path, frequency) in found { #expect(abs(frequency - 1.0 / 6) < 0.0106, "\(path)") }
  }

  @Test func otherOptionsAreEquallyLikely() throws {
    let space = try Space(name: "s", root: .oneOf(Spaces.operations))
    let parent = try space.make("none")
    var generator = SplitMix64(state: 2)
    var counts: [String: Int] = [:]
    for _ in 0..<40_000 { counts[try space.mutate(parent, using: &generator).canonicalText, default: 0] += 1 }
    #expect(counts.count == 4)
    for count in counts.values { #expect(abs(Double(count) / 40_000 - 0.25) < 0.0087) }
  }

  @Test func severalChanges() throws {
    let space = try Spaces.nasbench201()
    var generator = SplitMix64(state: 3)
    for k in [1, 2, 3, 6, 9] {
      let parent = try space.random(using: &generator)
      let child = try space.mutate(parent, changes: k, using: &generator)
      let changed = zip(parent.decisions, child.decisions).count { $0 != $1 }
      #expect(changed == min(k, 6))
    }
  }

  @Test func newOptionBringsItsDecisions() throws {
    let space = try Space(name: "s", root: .record(["op": Spaces.conditional]))
    var generator = SplitMix64(state: 4)
    var seen: Set<String> = []
    for _ in 0..<200 {
      seen.insert(try space.mutate(try space.make(["op": "skip"]), using: &generator).canonicalText)
    }
    #expect(seen.count == 4)
  }

  @Test func growingKeepsTheFirstElements() throws {
    let space = try Space(name: "s", root: .list(.between(IntRange(2, 4)), .int(IntRange(1, 1))))
    var generator = SplitMix64(state: 5)
    let child = try space.mutate(try space.make([1, 1, 1]), using: &generator)
    #expect(["[1,1]", "[1,1,1,1]"].contains(child.canonicalText))
  }

  @Test func narrowFloatsStillChange() throws {
    let space = try Space(name: "s", root: .float(FloatRange(1, 1 + 1e-12)))
    var generator = SplitMix64(state: 6)
    let parent = try space.random(using: &generator)
    #expect(try space.mutate(parent, using: &generator) != parent)
  }

  @Test func nothingToChange() throws {
    let space = try Space(name: "s", root: .record(["a": .oneOf([1]), "b": 2]))
    var generator = SplitMix64(state: 7)
    let only = try space.make(["a": 1])
    #expect(
      faultText { _ = try space.mutate(only, using: &generator) }
        == "space: no decision of the architecture can change: expected a decision with two options or more")
    #expect(
      faultText { _ = try space.mutate(only, changes: 0, using: &generator) }
        == "bad number of changes: expected at least 1, got 0")
  }
}
