import Canonical
import Diagnostics
import LuaHost
import SearchCore

/// Decisions as scripts see them, and `space:compose`, by which a policy takes them.
extension SpaceBinding {
  var composing: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "space:decisions",
          """
          The decisions in the space's order: a list of { path, site, kind, name, depth, options, low, high, step, log,
          picks }. `site` is unique; `depth` counts the decisions that must be taken a certain way before this one is
          there; `low` to `log` are those of an int, a float or the count of a list; `picks`, `ordered` and `distinct`
          those of a manyof.
          """,
          [Parameter("space", "Space")], returns: "table[]"),
        { arguments, call in
          let decisions = try arguments.object(0, as: SpaceObject.self).space.decisions
          try call.push(JSONValue.array(decisions.map { .object(Self.fields(of: $0)) }))
        }
      ),
      (
        Declaration(
          "space:compose",
          """
          An architecture whose decisions are taken one by one by `choose(decision)`, outer before inner: a policy's
          draw. The decision is as in space:decisions, with `slot` and `chosen` (the positions in earlier slots) of a
          manyof, which is asked slot by slot. `choose` returns the position of an option, or the number of an int, float or count. Nil when
          the space's `valid` rejects the architecture.
          """,
          [Parameter("space", "Space"), Parameter("choose", "function", "function(decision) → position or number")],
          returns: "Architecture?"),
        { [session] arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          guard let choose = arguments[1].function else { return }
          let architecture = try space.space.compose { question in
            let answer = try choose([try session.host.value(.object(Self.fields(of: question)))]).first ?? .nil
            let isPosition = question.slot != nil || question.decision.kind == "oneof"
            guard let position = answer.integer, isPosition else { return try LuaValues.json(answer) }
            return .int(position - 1)
          }
          guard try space.definition.validity?.accepts(architecture) ?? true else { return call.pushNil() }
          try call.push(space.definition.object(for: architecture))
        }
      ),
    ]
  }

  private static func fields(of question: CompositionQuestion) -> [String: JSONValue] {
    var fields = fields(of: question.decision)
    fields["slot"] = question.slot.map { .int($0 + 1) }
    if question.slot != nil { fields["chosen"] = .array(question.chosen.map { .int($0 + 1) }) }
    return fields
  }

  /// A decision as a table; what it doesn't have is left out.
  static func fields(of decision: DecisionInfo) -> [String: JSONValue] {
    var fields: [String: JSONValue] = [
      "path": .string(decision.path), "site": .string(decision.site), "kind": .string(decision.kind),
      "depth": .int(decision.depth),
    ]
    fields["name"] = decision.name.map(JSONValue.string)
    if !decision.options.isEmpty { fields["options"] = .array(decision.options.map(JSONValue.string)) }
    switch decision.node {
    case .int(let range, _), .list(.between(let range), _, _):
      fields["low"] = .int(range.lower)
      fields["high"] = .int(range.upper)
      fields["step"] = .int(range.step)
      fields["log"] = .bool(range.log)
    case .float(let range, _):
      fields["low"] = .number(range.lower)
      fields["high"] = .number(range.upper)
      fields["log"] = .bool(range.log)
    case .manyOf(let picks, _, let ordered, let distinct, _):
      fields["picks"] = .int(picks)
      fields["ordered"] = .bool(ordered)
      fields["distinct"] = .bool(distinct)
    case .constant, .record, .tuple, .list, .oneOf: break
    }
    return fields
  }
}
