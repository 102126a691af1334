import Canonical
import Foundation
import Diagnostics
import LuaHost
import SearchCore

/// `nas.core`: what the Lua library needs beyond the public API. Recipes have no business with it.
struct CoreBinding {
  let api: API
  let session: Session
  private let library = Set(LuaHost.embeddedLibrary.map(\.name))

  init(api: API, session: Session) {
    self.api = api
    self.session = session
  }

  func functions() -> [String: LuaFunction] {
    errors.merging(modules) { $1 }.merging(values) { $1 }.merging(search) { $1 }
  }

  private var errors: [String: LuaFunction] {
    [
      "suggest": { call in
        call.push(Suggestion.hint(for: call.string(1) ?? "", among: (call.table(2)?.array ?? []).compactMap(\.string)))
      },
      // missing(sentence): what the script looked for isn't there; an error about nil that comes next says so
      "missing": { [session] call in session.host.note(missing: call.string(1) ?? "") },
      "warn": { [session] call in session.warn(call.string(1) ?? "") },
      "note": { [session] call in session.tell("note", call.string(1) ?? "") },
      // class_name(value): the name of the class of an object, or nil
      "class_name": { call in
        switch call.value(1) {
        case .userdata(let object): call.push(type(of: object).luaName)
        case .table(let table): try call.push(table.className.map { .string($0) } ?? LuaValue.nil)
        default: call.pushNil()
        }
      },
      "show": { call in call.push(call.value(1).description) },
      // number(value, what, name): the value as a float, or an error that names it
      "number": { call in
        guard let number = call.number(1) else {
          throw Fault(
            .recipe, "\(call.string(2) ?? ""): wrong value of '\(call.string(3) ?? "?")'", expected: "a number",
            got: call.value(1).description)
        }
        call.push(number)
      },
    ]
  }

  private var modules: [String: LuaFunction] {
    [
      "has_module": { call in call.push(isLibraryModule(call.string(1) ?? "")) },
      "modules_in": { call in
        let prefix = (call.string(1) ?? "") + "."
        let names = library.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        try call.push(JSONValue.array(names.sorted().map(JSONValue.string)))
      },
    ]
  }

  /// Whether the library has a module of this name, embedded or in the folder that wins over it.
  private func isLibraryModule(_ name: String) -> Bool {
    if library.contains(name) { return true }
    guard let folder = session.options.scriptsFolder else { return false }
    return FileManager.default.fileExists(atPath: folder + "/" + name.replacingOccurrences(of: ".", with: "/") + ".lua")
  }

  private var values: [String: LuaFunction] {
    [
      "stream": { [session] call in try call.push(session.stream(call.string(1) ?? "")) },
      "canonical": { call in call.push(try call.json(1).text()) },
      "format_metric": { call in
        guard let value = call.number(2) else { return call.push("–") }
        call.push(MetricText.text(value, of: call.string(1) ?? ""))
      },
      // require_of(arch, space, what): an error for an architecture of another space
      "require_of": { call in
        guard let arch = try call.object(1, as: ArchitectureObject.self) else {
          throw call.wrong(1, expected: "an Architecture")
        }
        guard let space = try call.object(2, as: SpaceObject.self) else { throw call.wrong(2, expected: "a Space") }
        try space.definition.require(arch, for: call.string(3) ?? "")
      },
      // version(network): changes whenever its weights do
      "version": { call in
        guard let network = try call.object(1, as: NetworkObject.self) else {
          throw call.wrong(1, expected: "a Network")
        }
        call.push(network.version)
      },
      "metric_direction": { call in call.push(MetricText.isCost(call.string(1) ?? "") ? "min" : "max") },
      "network": { [session] call in
        guard let arch = try call.object(1, as: ArchitectureObject.self) else {
          throw call.wrong(1, expected: "an Architecture")
        }
        guard let data = try call.object(2, as: DataObject.self) else { throw call.wrong(2, expected: "Data") }
        let network = try session.network(arch, task: NetworkTask(data), stream: call.string(3) ?? "")
        try call.push(network)
      },
      // trial_network(network or nil): what the result of the trial at work is of
      "trial_network": { [session] call in
        session.trialNetwork = try call.object(1, as: NetworkObject.self)
      },
      // pareto_front(trials, objectives): the positions of the trials on the front
      "pareto_front": { call in
        let objectives = try Objectives(
          (call.table(2)?.array ?? []).compactMap(\.table).map {
            Objective($0["name"].string ?? "", Direction(rawValue: $0["direction"].string ?? "") ?? .max)
          })
        let points = try (call.table(1)?.array ?? []).map { trial in
          try objectives.values(
            in: LuaValues.numbers(trial.table?["metrics"].table ?? call.table(1)!, of: "a trial's metrics"))
        }
        try call.push(
          JSONValue.array(try Pareto.front(points, objectives.directions).map { JSONValue.int($0 + 1) }))
      },
    ]
  }

