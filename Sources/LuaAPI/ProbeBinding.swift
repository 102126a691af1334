import Canonical
import Diagnostics
import LuaHost
import NeuralNet
import TensorCore

/// `network:probe`: activations and gradients of one batch, as tensors.
struct ProbeBinding {
  let session: Session

  var method: (Declaration, API.Body) { (Self.declaration, probe) }

  static let classDeclaration = ClassDeclaration(
    "Probed", object: "probed",
    """
    What network:probe found. Its lists have an entry for each value, in the order of the network: path, op, value, gradient.
    """,
    fields: [
      Parameter("loss", "number", "of the batch"),
      Parameter("outputs", "Tensor", "of the network"),
      Parameter("exponent", "integer", "with `scaled`: the outputs are to be multiplied by 2 to this power"),
      Parameter("input", "Tensor", "the batch"),
      Parameter("input_gradient", "Tensor", optional: true, "with wrt = input"),
      Parameter("activations", "table[]", "what `capture` asked for"),
      Parameter("agreement", "Matrix", optional: true, "with `agreement`"),
      Parameter("weights", "table[]", optional: true, "with wrt = weights"),
      Parameter("parameters", "table[]", optional: true, "with wrt = parameters"),
    ])

  private static let declaration = Declaration(
    "network:probe",
    """
    Looks at the network's values and gradients on one batch, and changes nothing in it. Entries of the lists
    `activations`, `weights` and `parameters` are in the network's order: { path, op, value, gradient, product,
    value_exponent, gradient_exponent }; a value that the loss doesn't depend on has a gradient of zeros. Dropout is off.
    """,
    context: "evaluator or recipe", [Parameter("network", "Network")],
    options: [
      Parameter("batch", "Batch|Tensor|string", "a batch of data, a Tensor { n, … }, \"ones\" or \"normal\""),
      Parameter("size", "integer", default: 1, min: 1, max: 65_536, "samples of \"ones\" and \"normal\""),
      Parameter("stream", "string", default: "probe", "where \"normal\" is drawn from: other names, other numbers"),
      Parameter("labels", "table", optional: true, "of a Tensor: a class from 1 for each sample"),
      Parameter(
        "loss", "string", default: "cross_entropy", oneOf: ["cross_entropy", "sum"], "mean, or sum of outputs"),
      Parameter(
        "bn", "string", default: "batch", oneOf: ["batch", "running", "bypass"],
        "statistics of the batch, running ones, or batch norm left out"),
      Parameter("weights", "string", optional: true, oneOf: ["absolute"], "every parameter by its absolute value"),
      Parameter(
        "scaled", "boolean", default: false,
        "with bn = \"bypass\": values scaled by powers of two against overflow; multiply by 2^…_exponent"),
      Parameter("capture", "string|table", optional: true, "ops or paths whose values are kept; * stands for any text"),
      Parameter("at", "string", default: "output", oneOf: ["output", "input"], "which value of a captured op"),
      Parameter(
        "agreement", "boolean", default: false,
        "for each pair of samples, how many captured elements are greater than 0 in both or in neither, in place of the "
          + "values, which then aren't kept"),
      Parameter(
        "wrt", "string|table", optional: true,
        "gradients by: input, weights (no biases, no norms), parameters, activations"
      ),
      Parameter(
        "per_sample", "boolean", default: false,
        "the gradients of each sample's own loss, with the samples as first axis; of input and activations its own part"
      ),
      Parameter(
        "hessian", "string|table", optional: true,
        "the Hessian by the weights times a direction, as `product`: \"gradient\", or a Tensor for each weight"),
    ],
    returns: "Probed")

  private func probe(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let network = try arguments.object(0, as: NetworkObject.self), host = session.host
    let request = try ProbeOptions(arguments).request(of: network.graph)
    if request.loss == .crossEntropy, network.task.kind == "regression" {
      throw Fault(
        .recipe, "network:probe: a regression has no classes", expected: "loss = \"sum\"",
        got: "loss = \"cross_entropy\"")
    }
    let (values, samples, labels) = try batch(arguments, for: network)
    let probe = try Probe(network.graph, network.weights, request, compute: session.compute) { host.isCancelled }
    if arguments["hessian"].table != nil {
      let directions = try TensorText.tensors(arguments["hessian"], in: "network:probe")
      try Self.check(directions.map(\.shape), fit: probe.weightShapes)
    }
    let result = try probe.run(values, samples: samples, labels: labels)
    try call.push(try table(result, request))
  }

