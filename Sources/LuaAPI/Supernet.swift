import Canonical
import Datasets
import Diagnostics
import LuaHost
import NeuralNet
import SearchCore
import TensorCore

/// A space over shared weights: which network and which path an architecture is.
///
/// Decisions that `build` gives to `nn.choice` or `nn.pick` alone stay open: all their architectures are paths of one network, and a
/// new path costs no compiling. The other decisions (sizes) give a network for each combination of their values, made
/// when it is first asked for.
final class Supernet {
  /// A network of the space, with its plans.
  final class Member {
    let network: SharedWeights.Network
    /// What layers read in the place of whole parameters, by their paths.
    fileprivate let derived: [String: Symbol]
    /// The open decisions, by their paths.
    let open: [String: DecisionHandle]
    fileprivate var training: [TrainingKey: TrainingPlan] = [:]
    fileprivate var inference: [String: InferencePlan] = [:]

    init(_ network: SharedWeights.Network, _ built: OpenGraph) {
      (self.network, derived) = (network, built.derived)
      open = Dictionary(uniqueKeysWithValues: built.open.map { ($0.path, $0) })
    }
  }

  fileprivate struct TrainingKey: Hashable {
    let batch: Int
    let loss: Loss
  }

  /// How many networks are kept compiled.
  private static let mostMembers = 64
  /// How many architectures are built to find the sizes of the shared parameters, besides the largest.
  private static let samples = 64
  /// How many of them are compared with the networks that `build` makes of them alone.
  private static let checkedSamples = 4

  let definition: SpaceDefinition
  let data: DataObject
  let shared: SharedWeights
  /// The paths of the decisions that stay open.
  let open: Set<String>
  private var members: [String: Member] = [:]
  private var order: [String] = []
  /// What the operands of matrix products are rounded to while it trains.
  private let precision: ExecutionMode.Precision
  private let random: RandomSource
  private let sharing: Sharing?

  /// Builds the space's networks once to find what they share.
  ///
  /// - Parameter share: how a smaller parameter is made of the whole one; nil for its leading part.
  init(
    _ definition: SpaceDefinition, data: DataObject, share: LuaReference?, precision: ExecutionMode.Precision,
    random: RandomSource
  ) throws {
    (self.definition, self.data, self.precision, self.random) = (definition, data, precision, random)
    let (open, first) = try Self.discover(definition, data)
    self.open = open
    try definition.check(outputsOf: first.graph, fit: data.dataset)
    var layout = SharedLayout()
    try layout.add(first.graph, countedNames: first.countedNames, architecture: "the largest architecture")
    let sampled = try Self.sample(definition, open)
    for (number, architecture) in sampled.enumerated() {
      let graph = try Self.graph(definition, architecture, data, open, OpenBuild())
      try layout.add(graph.graph, countedNames: graph.countedNames, architecture: architecture.id)
      if number < Self.checkedSamples { try Self.check(graph, is: architecture, definition, data) }
    }
    sharing = share.map { Sharing(function: $0, shapes: layout.shapes) }
    if let sharing {
      // What the function brings along are shared parameters too.
      for architecture in sampled {
        let graph = try Self.graph(definition, architecture, data, open, OpenBuild(sharing: sharing))
        try layout.add(graph.graph, countedNames: graph.countedNames, architecture: architecture.id)
      }
    }
    shared = try SharedWeights(
      layout, random: RandomSource(seed: random.seed, name: random.name + "/weights"),
      compute: definition.session.compute)
  }

  /// Architectures with different networks, and some more at first.
  private static func sample(_ definition: SpaceDefinition, _ open: Set<String>) throws -> [Architecture] {
    var stream = RandomStream(seed: 0, name: "supernet/sizes"), seen: Set<String> = []
    return try (0..<samples).compactMap { number in
      let architecture = try definition.space.random(using: &stream, validity: definition.validity)
      let isNew = seen.insert(key(architecture, open)).inserted
      return isNew || number < checkedSamples ? architecture : nil
    }
  }

  // MARK: - Networks

  /// The network that an architecture is a path of.
  func member(of architecture: Architecture) throws -> Member {
    let key = Self.key(architecture, open)
    if let member = members[key] { return member }
    let built = try Self.graph(definition, architecture, data, open, OpenBuild(sharing: sharing))
    let member = Member(try shared.network(built.graph), built)
    if order.count == Self.mostMembers { members[order.removeFirst()] = nil }
    members[key] = member
    order.append(key)
    return member
  }

  /// A copy of the weights of an architecture's own network.
  ///
  /// - Parameters:
  ///   - graph: that network, as `build` makes it alone.
  ///   - averaged: from the average of the weights.
  func copy(for graph: Graph, of architecture: Architecture, averaged: Bool) throws -> Weights {
    let own = try shared.copy(for: graph, averaged: averaged), member = try member(of: architecture)
    guard !member.derived.isEmpty else { return own }
    let outputs = member.derived.sorted { $0.key < $1.key }
      .filter { own[$0.key]?.count == $0.value.shape.elementsPerSample }
    let plan = try InferencePlan(
      member.network.graph.giving(outputs.map { ($0.key, $0.value) }), batch: 1, compute: definition.session.compute)
    try plan.select(plan.decisions.map { _ in [0] })
    try plan.run(try shared.copy(for: member.network.graph, averaged: averaged))
    for port in plan.outputs { try own.set(port.name, plan.output(port)) }
    return own
  }

