import Diagnostics
import TensorCore

/// Looks at a network's values and gradients on one batch. Neither parameters nor running statistics change.
public struct Probe {
  private let graph: Graph
  private let request: ProbeRequest
  private let weights: Weights
  private let given: Weights
  private let scaling: PowerScaling?
  private let compute: Compute
  private let isCancelled: () -> Bool

  /// - Throws: a `recipe` fault for requests that contradict each other.
  public init(
    _ graph: Graph, _ weights: Weights, _ request: ProbeRequest, compute: Compute,
    isCancelled: @escaping () -> Bool = { false }
  ) throws {
    if request.isScaled, request.batchNorm != .bypass {
      throw Fault(
        .recipe, "scaling needs a network without batch norm", expected: "bn = \"bypass\" with scaled = true")
    }
    if request.curvature != nil, request.isPerSample || request.targets.isDisjoint(with: [.weights, .parameters]) {
      throw Fault(
        .recipe, "the Hessian is taken by the weights, of the whole batch",
        expected: "wrt = \"weights\" or \"parameters\", and no per_sample, with hessian")
    }
    if request.comparesSigns, request.isPerSample || request.targets.contains(.activations) {
      throw Fault(
        .recipe, "samples are compared by the values of one run",
        expected: "neither per_sample nor wrt = \"activations\" with agreement")
    }
    (self.graph, self.request, self.compute, self.isCancelled) = (graph, request, compute, isCancelled)
    scaling = request.isScaled ? PowerScaling(graph, weights) : nil
    given = try weights.forProbe(of: graph, absolute: request.isAbsolute, scaling: nil)
    self.weights = try weights.forProbe(of: graph, absolute: request.isAbsolute, scaling: scaling)
  }

  /// The weights or parameters that gradients are asked by, in the order of the result.
  public var weightShapes: [[Int]] {
    ProbePlan.weights(of: graph, request.targets).map { graph.parameters[$0].shape.dimensions }
  }

  /// Looks once.
  ///
  /// - Parameters:
  ///   - batch: dense, `[samples, …]`.
  ///   - labels: from 0; needed for the cross-entropy.
  public func run(_ batch: [Float], samples: Int, labels: [Int32]? = nil) throws -> ProbeResult {
    let elements = graph.type(of: graph.inputs[0]).shape.elementsPerSample
    guard samples > 0, batch.count == samples * elements else {
      throw Fault(
        .recipe, "wrong number of values for a batch", expected: "\(samples) × \(elements)", got: "\(batch.count)")
    }
    if request.loss == .crossEntropy { try check(labels, samples: samples) }
    guard request.isPerSample else {
      let plan = try ProbePlan(graph, batch: samples, request, compute: compute)
      try plan.write(batch, labels: labels, directions: directions)
      try plan.run(weights, sample: nil)
      return try result(Collector(plan, self))
    }
    return try runPerSample(batch, samples: samples, elements, labels)
  }

  private func check(_ labels: [Int32]?, samples: Int) throws {
    guard let labels, labels.count == samples else {
      throw Fault(
        .recipe, "the loss cross_entropy needs a label for each sample", expected: "\(samples) labels",
        got: "\(labels?.count ?? 0)", hint: "Take a batch of data, give labels, or use loss = \"sum\".")
    }
    let classes = graph.type(of: graph.outputs[0]).shape.channels
    if let wrong = labels.firstIndex(where: { $0 < 0 || $0 >= classes }) {
      throw Fault(
        .recipe, "label \(wrong + 1) of the batch is out of range", expected: "1 to \(classes)",
        got: "\(Int(labels[wrong]) + 1)")
    }
  }

  /// One run for each sample: by itself where samples don't see each other, else in its batch.
  private func runPerSample(_ batch: [Float], samples: Int, _ elements: Int, _ labels: [Int32]?) throws -> ProbeResult {
    let isAlone = request.isSampleIndependent
    let plan = try ProbePlan(graph, batch: isAlone ? 1 : samples, request, compute: compute)
    if !isAlone { try plan.write(batch, labels: labels, directions: []) }
    var collector: Collector?
    for sample in 0..<samples {
      if isAlone {
        let values = Array(batch[sample * elements..<(sample + 1) * elements])
        try plan.write(values, labels: labels.map { [$0[sample]] }, directions: [])
      }
      try plan.run(weights, sample: isAlone ? 0 : sample)
      if collector == nil { collector = try Collector(plan, self, samples: samples) }
      try collector?.add(sample, isAlone: isAlone)
      if isCancelled() { throw Fault(.interrupted, "probing was interrupted") }
    }
    guard let collector else { throw Fault(.internal, "a probe without samples") }
    return try result(collector)
  }

