import Canonical
import Diagnostics
import LuaHost
import RunStore
import SearchCore

/// What a trial is called with.
struct TrialRequest {
  let search: String, number: Int, stream: String
  let arch: ArchitectureObject
  let budget: JSONValue
  /// The budgets of the trials that it goes on from.
  let chain: [JSONValue]
  let evaluator: LuaReference
  /// The metrics that it must have.
  let required: [String]
  let constraints: [Constraint]
  /// `{ seconds, memory_mb }`; nil: no limit.
  let limits: JSONValue?
  /// The trial as scripts see it.
  let trial: LuaReference
  let run: LuaReference
  /// Whether the evaluator only looks results up.
  let isLookup: Bool

  init(_ table: LuaReference) throws {
    guard let arch = table["arch"].object(as: ArchitectureObject.self), let evaluator = table["evaluator"].table,
      let trial = table["trial"].table, let run = table["run"].function
    else { throw Fault(.internal, "core.trial: a field is missing") }
    self.arch = arch
    self.evaluator = evaluator
    self.trial = trial
    self.run = run
    isLookup = evaluator["lookup"].bool ?? false
    search = table["search"].string ?? ""
    number = table["number"].integer ?? 0
    stream = table["stream"].string ?? ""
    budget = try LuaValues.json(table["budget"])
    chain = try (table["chain"].table?.array ?? []).map(LuaValues.json)
    required = (table["required"].table?.array ?? []).compactMap(\.string)
    constraints = try Self.constraints(table["constraints"].table)
    limits = try table["limits"].table.map { try LuaValues.json(.table($0)) }
  }

  /// The budget as the record shows it.
  var recordedBudget: JSONValue {
    if chain.isEmpty { return budget }
    var fields = budget.object ?? [:]
    fields["after"] = .array(chain)
    return .object(fields)
  }

  var workLimit: LuaHost.WorkLimit {
    LuaHost.WorkLimit(
      seconds: limits?["seconds"]?.double,
      bytes: limits?["memory_mb"]?.double.map { Int(min($0, 1e9) * 1e6) })
  }

  /// Constraints from `{ metric = { min =, max = } }`.
  static func constraints(_ table: LuaReference?) throws -> [Constraint] {
    (table?.pairs ?? []).map { name, bounds in
      Constraint(name.string ?? "", min: bounds.table?["min"].number, max: bounds.table?["max"].number)
    }
  }
}

extension TrialRequest {
  /// The row of the trial while it runs.
  func row(started: Double) -> TrialRecord {
    TrialRecord(
      search: search, number: number, architecture: arch.id, decisions: arch.architecture.values,
      budget: recordedBudget, repetition: budget["repeat"]?.int ?? 0, status: .running, started: started)
  }

  /// Evaluates, and measures what the search wants beyond that.
  func outcome() throws -> EffectOutcome {
    let parts = try run()
    guard parts.count == 2 else { throw Fault(.internal, "core.trial: run must return two tables") }
    return EffectOutcome(exact: try LuaValues.json(parts[0]), observed: try LuaValues.json(parts[1]))
  }

  /// Whether the trial was asked for with a budget.
  var hasBudget: Bool { budget.object?.keys.contains { $0 != "repeat" } == true }
}