  private var search: [String: LuaFunction] {
    [
      // violation(metrics, constraints): 0 when all are kept
      "violation": { call in
        guard let metrics = call.table(1) else { throw call.wrong(1, expected: "metrics") }
        let constraints = try TrialRequest.constraints(call.table(2))
        if constraints.isEmpty { return call.push(0.0) }
        call.push(constraints.violation(in: try LuaValues.numbers(metrics, of: "a trial's metrics")))
      },
      // freeze(table): what it has can then be reached through its metatable alone
      "freeze": { [session] call in
        guard let table = call.table(1) else { throw call.wrong(1, expected: "a table") }
        try session.host.freeze(table)
      },
      // within(name, fn): calls fn; what it draws at random depends on the name
      "within": { [session] call in
        guard let function = call.value(2).function else { throw call.wrong(2, expected: "a function") }
        try session.randomScopes.enter(call.string(1) ?? "") { _ = try function() }
      },
      // go_on(network, key): brings a new network to where the training of the trial of that key ended; whether it
      // could. Without a key: whether the network was trained; its next fit then goes on.
      "go_on": { [session] call in
        guard let network = try call.object(1, as: NetworkObject.self) else {
          throw call.wrong(1, expected: "a Network")
        }
        if let key = call.string(2) { return call.push(try session.checkpoints().restore(network, key: key)) }
        network.goesOn = network.training != nil
        call.push(network.goesOn)
      },
      "token": { call in try call.push(LuaSignalToken("search")) },
      "unwind": { call in
        guard let token = try call.object(1, as: LuaSignalToken.self) else { throw call.wrong(1, expected: "a token") }
        throw LuaSignal(token, reason: call.string(2) ?? "")
      },
    ]
  }
}

/// Metrics as people read them.
public enum MetricText {
  /// Per cent with two digits, milliseconds with three, whole numbers with thousands apart.
  static func text(_ value: Double, of name: String) -> String {
    guard value.isFinite else { return "\(value.withUnsignedNaN)" }
    if name.hasSuffix("_ms") { return fixed(value, 3) }
    if let whole = Int(exactly: value), abs(value) >= 1000 || isCount(name) { return grouped(whole) }
    return fixed(value, name.contains("loss") ? 4 : 2)
  }

  /// Whether less is better, judged by the name.
  static func isCost(_ name: String) -> Bool {
    ["loss", "latency", "params", "macs", "memory", "error", "seconds", "energy"].contains { name.contains($0) }
  }

  private static func isCount(_ name: String) -> Bool {
    ["params", "macs", "flops", "bytes", "epochs"].contains { name.contains($0) }
  }

  private static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  /// `1,073,466`
  public static func grouped(_ value: Int) -> String {
    var digits = Array(String(value.magnitude)), position = digits.count - 3
    while position > 0 {
      digits.insert(",", at: position)
      position -= 3
    }
    return (value < 0 ? "-" : "") + String(digits)
  }
}