  private var directions: [[Float]] {
    if case .directions(let arrays) = request.curvature { arrays } else { [] }
  }

  // MARK: - Results

  private func result(_ collector: borrowing Collector) throws -> ProbeResult {
    let output = graph.outputs[0].value, exponent = scaling?.exponents[output] ?? 0
    func probed(_ read: ProbePlan.Read, _ target: ProbeRequest.Target, _ value: Tensor?) throws -> ProbedValue {
      let own = scaling?.exponents[read.origin] ?? 0
      return ProbedValue(
        path: read.path, op: read.op, value: try value ?? collector.value(read),
        gradient: request.targets.contains(target) ? try collector.gradient(read) : nil,
        curvature: request.curvature == nil || value == nil ? nil : try collector.curvature(read),
        valueExponent: value == nil ? own : 0,
        gradientExponent: exponent - own + shift(of: read.origin))
    }
    let target: ProbeRequest.Target = request.targets.contains(.parameters) ? .parameters : .weights
    return ProbeResult(
      loss: try collector.loss(), outputs: try collector.value(of: collector.plan.output), exponent: exponent,
      input: try probed(collector.plan.input, .input, nil),
      activations: try collector.plan.activations.map { try probed($0, .activations, nil) },
      agreement: request.comparesSigns ? try collector.plan.agreement() : nil,
      weights: try collector.plan.weights.map { read in
        let values = given[read.path] ?? []
        return try probed(read, target, try Tensor(collector.plan.shape(read.value), values))
      })
  }

  /// The power of two by which a parameter was multiplied.
  private func shift(of value: Int) -> Int {
    guard let scaling else { return 0 }
    for node in graph.nodes where PowerScaling.scales(node, of: graph) {
      if let position = node.inputs.dropFirst().firstIndex(of: value) {
        return scaling.exponents(ofParametersOf: node)[position - 1]
      }
    }
    return 0
  }

  /// What the runs of a plan gave so far: of the whole batch, or sample by sample.
  private struct Collector: ~Copyable {
    let plan: ProbePlan
    private let request: ProbeRequest
    private let samples: Int?
    private var rows: [Int: [Float]] = [:]
    private var losses: [Double] = []

    init(_ plan: ProbePlan, _ probe: Probe, samples: Int? = nil) throws {
      (self.plan, self.samples) = (plan, samples)
      request = probe.request
    }

    /// Takes what the last run gave for a sample.
    mutating func add(_ sample: Int, isAlone: Bool) throws {
      let values = [plan.output, plan.input.value] + plan.activations.map(\.value)
      let gradients = [plan.input.gradient] + plan.activations.map(\.gradient)
      for value in Set(values).union(gradients.compactMap { $0 }) {
        let all = plan.plan.read(value), row = isAlone ? all[...] : all.prefix(0) + part(of: all, sample)
        rows[value, default: []] += row
      }
      for value in Set(plan.weights.compactMap(\.gradient)) { rows[value, default: []] += plan.plan.read(value) }
      if let loss = plan.loss, isAlone || sample == 0 { losses.append(Double(plan.plan.read(loss)[0])) }
    }

    private func part(of all: [Float], _ sample: Int) -> ArraySlice<Float> {
      let size = all.count / plan.plan.batch
      return all[sample * size..<(sample + 1) * size]
    }

    func value(_ read: ProbePlan.Read) throws -> Tensor { try value(of: read.value) }

    /// A value with a batch: as the last run left it, or put together.
    func value(of value: Int) throws -> Tensor {
      guard let samples, let values = rows[value] else { return try plan.tensor(value) }
      return try Tensor([samples] + plan.shape(value).dropFirst(), values)
    }

    func gradient(_ read: ProbePlan.Read) throws -> Tensor {
      let shape = plan.shape(read.value), hasBatch = plan.plan.graph.values[read.value].shape.hasBatch
      let full = samples.map { [$0] + (hasBatch ? Array(shape.dropFirst()) : shape) } ?? shape
      guard let gradient = read.gradient else { return try zeros(full) }
      return try Tensor(full, rows[gradient] ?? plan.plan.read(gradient))
    }

    func curvature(_ read: ProbePlan.Read) throws -> Tensor {
      try read.curvature.map(plan.tensor) ?? zeros(plan.shape(read.value))
    }

    private func zeros(_ shape: [Int]) throws -> Tensor {
      try Tensor(shape, [Float](repeating: 0, count: shape.reduce(1, *)))
    }

    func loss() throws -> Double {
      if request.loss == .sum { return try value(of: plan.output).values.reduce(0) { $0 + Double($1) } }
      if samples != nil { return losses.reduce(0, +) / Double(max(1, losses.count)) }
      return plan.loss.map { Double(plan.plan.read($0)[0]) } ?? .nan
    }
  }
}