  /// The plan for training at a batch size, on an architecture's path. Running statistics stay as they are.
  func training(
    _ architecture: Architecture, batch: Int, loss: Loss
  ) throws -> (member: Member, plan: TrainingPlan) {
    let member = try member(of: architecture), key = TrainingKey(batch: batch, loss: loss)
    let plan =
      try member.training[key]
      ?? TrainingPlan(
        member.network.graph, batch: batch, loss: loss,
        mode: ExecutionMode(batchNorm: .batch(updating: false), dropout: true, precision: precision),
        random: RandomSource(seed: random.seed, name: random.name + "/dropout"), compute: definition.session.compute)
    member.training[key] = plan
    try plan.select(try selection(architecture, member, plan.decisions))
    return (member, plan)
  }

  /// The plan for evaluating at a batch size, on an architecture's path.
  func inference(
    _ architecture: Architecture, batch: Int, batchNorm: ExecutionMode.BatchNorm
  ) throws -> (member: Member, plan: InferencePlan) {
    let member = try member(of: architecture), key = "\(batch) \(batchNorm)"
    let plan =
      try member.inference[key]
      ?? InferencePlan(
        member.network.graph, batch: batch, batchNorm: batchNorm, compute: definition.session.compute)
    member.inference[key] = plan
    try plan.select(try selection(architecture, member, plan.decisions))
    return (member, plan)
  }

  /// For each of a plan's decisions, the positions of the architecture's options.
  private func selection(
    _ architecture: Architecture, _ member: Member, _ decisions: [(name: String, options: [String])]
  ) throws -> [[Int]] {
    try decisions.map { decision in
      guard let positions = try member.open[decision.name]?.positions(in: architecture) else {
        throw Fault(.internal, "an architecture has no option of an open decision", path: decision.name)
      }
      return positions
    }
  }

  // MARK: - Discovery

  /// Finds the decisions that can stay open, by building the largest architecture until every open one is taken by
  /// `nn.choice` or `nn.pick` and by nothing else.
  private static func discover(
    _ definition: SpaceDefinition, _ data: DataObject
  ) throws -> (open: Set<String>, graph: OpenGraph) {
    var open = Set(definition.openDecisions.map(\.path))
    while true {
      let build = OpenBuild()
      do {
        let graph = try graph(definition, definition.space.largest, data, open, build)
        let met = Set(graph.open.map(\.path))
        if build.needed.isEmpty, met == open { return (open, graph) }
        open = met.subtracting(build.needed)
      } catch let fault as Fault where fault.code == .recipe {
        guard !build.needed.isEmpty else { throw fault }
        open.subtract(build.needed)
      }
    }
  }

  private static func graph(
    _ definition: SpaceDefinition, _ architecture: Architecture, _ data: DataObject, _ open: Set<String>,
    _ build: OpenBuild
  ) throws -> OpenGraph {
    let shape = data.dataset.imageShape
    guard data.dataset.kind == "classification" else {
      throw Fault(.recipe, "shared weights can't be trained for a regression", expected: "data with classes")
    }
    return try definition.openGraph(
      of: architecture, leavingOpen: open, input: shape,
      task: SpaceDefinition.task(input: shape, classes: data.dataset.classNames.count), build)
  }

  /// Throws unless the path of an architecture is the network that `build` makes of it: a decision that is compared in
  /// `build` as well as given to `nn.choice` or `nn.pick` can't stay open.
  private static func check(
    _ built: OpenGraph, is architecture: Architecture, _ definition: SpaceDefinition, _ data: DataObject
  ) throws {
    var selection: [String: [Int]] = [:]
    for handle in built.open {
      selection[handle.path] = try handle.positions(in: architecture)
    }
    let path = try built.graph.taking(selection)
    let alone = try definition.graph(
      of: architecture, input: data.dataset.imageShape, classes: data.dataset.classNames.count)
    guard path.digest == alone.digest else {
      throw Fault(
        .recipe, "a path of the supernet is not the network that build makes of its architecture",
        path: "space.build", expected: "the same layers with and without open decisions", got: architecture.id,
        hint:
          "Don't compare a decision in build (arch.op == …) that nn.choice or nn.pick takes; put what depends on it into the branches."
      )
    }
  }

  /// What tells the networks of a space apart: the values of the decisions that don't stay open.
  private static func key(_ architecture: Architecture, _ open: Set<String>) -> String {
    architecture.decisions.filter { !open.contains($0.info.path) }
      .map { $0.info.path + "=" + $0.value.text() }.joined(separator: ";")
  }
}
