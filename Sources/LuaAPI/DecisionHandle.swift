import Canonical
import Diagnostics
import LuaHost
import NeuralNet
import SearchCore

/// A decision that is left open while a network is built: what `build` reads in place of its value.
///
/// `nn.choice` takes it, or `nn.pick` where several options are chosen. Any other use needs the value, which is an error that names the decision.
final class DecisionHandle: LuaObject {
  static let luaName = "OpenDecision"
  /// Where it is in an architecture: `node2[1]`, `blocks[3].op`.
  let path: String
  /// The values to choose from, in the space's order.
  let options: [JSONValue]
  /// How many options are chosen; nil for exactly one, given as itself and not in a list.
  let picks: Int?
  /// The build that it is left open in.
  private weak var build: OpenBuild?
  /// Whether `nn.choice` or `nn.pick` took it.
  var isConsumed = false
  var orderKey: String? { path }

  init(path: String, options: [JSONValue], picks: Int?, build: OpenBuild) {
    (self.path, self.options, self.picks, self.build) = (path, options, picks, build)
  }

  /// The fault for a use that needs the value; the build remembers it.
  var refused: Fault { build?.fault(for: self) ?? NeedsValue(handle: self).fault }

  /// The function that takes it.
  var consumer: String { picks == nil ? "nn.choice" : "nn.pick" }

  /// The positions of the options that an architecture takes, ascending; nil for a value that isn't among them.
  func positions(in architecture: Architecture) throws -> [Int]? {
    let value = try architecture.value(at: path)
    let chosen = picks == nil ? [value] : value.array ?? []
    let positions = chosen.compactMap { options.firstIndex(of: $0) }.sorted()
    return positions.count == chosen.count && !positions.isEmpty ? positions : nil
  }

  /// The options as names: of scopes, and in errors.
  var names: [String] { options.map { $0.string ?? $0.text() } }
}

/// A decision whose value `build` needs: thrown when an open one is used otherwise than by what takes it.
struct NeedsValue {
  let handle: DecisionHandle

  /// The fault that a recipe sees when the decision must stay open.
  var fault: Fault {
    Fault(
      .recipe, "build needs the value of a decision that is left open", path: "space.\(handle.path)",
      expected: "\(handle.consumer)(arch.\(handle.path), { … }) with a branch for each option",
      hint:
        "Only \(handle.consumer) takes it while it is open; narrow the space with space:fix { … } to decide it first."
    )
  }
}

/// How a network with open decisions is built: what becomes of `nn.choice`.
final class OpenBuild {
  /// The mixture's function of a relaxed space; nil keeps the choices in the graph.
  let mix: LuaReference?
  /// How smaller parameters are made of whole ones, where the script says so.
  let sharing: Sharing?
  /// The decisions that were found to be needed by value.
  private(set) var needed: [String] = []
  /// The mixing weights of each relaxed decision, once it was met.
  var mixingWeights: [String: Symbol] = [:]
  /// The open decisions in the order in which `nn.choice` met them.
  private(set) var met: [DecisionHandle] = []

  init(mix: LuaReference? = nil, sharing: Sharing? = nil) {
    self.mix = mix
    self.sharing = sharing
  }

  func consume(_ handle: DecisionHandle) {
    if !handle.isConsumed { met.append(handle) }
    handle.isConsumed = true
  }

  /// The fault for a use that needs the value; it is remembered.
  func fault(for handle: DecisionHandle) -> Fault {
    needed.append(handle.path)
    return NeedsValue(handle: handle).fault
  }
}

/// A script's function that makes the parameter of a smaller layer of the whole one, as part of the network.
struct Sharing {
  /// `share(full, shape, path)`.
  let function: LuaReference
  /// The shapes of the whole parameters, by their paths.
  let shapes: [String: [Int]]

  /// Makes a builder ask the function.
  func begin(_ builder: GraphBuilder, _ session: Session) {
    builder.derivingParameters(from: shapes) { whole, shape, path in
      let sizes = try session.host.table(shape.map { LuaValue.integer($0) })
      let value = try function([.userdata(SymbolObject(whole)), sizes, .string(path)]).first ?? .nil
      guard let symbol = value.object(as: SymbolObject.self) else {
        throw Fault(
          .recipe, "wrong result of share", path: path, expected: "a Value of shape \(Shape.array(shape))",
          got: value.description)
      }
      return symbol.symbol
    }
  }
}

