import Canonical
import Datasets
import Diagnostics
import LuaHost
import NeuralNet
import SearchCore
import TensorCore

/// A relaxed space as scripts hold it: one network in which every decision is a mixture of its branches.
final class RelaxedObject: LuaObject {
  static let luaName = "Relaxed"
  let space: SpaceObject
  let graph: Graph
  let data: DataObject
  /// One for each parameter and statistic of the graph, in its order.
  let tensors: [Tensor]
  /// The decisions in the order in which `nn.choice` and `nn.pick` met them.
  let decisions: [DecisionHandle]
  private let random: RandomSource
  private var functions: [Int: PlanFunction] = [:]
  /// How often the network was called before its plan for a batch size was made.
  private var callsBefore: [Int: Int] = [:]
  var nativeBytes: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  init(_ space: SpaceObject, _ built: OpenGraph, data: DataObject, random: RandomSource) throws {
    (self.space, self.data, self.random) = (space, data, random)
    graph = built.graph
    decisions = built.open
    let weights = try Weights(graph, random: RandomSource(seed: random.seed, name: random.name + "/weights"))
    tensors = try graph.parameters.map { parameter in
      let tensor = try Tensor(
        parameter.shape.dimensions, weights[parameter.path] ?? [], requiresGradient: parameter.kind.isTrained)
      tensor.name = parameter.path
      return tensor
    }
  }

  /// The trained tensors of the kind: mixing weights, or all others.
  func trained(mixing isMixing: Bool) -> [Tensor] {
    zip(graph.parameters, tensors).filter { $0.0.kind.isTrained && ($0.0.kind == .mixing) == isMixing }.map(\.1)
  }

  /// The mixing weights of a decision.
  func mixingWeights(of path: String) -> Tensor? { tensors.first { $0.name == "alpha/" + path } }

  /// The network for a batch size, as one node on the tape.
  func function(batch: Int, compute: Compute) throws -> PlanFunction {
    if let known = functions[batch] { return known }
    let function = try PlanFunction(
      graph, batch: batch, mode: ExecutionMode(batchNorm: .batch(updating: false), dropout: true),
      random: RandomSource(seed: random.seed, name: random.name + "/draws"), compute: compute)
    function.calls = callsBefore[batch] ?? 0
    functions[batch] = function
    return function
  }

  /// How often the network was called on batches of each size: what its random numbers depend on.
  var calls: [Int: Int] {
    get { callsBefore.merging(functions.mapValues(\.calls)) { $1 } }
    set {
      callsBefore = newValue
      for (batch, function) in functions { function.calls = newValue[batch] ?? 0 }
    }
  }
}

/// `nas.relax` and the methods of `Relaxed`: differentiable search (Liu et al. 2019, "DARTS").
struct RelaxedBinding {
  let api: API
  let session: Session

  private static let this = Parameter("net", "Relaxed")

  private static let classDeclaration = ClassDeclaration(
    "Relaxed", object: "net",
    """
    A space as one network in which every decision is a mixture of its branches.
    """,
    fields: [
      Parameter("alpha", "table<string, Tensor>", "mixing weights by the decisions' paths")
    ])

  /// Declares the class.
  func declare() throws {
    api.declare(Self.classDeclaration)
    try api.host.declare(
      RelaxedObject.self, methods: api.methods(methods),
      metamethods: [
        .index: { [session, methods] call in
          let net = try call.this(RelaxedObject.self), name = call.string(2) ?? call.value(2).description
          guard name == "alpha" else {
            throw Fault(
              .recipe, "a Relaxed has no '\(name)'",
              hint: Suggestion.hint(for: name, among: methods.map { API.leaf($0.0.name) } + ["alpha"]))
          }
          var fields: [String: LuaValue] = [:]
          for decision in net.decisions {
            fields[decision.path] = net.mixingWeights(of: decision.path).map { .userdata($0) }
          }
          let table = try session.host.table(fields)
          guard let view = session.core?["mixing_weights_view"].function else {
            throw Fault(.internal, "nas.relax is not loaded")
          }
          try call.push(try view([table]))
        },
        .text: { call in
          let net = try call.this(RelaxedObject.self)
          call.push("Relaxed(\(net.decisions.count) decisions, \(net.graph.parameterCount) parameters)")
        },
      ])
  }

