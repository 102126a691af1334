import Canonical
import Diagnostics
import LuaHost
import NeuralNet

/// `nas.network` and `network:fresh`: networks that nothing has been done to, for scores without training.
struct FreshNetworks {
  let session: Session

  var function: (Declaration, API.Body) { (Self.declaration, make) }
  var method: (Declaration, API.Body) { (Self.freshDeclaration, fresh) }

  private static let scheme = Parameter(
    "init", "string", default: "default", oneOf: WeightScheme.allCases.map(\.rawValue),
    "how weights start: PyTorch's default; kaiming_normal (He et al. 2015) by the inputs or outputs; normal: N(0, 1)")

  private static let declaration = Declaration(
    "nas.network", "A network of an architecture with fresh weights, for data or for a shape of input and classes.",
    [Parameter("arch", "Architecture", "of any space with a build")],
    options: [
      Parameter("data", "Data", optional: true, "gives the input's shape and the classes"),
      Parameter("input", "table", optional: true, "{ height, width, channels }, without data"),
      Parameter("classes", "integer", optional: true, min: 1, max: 65_536, "without data"),
      scheme,
      Parameter(
        "stream", "string", optional: true, "where the weights are drawn from; \"network/\" and the id if left out"),
    ],
    returns: "Network")

  private func make(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let arch = try arguments.object(0, as: ArchitectureObject.self)
    try call.push(
      try session.network(
        arch, task: try task(arguments), stream: arguments["stream"].string ?? "network/" + arch.id,
        scheme: WeightScheme(rawValue: arguments.text("init")) ?? .standard))
  }

  private func task(_ arguments: Arguments) throws -> NetworkTask {
    if let data = arguments["data"].object(as: DataObject.self) { return NetworkTask(data) }
    let shape = arguments["input"].table?.array.map { $0.integer ?? 0 } ?? []
    guard shape.count == 3, shape.allSatisfy({ (1...65_536).contains($0) }), let classes = arguments["classes"].integer
    else {
      throw Fault(
        .recipe, "nas.network needs to know its task",
        expected: "data = …, or input = { height, width, channels } and classes = …",
        got: "input = \(arguments["input"].description), classes = \(arguments["classes"].description)")
    }
    return NetworkTask(input: shape, classes: classes)
  }

  private static let freshDeclaration = Declaration(
    "network:fresh", "The same network with weights drawn anew; this one stays as it is.",
    [Parameter("network", "Network")],
    options: [scheme, Parameter("stream", "string", default: "fresh", "the draw: other names give other weights")],
    returns: "Network")

  private func fresh(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let network = try arguments.object(0, as: NetworkObject.self)
    try call.push(
      try session.network(
        network.graph, of: network.arch, task: network.task, stream: network.stream + "/" + arguments.text("stream"),
        scheme: WeightScheme(rawValue: arguments.text("init")) ?? .standard))
  }
}
