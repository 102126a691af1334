import Canonical
import Datasets
import Diagnostics
import LuaHost
import NeuralNet
import RunStore
import SearchCore
import TensorCore

/// The effects and decisions of `nas.search`: what the search driver (`nas/search.lua`) records and shows.
final class SearchEffects {
  private unowned let session: Session
  private var searches: [String: SearchState] = [:]
  private var records: [String: SearchRecord] = [:]
  private var replayedTrials = 0
  /// The most bytes of training states that each search may keep.
  private var checkpointBytes: [String: Int] = [:]
  /// Searches that the recipe began by itself.
  private var ownSearches = 0

  init(session: Session) { self.session = session }

  func functions() -> [String: LuaFunction] {
    [
      // search_name(name, is_part): is_part for a search that belongs to another one
      "search_name": { [self] call in call.push(try name(call.string(1), isPart: call.value(2).bool ?? false)) },
      "search_begins": { [self] call in try begin(try Self.table(call)) },
      "search_ends": { [self] call in try end(try Self.table(call)) },
      "phase_ends": { [self] call in phaseEnds(try Self.table(call)) },
      "decision": { [self] call in try decide(try call.json(1)) },
      "clock": { [self] call in call.push(try clockReading(of: call.string(1) ?? "")) },
      "trial": { [self] call in try trial(try Self.table(call), call) },
      "progress": { [self] call in progress(try Self.table(call)) },
      "trial_done": { [self] call in done(try Self.table(call)) },
    ]
  }

  private static func table(_ call: borrowing LuaCall) throws -> LuaReference {
    guard let table = call.table(1) else { throw call.wrong(1, expected: "a table") }
    return table
  }

  // MARK: - Beginning and end

  /// The search's name, unique in the run: the recipe's, or `search1`, `search2`, ….
  private func name(_ given: String?, isPart: Bool) throws -> String {
    if !isPart { ownSearches += 1 }
    let name = given ?? "search\(ownSearches)"
    let isPlain = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" } && !name.isEmpty
    guard isPlain else {
      throw Fault(.recipe, "wrong name of a search", expected: "letters, digits, '_' and '-'", got: "'\(name)'")
    }
    guard !session.effects.isNested else {
      throw Fault(
        .recipe, "nas.search was called inside a trial",
        hint: "Search in the recipe or in a strategy, not in an evaluator.")
    }
    guard searches[name] == nil else {
      throw Fault(.recipe, "two searches are named '\(name)'", hint: "Give one of them another name = \"…\".")
    }
    searches[name] = SearchState(search: name)
    return name
  }

  private func begin(_ table: LuaReference) throws {
    let name = table["name"].string ?? ""
    let objectives = (table["objectives"].table?.array ?? []).compactMap(\.table).map {
      Objective($0["name"].string ?? "", $0["direction"].string == "max" ? .max : .min)
    }
    let space = table["space"].object(as: SpaceObject.self)?.space
    var details: [String: JSONValue] = [
      "space": .string(space?.name ?? ""), "space_digest": .string(space?.digest ?? ""),
    ]
    for field in ["constraints", "limits"] {
      if let value = table[field].table { details[field] = try LuaValues.json(.table(value)) }
    }
    checkpointBytes[name] = Int(min(table["checkpoint_mb"].number ?? 0, 1e9) * 1e6)
    let record = SearchRecord(
      name: name, objectives: objectives, planned: table["planned"].integer, details: .object(details))
    records[name] = record
    searches[name]?.planned = record.planned
    searches[name]?.metric = objectives.first?.name
    let run = try session.startedRun()
    try session.keepModules()
    try run.record(record)
  }

  private func end(_ table: LuaReference) throws {
    guard let name = table["name"].string, var record = records[name] else { return }
    record.stopReason = table["reason"].string
    session.tell("stop", "\(name): \(record.stopReason ?? "")")
    records[name] = record
    try session.startedRun().record(record)
    if session.effects.reused > 0 || replayedTrials > 0 {
      let reused = session.effects.reused, replayed = session.effects.replayed
      let parts =
        (reused > 0 ? ["\(reused) results from the other run"] : [])
        + (replayed > 0 ? ["\(replayed) results from the journal"] : [])
      session.observer?.noted("\(name): took " + parts.joined(separator: " and "))
      replayedTrials = 0
    }
  }