  /// `core.relax(space, data, mix, stream)`, on which `nas.relax` is built.
  func coreFunctions() -> [String: LuaFunction] {
    [
      "relax": { [self] call in
        guard let space = try call.object(1, as: SpaceObject.self), let data = try call.object(2, as: DataObject.self),
          let mix = call.function(3)
        else { throw call.wrong(1, expected: "a Space, Data and a function") }
        try session.beginWork()
        let built = try Self.build(space.definition, data, OpenBuild(mix: mix))
        try call.push(
          try RelaxedObject(
            space, built, data: data, random: RandomSource(seed: session.seed, name: call.string(4) ?? "relaxed")))
      }
    ]
  }

  /// Builds the space with every decision open. Throws a `recipe` fault that names the first that can't be.
  private static func build(_ definition: SpaceDefinition, _ data: DataObject, _ build: OpenBuild) throws -> OpenGraph {
    let open = Set(definition.openDecisions.map(\.path))
    if let closed = definition.space.decisions.first(where: { !open.contains($0.path) }) {
      throw Fault(
        .recipe, "a decision can't be relaxed", path: "space.\(closed.path)",
        expected: "a oneof or manyof of plain values that is always active", got: closed.kind,
        hint: "Decide it first: space:fix { [\"\(closed.path)\"] = … }.")
    }
    let dataset = data.dataset
    let built = try definition.openGraph(
      of: definition.space.largest, leavingOpen: open, input: dataset.imageShape,
      task: SpaceDefinition.task(
        input: dataset.imageShape, classes: dataset.classNames.count, kind: dataset.kind), build)
    try definition.check(outputsOf: built.graph, fit: dataset)
    if let unused = open.subtracting(built.open.map(\.path)).sorted().first {
      throw Fault(
        .recipe, "a relaxed decision was taken by no nn.choice or nn.pick", path: "space.\(unused)",
        expected: "nn.choice(arch.\(unused), { … }) in build",
        hint: "Use it, or decide it first: space:fix { [\"\(unused)\"] = … }.")
    }
    return built
  }

  // MARK: - Methods

  private var methods: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "net:loss",
          "The mean cross-entropy of the mixture on a batch, or the mean squared error of a regression's standardised "
            + "targets, as a Tensor: call backward() on it.",
          [Self.this, Parameter("batch", "Batch", "from data:batches")], returns: "Tensor"),
        loss
      ),
      (
        Declaration(
          "net:parameters", "The weights, as a list of Tensors; each has a .name.", [Self.this], returns: "Tensor[]"),
        { arguments, call in try push(try arguments.object(0, as: RelaxedObject.self).trained(mixing: false), call) }
      ),
      (
        Declaration(
          "net:alphas", "The mixing weights, as a list of Tensors in the order of the decisions.", [Self.this],
          returns: "Tensor[]"),
        { arguments, call in try push(try arguments.object(0, as: RelaxedObject.self).trained(mixing: true), call) }
      ),
      (
        Declaration(
          "net:derive", "The architecture in which each decision takes the options with the largest mixing weights.",
          [Self.this], returns: "Architecture"),
        derive
      ),
    ] + RelaxedReading(session: session).methods
  }

  private func push(_ tensors: [Tensor], _ call: borrowing LuaCall) throws {
    try call.push(try session.host.table(tensors.map { LuaValue.userdata($0) }))
  }

  private func loss(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let net = try arguments.object(0, as: RelaxedObject.self), batch = try arguments.object(1, as: BatchObject.self)
    try batch.check(fits: net.data.dataset)
    let logits = try net.logits(batch, session)
    if let targets = batch.targets {
      return try call.push(
        try session.tape().apply("mse", [logits, try Tensor([batch.count, 1], targets)]))
    }
    let labels = try Tensor([batch.count], batch.labels.map { Float($0 + 1) })
    try call.push(try session.tape().apply("cross_entropy", [logits, labels]))
  }

  private func derive(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let net = try arguments.object(0, as: RelaxedObject.self)
    var architecture = net.space.space.largest
    for decision in net.decisions {
      let values = net.mixingWeights(of: decision.path)?.values ?? []
      if values.contains(where: \.isNaN) {
        throw Fault(
          .recipe, "net:derive: mixing weights that are not numbers", path: decision.path,
          expected: "numbers to compare", got: "NaN", hint: "The training diverged: lower its learning rate.")
      }
      let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
      let chosen = order.prefix(decision.picks ?? 1).sorted().map { decision.options[$0] }
      architecture = try architecture.with(decision.path, decision.picks == nil ? chosen[0] : .array(chosen))
    }
    try call.push(net.space.definition.object(for: architecture))
  }
}
