import Canonical
import Datasets
import Diagnostics
import LuaHost
import NeuralNet
import RunStore
import SearchCore
import TensorCore

/// Trials as effects: their keys, their evaluation under limits, and the training states that are kept of them.
struct TrialEffects {
  let session: Session
  /// The most bytes of training states that the trial's search may keep.
  let checkpointBytes: Int

  /// Runs a trial, or takes it from the journal; returns it with its key.
  func run(_ request: TrialRequest) throws -> (result: EffectResult, key: String) {
    if request.isLookup { return try session.lookups.run(request) }
    let evaluator = try digest(of: request.evaluator)
    let key = try self.key(of: request, evaluator: evaluator)
    if session.options.onlyBuilds, key == session.options.reproducing {
      try Reproduction(session: session).build(request)
    }
    let row = request.row(started: session.clock.seconds)
    let body = { try evaluate(request, key: key, evaluator: evaluator) }
    let result =
      try request.limits.map { limits in
        let limitKey = ContentDigest.of(["trial": .string(key), "limits": limits])
        return try limited(request, row, key: key, limitKey: limitKey, body)
      } ?? effect("trial", key, request, row, body: body)
    if result.record.reused { try session.copyModelFromParent(request.arch.id, trialKey: key) }
    return (result, key)
  }

  private func effect(
    _ kind: String, _ key: String, _ request: TrialRequest, _ row: TrialRecord, body: () throws -> EffectOutcome
  ) throws -> EffectResult {
    try session.effects.perform(
      kind: kind, key: key, search: request.search, label: "trial \(request.number)", stream: request.stream,
      starting: row, trial: { row.completed(by: $0, under: request.constraints) }, body: body)
  }

  /// A trial under limits. One that reaches them is another effect, an observed one: what is known of the trial itself
  /// doesn't change.
  private func limited(
    _ request: TrialRequest, _ row: TrialRecord, key: String, limitKey: String, _ body: () throws -> EffectOutcome
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
  private func overLimit(_ request: TrialRequest, _ reached: LuaHost.WorkLimit.Reached) throws -> JSONValue {
    let name = reached == .time ? "seconds" : "memory_mb", limit = request.limits?[name]?.double ?? 0
    let amount = Int(exactly: limit).map(String.init) ?? "\(limit)"
    let unit = reached == .memory ? "MB of memory" : limit == 1 ? "second" : "seconds"
    return [
      "failed": .string("over its limit of \(amount) \(unit)"),
      "metrics": [EffectRecord.limitMetric + name: .number(limit)],
      "reports": try LuaValues.json(request.trial["reports"]),
    ]
  }

  /// Evaluates for real.
  private func evaluate(_ request: TrialRequest, key: String, evaluator: String) throws -> EffectOutcome {
    let outcome = try request.outcome()
    if try digest(of: request.evaluator) != evaluator {
      throw Fault(
        .recipe, "the evaluator changed a variable that it closes over, so a resumed run could not repeat it",
        expected: "an evaluator whose result depends on the trial alone",
        hint: "Keep what it counts or remembers in `trial`, or name the variable in `depends`.")
    }
    if outcome.exact["failed"] == nil { keepCheckpoint(request, key: key) }
    return outcome
  }

  /// Keeps the training state of a trial that was asked for with a budget: those are the ones that may be continued.
  private func keepCheckpoint(_ request: TrialRequest, key: String) {
    guard request.hasBudget, let network = request.trial["built"].object(as: NetworkObject.self) else { return }
    do {
      try session.checkpoints().keep(network, key: key, limit: checkpointBytes)
    } catch {
      session.warn("the training state of trial \(request.number) can't be kept: \(error)")
    }
  }

  // MARK: - Keys

  /// Digest of everything that decides the exact result: the network's content and parameter names, the evaluator's
  /// code and values, the budgets, the stream, the seed, the numerics, the metrics to measure.
  private func key(of request: TrialRequest, evaluator: String) throws -> String {
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
  private func subject(of request: TrialRequest) throws -> String {
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
}