  /// A phase of a search is over: kept with the search, and told.
  private func phaseEnds(_ table: LuaReference) {
    guard let name = table["search"].string, var record = records[name], var details = record.details.object else {
      return
    }
    let phase = table["phase"].string ?? "", reason = table["reason"].string ?? ""
    let entry: JSONValue = [
      "phase": .string(phase), "reason": .string(reason), "trials": .int(table["trials"].integer ?? 0),
    ]
    details["phases"] = .array((details["phases"]?.array ?? []) + [entry])
    record.details = .object(details)
    records[name] = record
    session.tell("phase", "\(name), \(phase): \(reason)")
  }

  /// A cheap decision: written with the next effect, and checked when a resumed run takes it again.
  private func decide(_ json: JSONValue) throws {
    var value = json.object ?? [:]
    let search = value.removeValue(forKey: "search")?.string ?? ""
    let request = value.removeValue(forKey: "request")?.int ?? 0
    try session.startedRun().decide(
      DecisionRecord(search: search, kind: "ask", request: request, value: .object(value)))
  }

  /// The active seconds of the run as an observed effect.
  private func clockReading(of search: String) throws -> Double {
    let effect = try session.effects.perform(
      kind: "clock", key: search, search: search, label: "clock", isExact: false
    ) {
      EffectOutcome(exact: .null, observed: ["seconds": .number(session.clock.seconds)])
    }
    return effect.record.observed["seconds"]?.double ?? 0
  }

  // MARK: - A trial

  /// What a trial is called with.
  private struct Request {
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

    init(_ table: LuaReference) throws {
      guard let arch = table["arch"].object(as: ArchitectureObject.self), let evaluator = table["evaluator"].table,
        let trial = table["trial"].table, let run = table["run"].function
      else { throw Fault(.internal, "core.trial: a field is missing") }
      self.arch = arch
      self.evaluator = evaluator
      self.trial = trial
      self.run = run
      search = table["search"].string ?? ""
      number = table["number"].integer ?? 0
      stream = table["stream"].string ?? ""
      budget = try LuaValues.json(table["budget"])
      chain = try (table["chain"].table?.array ?? []).map(LuaValues.json)
      required = (table["required"].table?.array ?? []).compactMap(\.string)
      constraints = try SearchEffects.constraints(table["constraints"].table)
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
  }

  /// Constraints from `{ metric = { min =, max = } }`.
  static func constraints(_ table: LuaReference?) throws -> [Constraint] {
    (table?.pairs ?? []).map { name, bounds in
      Constraint(name.string ?? "", min: bounds.table?["min"].number, max: bounds.table?["max"].number)
    }
  }

  /// Runs a trial or takes it from the journal; returns `{ exact, observed, seconds, replayed, key }`.
  private func trial(_ table: LuaReference, _ call: borrowing LuaCall) throws {
    let request = try Request(table)
    let evaluator = try digest(of: request.evaluator)
    let key = try self.key(of: request, evaluator: evaluator)
    begin(request)
    let row = TrialRecord(
      search: request.search, number: request.number, architecture: request.arch.id,
      decisions: request.arch.architecture.values, budget: request.recordedBudget,
      repetition: request.budget["repeat"]?.int ?? 0, status: .running, started: session.clock.seconds)
    let result: EffectResult
    if let limits = request.limits {
      result = try limited(
        request, row, key: key, limitKey: ContentDigest.of(["trial": .string(key), "limits": limits])
      ) {
        try evaluate(request, key: key, evaluator: evaluator)
      }
    } else {
      result = try effect("trial", key, request, row) { try evaluate(request, key: key, evaluator: evaluator) }
    }
    if result.isReplayed { replayedTrials += 1 }
    if result.record.reused { try session.copyModelFromParent(request.arch.id, trialKey: key) }
    try push(result, key: key, call)
  }

  private func effect(
    _ kind: String, _ key: String, _ request: Request, _ row: TrialRecord, body: () throws -> EffectOutcome
  ) throws -> EffectResult {
    try session.effects.perform(
      kind: kind, key: key, search: request.search, label: "trial \(request.number)", stream: request.stream,
      starting: row, trial: { Self.completed(row, request.constraints, by: $0) }, body: body)
  }

