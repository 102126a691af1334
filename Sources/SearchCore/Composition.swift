import Canonical
import Diagnostics

/// One question of a composition: which option, or which number, a decision takes.
public struct CompositionQuestion {
  /// The decision.
  public let decision: DecisionInfo
  /// The slot of a `manyOf` that is asked for, from 0; nil for other decisions.
  public let slot: Int?
  /// The positions of the options in the earlier slots of a `manyOf`; a distinct one can't take them again.
  public let chosen: [Int]
}

extension Space {
  /// The member whose decisions are taken one by one, outer before inner, in the space's order: a policy's draw.
  ///
  /// `choose` returns the position of an option, from 0, for a `oneOf` and for each slot of a `manyOf`; the number
  /// itself for a range and for the length of a list. Floats are rounded to nine significant digits, as those that
  /// `random` draws.
  ///
  /// Throws a `recipe` fault that names the decision for an answer that isn't among its values, and whatever `choose`
  /// throws.
  public func compose(_ choose: (CompositionQuestion) throws -> JSONValue) throws -> Architecture {
    let choice = try root.compose(at: Place(), choose)
    return Architecture(space: self, choice: root.canonical(choice))
  }
}

extension SpaceNode {
  fileprivate func compose(
    at place: Place, _ choose: (CompositionQuestion) throws -> JSONValue
  ) throws -> Choice {
    guard holdsDecisions else { return first }
    switch self {
    case .constant: return .fixed
    case .record(let record):
      return .parts(try record.fields.map { try $0.node.compose(at: place.key($0.key), choose) })
    case .tuple(let nodes):
      return .parts(try nodes.indices.map { try nodes[$0].compose(at: place.index($0), choose) })
    case .list(let count, let element, _):
      let length = isDecision ? try askNumber(in: count.range, at: place, choose) : count.range.lower
      return .parts(
        try (0..<length).map {
          try element.compose(at: place.index($0).conditional(isDecision && $0 >= count.range.lower), choose)
        })
    case .oneOf(let options, _):
      let index = try askOption(slot: nil, chosen: [], at: place, choose)
      return .option(index, try options[index].compose(at: place.option(index), choose))
    case .manyOf: return try composeSlots(at: place, choose)
    case .int(let range, _): return .int(try askNumber(in: range, at: place, choose))
    case .float(let range, _):
      let answer = try choose(CompositionQuestion(decision: DecisionInfo(self, at: place), slot: nil, chosen: []))
      guard answer.string == nil, let value = answer.double, range.contains(value) else {
        throw Self.wrong(answer, expected: range.description, at: place)
      }
      return .float(range.value(at: range.fraction(of: value)))
    }
  }

  private func composeSlots(
    at place: Place, _ choose: (CompositionQuestion) throws -> JSONValue
  ) throws -> Choice {
    guard case .manyOf(let k, let options, let ordered, let distinct, _) = self else { Choice.misfit() }
    var parts: [Choice] = [], chosen: [Int] = []
    for slot in 0..<k {
      let index = try askOption(slot: slot, chosen: chosen, at: place, choose)
      chosen.append(index)
      let inside =
        distinct && !ordered ? place.chosen(option: index, slot: nil) : place.index(slot).option(index)
      parts.append(.option(index, try options[index].compose(at: inside, choose)))
    }
    return .parts(ordered ? parts : parts.sorted { $0.precedes($1) })
  }

  private func askOption(
    slot: Int?, chosen: [Int], at place: Place, _ choose: (CompositionQuestion) throws -> JSONValue
  ) throws -> Int {
    let answer = try choose(CompositionQuestion(decision: DecisionInfo(self, at: place), slot: slot, chosen: chosen))
    let isDistinct = if case .manyOf(_, _, _, true, _) = self { true } else { false }
    let taken = isDistinct ? chosen : []
    guard let index = answer.int, options.indices.contains(index), !taken.contains(index) else {
      let shown = answer.int.map { JSONValue.int($0 + 1) } ?? answer
      let free = taken.isEmpty ? "" : ", none of \(taken.map { String($0 + 1) }.joined(separator: ", "))"
      throw Self.wrong(shown, expected: "the position of an option, 1 to \(options.count)\(free)", at: place)
    }
    return index
  }

  private func askNumber(
    in range: IntRange, at place: Place, _ choose: (CompositionQuestion) throws -> JSONValue
  ) throws -> Int {
    let answer = try choose(CompositionQuestion(decision: DecisionInfo(self, at: place), slot: nil, chosen: []))
    guard let value = answer.normal.int, range.contains(value) else {
      throw Self.wrong(answer, expected: range.description, at: place)
    }
    return value
  }

  private static func wrong(_ answer: JSONValue, expected: String, at place: Place) -> Fault {
    Fault(
      .recipe, "a wrong answer to a decision", path: Place.fault(place.path), expected: expected, got: answer.text())
  }
}
