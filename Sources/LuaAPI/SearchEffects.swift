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
    try session.lookups.flush()
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
    session.unaskedDraws.restart()
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

  /// Runs a trial or takes it from the journal; returns `{ exact, observed, seconds, replayed, key }`.
  private func trial(_ table: LuaReference, _ call: borrowing LuaCall) throws {
    let request = try TrialRequest(table)
    begin(request)
    let effects = TrialEffects(session: session, checkpointBytes: checkpointBytes[request.search] ?? 0)
    let (result, key) = try effects.run(request)
    if result.isReplayed { replayedTrials += 1 }
    try call.push(result.trial(key: key))
  }

  // MARK: - Display

  private func begin(_ request: TrialRequest) {
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