  /// A trial under limits. One that reaches them is another effect, an observed one: what is known of the trial itself
  /// doesn't change.
  private func limited(
    _ request: Request, _ row: TrialRecord, key: String, limitKey: String, _ body: () throws -> EffectOutcome
  ) throws -> EffectResult {
    if try session.effects.isRecorded(kind: EffectRecord.limitKind, key: limitKey) {
      return try effect(EffectRecord.limitKind, limitKey, request, row) {
        throw Fault(.internal, "a recorded trial was run again")
      }
    }
    let start = session.clock.seconds
    do {
      return try effect("trial", key, request, row) {
        let (outcome, reached) = try session.host.limited(to: request.workLimit, body)
        guard let outcome else { throw LimitReached(what: reached ?? .time) }
        return outcome
      }
    } catch let limit as LimitReached {
      return try effect(EffectRecord.limitKind, limitKey, request, row) {
        EffectOutcome(
          exact: .null, observed: try overLimit(request, limit.what), seconds: session.clock.seconds - start)
      }
    }
  }

  private struct LimitReached: Error {
    let what: LuaHost.WorkLimit.Reached
  }

  /// What is recorded of a trial over its limit: the reason, the limit, and what it reported until then.
  private func overLimit(_ request: Request, _ reached: LuaHost.WorkLimit.Reached) throws -> JSONValue {
    let name = reached == .time ? "seconds" : "memory_mb", limit = request.limits?[name]?.double ?? 0
    let amount = Int(exactly: limit).map(String.init) ?? "\(limit)"
    return [
      "failed": .string("over its limit of \(amount) " + (reached == .time ? "seconds" : "MB of memory")),
      "metrics": [EffectRecord.limitMetric + name: .number(limit)],
      "reports": try LuaValues.json(request.trial["reports"]),
    ]
  }

  /// Evaluates for real.
  private func evaluate(_ request: Request, key: String, evaluator: String) throws -> EffectOutcome {
    let outcome = try request.run()
    guard outcome.count == 2 else { throw Fault(.internal, "core.trial: run must return two tables") }
    if try digest(of: request.evaluator) != evaluator {
      throw Fault(
        .recipe, "the evaluator changed a variable that it closes over, so a resumed run could not repeat it",
        expected: "an evaluator whose result depends on the trial alone",
        hint: "Keep what it counts or remembers in `trial`, or name the variable in `depends`.")
    }
    let exact = try LuaValues.json(outcome[0])
    if exact["failed"] == nil { keepCheckpoint(request, key: key) }
    return EffectOutcome(exact: exact, observed: try LuaValues.json(outcome[1]))
  }

  /// Keeps the training state of a trial that was asked for with a budget: those are the ones that may be continued.
  private func keepCheckpoint(_ request: Request, key: String) {
    guard let limit = checkpointBytes[request.search],
      request.budget.object?.keys.contains(where: { $0 != "repeat" }) == true,
      let network = request.trial["built"].object(as: NetworkObject.self)
    else { return }
    do {
      try session.checkpoints().keep(network, key: key, limit: limit)
    } catch {
      session.warn("the training state of trial \(request.number) can't be kept: \(error)")
    }
  }

  /// Digest of everything that decides the exact result: the network's content and parameter names, the evaluator's
  /// code and values, the budgets, the stream, the seed, the numerics, the metrics to measure.
  private func key(of request: Request, evaluator: String) throws -> String {
    var parts: [String: JSONValue] = [
      "subject": .string(try subject(of: request)), "evaluator": .string(evaluator), "budget": request.budget,
      "stream": .string(request.stream), "seed": .string(String(session.seed)),
      "numerics": session.compute.numerics, "objectives": .array(request.required.sorted().map(JSONValue.string)),
    ]
    if !request.chain.isEmpty { parts["after"] = .array(request.chain) }
    return ContentDigest.of(.object(parts))
  }

  /// The content of what is evaluated: the network built for the evaluator's data, or else the decisions and the build
  /// function. A network that can't be built counts as its build function; the trial will say why it fails.
  private func subject(of request: Request) throws -> String {
    let definition = request.arch.definition
    guard let build = definition.build else { return request.arch.architecture.canonicalText }
    if let data = request.evaluator["data"].object(as: DataObject.self)?.dataset {
      do {
        let graph = try definition.graph(
          of: request.arch.architecture, input: data.imageShape, classes: data.classNames.count,
          kind: data.kind)
        return graph.digest + graph.parametersDigest
      } catch let fault as Fault where fault.code == .recipe {
        // Only a mistake of the recipe may change the key: an interruption must not.
      }
    }
    return ContentDigest.of(request.arch.architecture.canonicalText, try session.digest(of: build))
  }