/// `nn.choice` and `nn.pick` on open decisions, and the class of what stands for them.
struct ChoiceBinding {
  let api: API
  let session: Session

  /// Declares `OpenDecision`: every use of one as a value is an error that names it.
  func declare() throws {
    let refuse: LuaFunction = { call in
      for position in 1...max(1, call.count) {
        if let handle = try call.object(position, as: DecisionHandle.self) {
          throw handle.refused
        }
      }
    }
    var metamethods: [LuaMetamethod: LuaFunction] = [:]
    for metamethod: LuaMetamethod in [
      .index, .newIndex, .equal, .less, .lessOrEqual, .length, .call, .concatenate, .pairs, .add, .subtract, .multiply,
      .divide, .negate,
    ] {
      metamethods[metamethod] = refuse
    }
    metamethods[.text] = refuse
    try api.host.declare(DecisionHandle.self, metamethods: metamethods)
  }

  /// What `nn.choice` and `nn.pick` in Scripts/nas/nn.lua are made of.
  func coreFunctions() -> [String: LuaFunction] {
    [
      "is_open": { call in call.push(try call.object(1, as: DecisionHandle.self) != nil) },
      // open_options(handle, consumer): the options of an open decision that the consumer takes
      "open_options": { [session] call in
        guard let handle = try call.object(1, as: DecisionHandle.self) else {
          throw call.wrong(1, expected: "an open decision")
        }
        guard handle.consumer == call.string(2) else {
          throw handle.refused
        }
        session.openBuild?.consume(handle)
        try call.push(JSONValue.array(handle.options))
      },
      "open_path": { call in call.push(try call.object(1, as: DecisionHandle.self)?.path ?? "") },
      "open_picks": { call in call.push(try call.object(1, as: DecisionHandle.self)?.picks ?? 1) },
      // mixture(): the function that mixes the branches of a relaxed space; nil where choices stay choices
      "mixture": { [session] call in
        if let mix = session.openBuild?.mix { try call.push(.function(mix)) } else { call.pushNil() }
      },
      // mixing_weights(handle): the trained array of a relaxed decision
      "mixing_weights": { [session] call in
        guard let handle = try call.object(1, as: DecisionHandle.self), let build = session.openBuild else {
          throw call.wrong(1, expected: "an open decision")
        }
        let symbol =
          try build.mixingWeights[handle.path]
          ?? session.builder(for: "nas.nn.choice").mixingWeights("alpha/" + handle.path, count: handle.options.count)
        build.mixingWeights[handle.path] = symbol
        try call.push(SymbolObject(symbol))
      },
      // mixed(handle, value): what a mixture returned, if it is a value of the network
      "mixed": { call in
        let value = call.value(2)
        guard value.object(as: SymbolObject.self) != nil else {
          let path = try call.object(1, as: DecisionHandle.self)?.path ?? ""
          throw Fault(
            .recipe, "wrong result of mix", path: "space." + path,
            expected: "a value of nas.nn, such as branches[1](x)", got: value.description,
            hint: "End mix with `return …`.")
        }
        try call.push(value)
      },
      // choose(handle, values): the choice among the branches' values
      "choose": { [session] call in
        guard let handle = try call.object(1, as: DecisionHandle.self) else {
          throw call.wrong(1, expected: "an open decision")
        }
        let branches = zip(handle.names, try Self.values(call, 2)).map { (option: $0, value: $1) }
        let builder = try session.builder(for: "nas.nn.choice")
        try call.push(
          SymbolObject(
            try builder.choice(decision: handle.path, picks: handle.picks ?? 1, branches: branches)))
      },
      // picked(values): the sum of the branches that were picked
      "picked": { [session] call in
        let builder = try session.builder(for: "nas.nn.pick")
        try call.push(SymbolObject(try builder.sum(ofPicked: try Self.values(call, 1))))
      },
    ]
  }

  private static func values(_ call: borrowing LuaCall, _ position: Int) throws -> [Symbol] {
    try (call.table(position)?.array ?? []).enumerated().map { index, value in
      guard let symbol = value.object(as: SymbolObject.self) else {
        throw Fault(
          .recipe, "branch \(index + 1) gave no value", expected: "a value of nas.nn",
          got: value.description, hint: "End every branch with `return …`.")
      }
      return symbol.symbol
    }
  }
}