  // MARK: - The batch

  private func batch(
    _ arguments: Arguments, for network: NetworkObject
  ) throws -> (values: [Float], samples: Int, labels: [Int32]?) {
    let shape = network.graph.type(of: network.graph.inputs[0]).shape.dimensions, batch = arguments["batch"]
    let labels = try TensorText.labels(arguments["labels"].table, in: "network:probe")
    if let batch = batch.object(as: BatchObject.self) {
      try Self.check([batch.count] + batch.shape, fits: shape)
      return (batch.images, batch.count, labels ?? batch.labels)
    }
    if let tensor = batch.object(as: Tensor.self) {
      try Self.check(tensor.shape, fits: shape)
      return (tensor.values, tensor.shape[0], labels)
    }
    let size = arguments.integer("size"), (count, overflow) = size.multipliedReportingOverflow(by: shape.reduce(1, *))
    guard !overflow, count < 1 << 30 else {
      throw Fault(.recipe, "network:probe: the batch is too large", expected: "less than 2^30 numbers", got: "\(size)")
    }
    switch batch.string {
    case "ones": return ([Float](repeating: 1, count: count), size, labels)
    case "normal":
      var stream = RandomStream(seed: session.seed, name: network.stream + "/" + arguments.text("stream"))
      return ((0..<count).map { _ in Float(stream.normal()) }, size, labels)
    default:
      throw Fault(
        .recipe, "network:probe: wrong option 'batch'", expected: "a Batch, a Tensor, \"ones\" or \"normal\"",
        got: batch.description)
    }
  }

  private static func check(_ shape: [Int], fits input: [Int]) throws {
    guard shape.count == input.count + 1, Array(shape.dropFirst()) == input else {
      throw Fault(
        .recipe, "network:probe: the batch doesn't fit the network's input",
        expected: "[n, \(input.map(String.init).joined(separator: ", "))]", got: "\(Shape.array(shape))")
    }
  }

  private static func check(_ given: [[Int]], fit shapes: [[Int]]) throws {
    guard given != shapes else { return }
    let wrong = zip(given, shapes).enumerated().first { $1.0 != $1.1 }?.offset
    throw Fault(
      .recipe, "network:probe: the directions of hessian don't fit the weights",
      expected: wrong.map { "\(Shape.array(shapes[$0])) for weight \($0 + 1)" } ?? "\(shapes.count) tensors",
      got: wrong.map { "\(Shape.array(given[$0]))" } ?? "\(given.count)")
  }

  // MARK: - The result

  private func table(_ result: ProbeResult, _ request: ProbeRequest) throws -> LuaValue {
    let host = session.host
    var fields: [String: LuaValue] = [
      "loss": .number(result.loss), "outputs": .userdata(result.outputs), "exponent": .integer(result.exponent),
      "input": .userdata(result.input.value),
      "activations": try host.table(try result.activations.map(entry)),
    ]
    let list = request.targets.contains(.parameters) ? "parameters" : "weights"
    if !request.targets.isDisjoint(with: [.weights, .parameters]) {
      fields[list] = try host.table(try result.weights.map(entry))
    }
    if let agreement = result.agreement { fields["agreement"] = .userdata(MatrixObject(agreement)) }
    if let gradient = result.input.gradient { fields["input_gradient"] = .userdata(gradient) }
    return try host.table(fields)
  }

  private func entry(_ probed: ProbedValue) throws -> LuaValue {
    var fields: [String: LuaValue] = [
      "path": .string(probed.path), "op": .string(probed.op), "value": .userdata(probed.value),
      "value_exponent": .integer(probed.valueExponent), "gradient_exponent": .integer(probed.gradientExponent),
    ]
    fields["gradient"] = probed.gradient.map { .userdata($0) }
    fields["product"] = probed.curvature.map { .userdata($0) }
    return try session.host.table(fields)
  }
}
