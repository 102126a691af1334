import Canonical
import Diagnostics
import SearchCore
import Testing

@Suite struct CompositionTests {
  /// Answers a question at random.
  private static func answer(
    _ question: CompositionQuestion, _ generator: inout SplitMix64
  ) -> JSONValue {
    let bits: UInt64 = generator.next()
    switch question.decision.node {
    case .int(let range, _), .list(.between(let range), _, _):
      return .int(range.lower + range.step * Int(bits % UInt64((range.upper - range.lower) / range.step + 1)))
    case .float(let range, _): return .number(range.lower + Double(bits >> 11) * 0x1p-53 * (range.upper - range.lower))
    case .manyOf(_, let options, _, let distinct, _):
      let free = options.indices.filter { !distinct || !question.chosen.contains($0) }
      return .int(free[Int(bits % UInt64(free.count))])
    default: return .int(Int(bits % UInt64(question.decision.options.count)))
    }
  }

  /// Random answers reach every member of a space with all kinds of decisions, and nothing else.
  @Test func reachesEveryMember() throws {
    let space = try Space(
      name: "small",
      root: .record([
        "cell": Spaces.conditional, "widths": .list(.between(IntRange(1, 2)), .int(IntRange(2, 5, step: 3))),
        "pick": .manyOf(2, Spaces.parts),
        "twice": .manyOf(2, ["a", .record(["n": .oneOf([1, 2])])], distinct: false), "fixed": 7,
      ]))
    var missing = Set(try space.iterate().map(\.id)), generator = SplitMix64(state: 1)
    // 5 cells, 2 + 4 lists, 3 pairs of a, b, c and 6 with one of two n, 6 multisets of a, n = 1, n = 2.
    #expect(missing.count == 5 * 6 * 9 * 6)
    let members = missing
    for _ in 0..<200_000 where !missing.isEmpty {
      let architecture = try space.compose { Self.answer($0, &generator) }
      #expect(members.contains(architecture.id))
      missing.remove(architecture.id)
    }
    #expect(missing.isEmpty)
  }

  /// The questions are those of `Space.decisions`, at their sites.
  @Test func asksTheSpacesDecisions() throws {
    let space = try Spaces.everything()
    let sites = Set(space.decisions.map(\.site))
    var generator = SplitMix64(state: 2)
    for _ in 0..<50 {
      var asked: [String] = []
      let architecture = try space.compose {
        asked.append($0.decision.site)
        return Self.answer($0, &generator)
      }
      #expect(sites.isSuperset(of: asked))
      // A manyof is asked for each of its slots, everything else once.
      #expect(Set(asked) == Set(architecture.decisions.map(\.info.site)))
      #expect(asked.count == architecture.decisions.count + 1)
    }
  }

  /// Floats are rounded as those that are drawn, so that an answer can't make a value that has another text each time.
  @Test func roundsFloats() throws {
    let space = try Space(name: "rate", root: .record(["rate": .float(FloatRange(0.001, 0.1, log: true))]))
    let architecture = try space.compose { _ in .number(0.0123456789123456) }
    #expect(try architecture.value(at: "rate") == .number(0.0123456789))
    #expect(try space.compose { _ in .number(0.1) }.value(at: "rate") == .number(0.1))
  }
}