  private func digest(of evaluator: LuaReference) throws -> String {
    guard let run = evaluator["run"].function else { throw Fault(.internal, "an evaluator without run") }
    let depends = (evaluator["depends"].table?.array ?? []).compactMap(\.string)
    return try session.digest(of: run, leavingOut: Set(depends))
  }

  /// The row of a finished trial from the recorded effect; with constraints it has the metric `violation`, 0 when they
  /// are kept.
  private static func completed(
    _ row: TrialRecord, _ constraints: [Constraint], by effect: EffectRecord
  ) -> TrialRecord {
    var row = row
    row.failure = (effect.exact["failed"] ?? effect.observed["failed"])?.string
    row.status = row.failure == nil ? .ok : .failed
    row.finished = row.started + effect.activeSeconds
    for (part, isExact) in [(effect.exact, true), (effect.observed, false)] {
      for report in part["reports"]?.array ?? [] {
        row.metrics += numbers(report["metrics"]).map {
          MetricRecord($0, $1, epoch: report["epoch"]?.int, exact: isExact)
        }
      }
    }
    row.metrics += numbers(effect.exact["metrics"]).map { MetricRecord($0, $1) }
    row.metrics += numbers(effect.observed["metrics"]).map { MetricRecord($0, $1, exact: false) }
    if !constraints.isEmpty, row.failure == nil {
      let metrics = Dictionary(row.metrics.filter { $0.epoch == nil }.map { ($0.name, $0.value) }) { $1 }
      row.metrics.append(MetricRecord("violation", constraints.violation(in: metrics), exact: false))
    }
    return row
  }

  /// Numbers by name, in the order of the names; NaN and infinities survive their text form.
  private static func numbers(_ json: JSONValue?) -> [(String, Double)] {
    (json?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { name, value in value.double.map { (name, $0) } }
  }

  private func push(_ result: EffectResult, key: String, _ call: borrowing LuaCall) throws {
    let exact = result.record.exact, observed = result.record.observed
    func metrics(_ json: JSONValue?) -> JSONValue {
      .object(Dictionary(Self.numbers(json).map { ($0, JSONValue.number($1)) }) { first, _ in first })
    }
    let reports = (exact["reports"] ?? observed["reports"])?.array ?? []
    var fields: [String: JSONValue] = ["metrics": metrics(exact["metrics"])]
    fields["failed"] = exact["failed"] ?? observed["failed"]
    fields["reports"] = .array(
      reports.map { ["epoch": $0["epoch"] ?? .null, "metrics": metrics($0["metrics"])] })
    try call.push(
      [
        "exact": .object(fields), "observed": ["metrics": metrics(observed["metrics"])],
        "seconds": .number(result.record.activeSeconds), "replayed": .bool(result.isReplayed), "key": .string(key),
      ] as JSONValue)
  }

  // MARK: - Display

  private func begin(_ request: Request) {
    update(request.search) { state in
      state.trial = request.number
      state.epoch = nil
      state.epochs = request.budget["epochs"]?.int ?? request.evaluator["epochs"].integer
    }
  }

  private func progress(_ table: LuaReference) {
    update(table["search"].string ?? "") { $0.epoch = table["epoch"].integer }
  }

  private func update(_ search: String, _ change: (inout SearchState) -> Void) {
    guard var state = searches[search] else { return }
    change(&state)
    state.elapsed = session.clock.seconds
    if let planned = state.planned, state.done > 0 {
      state.remaining = workSeconds / Double(state.done) * Double(planned - state.done)
    }
    searches[search] = state
    session.observer?.progressed(state)
  }

  /// Seconds that the trials of all searches cost so far.
  private var workSeconds = 0.0

  private func done(_ table: LuaReference) {
    let name = table["search"].string ?? "", seconds = table["seconds"].number ?? 0
    workSeconds += seconds
    update(name) { state in
      state.done += 1
      state.best = table["best"].number
      state.trial = nil
    }
    guard let state = searches[name] else { return }
    session.observer?.finished(
      TrialSummary(
        number: table["trial"].integer ?? 0, value: table["value"].number, failure: table["failed"].string,
        details: table["text"].string ?? "", seconds: seconds, isReplayed: table["replayed"].bool ?? false), state)
  }
}
