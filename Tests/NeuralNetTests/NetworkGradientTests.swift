import Canonical
import NeuralNet
import TensorCore
import Testing

/// Gradients of whole networks on a small batch against PyTorch's in double precision.
@Suite struct NetworkGradientTests {
  static let cases = (try? ReferenceFile("networks").cases) ?? []

  @Test(arguments: cases, KernelSet.available)
  func gradientsAreThoseOfDoublePrecision(reference: ReferenceFile.Case, kernels: KernelSet) throws {
    let options = reference.attributes, batch = options["batch"]?.int ?? 0, graph = try graph(options)
    let plan = try TrainingPlan(
      graph, batch: batch, random: RandomSource(seed: 0, name: "test"), compute: try Compute(kernels: kernels))
    let count = batch * graph.type(of: graph.inputs[0]).shape.elementsPerSample
    var stream = RandomStream(seed: 5, name: "images/\(try #require(reference.json["images"]?.string))")
    let images = (0..<count).map { _ in Float(stream.uniform(in: -1...1)) }
    let labels = (0..<batch).map { _ in Int32(stream.uniform(below: plan.classes)) }
    try images.withUnsafeBufferPointer { try plan.setInput($0) }
    try labels.withUnsafeBufferPointer { try plan.setLabels($0) }
    let loss = try plan.forwardBackward(try weights(graph), step: 0)
    #expect(abs(Double(loss) / Double(try #require(reference.floats["loss"])[0]) - 1) < 1e-6)
    try checkGradients(plan, graph, reference)
  }

  /// Relative to the norm of a parameter's gradient, or to a hundredth of that of all: some are 0 but for rounding.
  private func checkGradients(_ plan: TrainingPlan, _ graph: Graph, _ reference: ReferenceFile.Case) throws {
    let paths = graph.parameters.filter(\.kind.isTrained).map(\.path)
    let expected = try paths.map { try #require(reference.floats["gradient/\($0)"]).map(Double.init) }
    let whole = norm(expected.flatMap { $0 })
    var differences: [Double] = []
    for (path, expected) in zip(paths, expected) {
      let found = try #require(plan.gradient(of: path)), step = found.count / 256 | 1
      let sample = stride(from: 0, to: found.count, by: step).map { Double(found[$0]) }
      try #require(sample.count == expected.count)
      let difference = zip(sample, expected).map { $0 - $1 }
      #expect(norm(difference) <= 2e-5 * max(norm(expected), whole / 100), "\(path)")
      differences += difference
    }
    #expect(norm(differences) <= 1e-5 * whole, "\(norm(differences) / whole)")
  }

  private func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  private func graph(_ options: [String: JSONValue]) throws -> Graph {
    let size = options["size"]?.int ?? 0
    if let cell = options["cell"]?.string {
      return try NASBench201(channels: options["channels"]?.int ?? 0, cells: 1, size: size).graph(cell)
    }
    if let kernels = options["kernels"]?.array?.compactMap(\.int) {
      return try BlockNetworks.mobile(
        kernels: kernels, channels: options["channels"]?.int ?? 0, expand: options["expand"]?.int ?? 0, size: size)
    }
    return try BlockNetworks.transformer(
      width: options["width"]?.int ?? 0, heads: options["heads"]?.int ?? 0, size: size)
  }

  /// As the references draw them: scales around 1 and shifts around 0, each its own.
  private func weights(_ graph: Graph) throws -> Weights {
    let random = RandomSource(seed: 5, name: "w"), weights = try Weights(graph, random: random)
    for parameter in graph.parameters where parameter.kind == .norm {
      var stream = RandomStream(seed: 5, name: "w/\(parameter.path)")
      let low = parameter.path.hasSuffix("weight") ? 0.5 : -0.5
      let values = (0..<parameter.shape.elementsPerSample).map { _ in Float(low + stream.uniform()) }
      try weights.set(parameter.path, values)
    }
    return weights
  }
}
