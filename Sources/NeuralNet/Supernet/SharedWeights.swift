import Diagnostics
import TensorCore

/// Weights that many architectures share, with the state of the optimiser that trains them.
///
/// Each path is trained by itself: parameters, or parts of them, that are off the path keep their value and their
/// momentum, and are not decayed.
public final class SharedWeights {
  /// A network over the shared weights: one architecture, or a supernet with choices.
  public final class Network {
    public let graph: Graph
    /// The network's own copy of its parameters and their momentum, or the shared ones where all have full size.
    let state: TrainingState
    let slices: [(slice: ParameterSlice, shared: ParameterLayout.Entry, own: ParameterLayout.Entry)]
    /// Whether the network works on the shared weights themselves.
    var isWhole: Bool { slices.isEmpty }

    init(
      _ graph: Graph, state: TrainingState,
      slices: [(slice: ParameterSlice, shared: ParameterLayout.Entry, own: ParameterLayout.Entry)]
    ) {
      (self.graph, self.state, self.slices) = (graph, state, slices)
    }
  }

  /// All parameters at their largest, and their momentum.
  public let state: TrainingState
  /// Sums of gradients that `accumulate` left, laid out as the trained part of the weights, and which elements have one.
  private var accumulated: (gradients: AlignedBuffer, parameters: Set<Int>)?
  /// The exponential moving average of the weights, when one is kept.
  public private(set) var average: Weights?
  private var averageDecay = 0.0
  private let compute: Compute

  public var weights: Weights { state.weights }

  /// Draws the first values; see `Weights`.
  public init(_ layout: SharedLayout, random: RandomSource, compute: Compute) throws {
    state = try TrainingState(try Weights(layout.graph, random: random))
    self.compute = compute
  }

  /// A network over these weights. Throws a `recipe` fault for a parameter that is not among them, or larger.
  public func network(_ graph: Graph) throws -> Network {
    let own = ParameterLayout(graph), shared = state.weights.layout
    if own == shared { return Network(graph, state: state, slices: []) }
    let byPath = Dictionary(uniqueKeysWithValues: shared.entries.map { ($0.path, $0) })
    let slices = try own.entries.map { entry in
      guard let whole = byPath[entry.path] else {
        throw Fault(
          .recipe, "the shared weights have no such parameter", path: entry.path,
          hint: Suggestion.hint(for: entry.path, among: shared.entries.map(\.path)))
      }
      return (
        try ParameterSlice(of: whole.shape.dimensions, part: entry.shape.dimensions, path: entry.path), whole, entry
      )
    }
    return Network(graph, state: try TrainingState(try Weights(layout: own)), slices: slices)
  }

  /// The network's weights as they are now among the shared ones.
  public func weights(for network: Network) -> Weights {
    fetch(network, from: state.weights)
    return network.state.weights
  }

  /// An independent copy of a network's weights, from the shared ones or from their average.
  public func copy(for graph: Graph, averaged: Bool = false) throws -> Weights {
    let network = try network(graph)
    let source = averaged ? average ?? state.weights : state.weights
    if network.isWhole { return try source.copy() }
    fetch(network, from: source)
    return try network.state.weights.copy()
  }

  private func fetch(_ network: Network, from source: Weights) {
    for (slice, shared, own) in network.slices {
      slice.gather(
        from: source.values + shared.offset, into: network.state.weights.mutableValues + own.offset)
    }
  }
}

// MARK: - Training

extension SharedWeights {
  /// One step of training of a network on what its plan's `setInput` and `setLabels` wrote, along the path that the plan
  /// selected. Returns the loss before the update.
  public func step(
    _ network: Network, _ plan: TrainingPlan, _ optimiser: SGD, learningRate: Double
  ) throws -> Float {
    fetchState(network)
    let loss = try plan.forwardBackward(network.state.weights, step: state.step)
    // Momentum starts at zero, which gives the first step of any parameter its plain gradient.
    plan.update(network.state, optimiser, learningRate: learningRate, isFirst: false)
    returnState(network)
    state.step += 1
    updateAverage()
    return loss
  }

  /// Adds a network's gradients to those that wait for `apply`; nothing else changes. Returns the loss.
  public func accumulate(_ network: Network, _ plan: TrainingPlan) throws -> Float {
    fetchState(network)
    let loss = try plan.forwardBackward(network.state.weights, step: state.step)
    let shared = state.weights.layout
    var sums = try accumulated ?? (AlignedBuffer(count: shared.trainedFloats), [])
    let gradients = plan.plan.gradients.pointer
    for index in plan.plan.parametersWithGradient.sorted() {
      if network.isWhole {
        let entry = shared.entries[index]
        Elementwise.accumulate(
          gradients + entry.offset, into: sums.gradients.pointer + entry.offset, count: entry.count, compute: compute)
        sums.parameters.insert(index)
      } else {
        let (slice, whole, own) = network.slices[index]
        slice.add(from: gradients + own.offset, into: sums.gradients.pointer + whole.offset)
        if let position = shared.entries.firstIndex(of: whole) { sums.parameters.insert(position) }
      }
    }
    accumulated = sums
    return loss
  }

  /// One update by the gradients that were accumulated, divided by `count`. Throws a `recipe` fault when there are none.
  public func apply(_ optimiser: SGD, learningRate: Double, dividingBy count: Int = 1) throws {
    guard let sums = accumulated else {
      throw Fault(.recipe, "there are no gradients to apply", hint: "Call accumulate first.")
    }
    let layout = state.weights.layout
    Elementwise.scale(
      sums.gradients.pointer, by: 1 / Float(count), result: sums.gradients.pointer, count: layout.trainedFloats,
      compute: compute)
    optimiser.update(
      ParameterBuffers(
        parameters: state.weights.mutableValues, gradients: sums.gradients.pointer, momentum: state.momentum.pointer,
        trained: layout.ranges(of: sums.parameters)), learningRate: learningRate, isFirst: false, compute: compute)
    accumulated = nil
    state.step += 1
    updateAverage()
  }

  private func fetchState(_ network: Network) {
    fetch(network, from: state.weights)
    for (slice, shared, own) in network.slices where own.kind.isTrained {
      slice.gather(from: state.momentum.pointer + shared.offset, into: network.state.momentum.pointer + own.offset)
    }
  }

  private func returnState(_ network: Network) {
    for (slice, shared, own) in network.slices {
      slice.scatter(
        from: network.state.weights.values + own.offset, into: state.weights.mutableValues + shared.offset)
      guard own.kind.isTrained else { continue }
      slice.scatter(from: network.state.momentum.pointer + own.offset, into: state.momentum.pointer + shared.offset)
    }
  }
}

// MARK: - Checkpoints

extension SharedWeights {
  private static let averagePrefix = "average/", accumulatedPrefix = "accumulated/"

  /// Everything that is needed to go on bit for bit: the training's state, the average, accumulated gradients.
  public func snapshot() -> (arrays: [NamedArray], metadata: [String: String]) {
    var (arrays, metadata) = state.snapshot()
    arrays += (average?.arrays ?? []).map { array in
      NamedArray(name: Self.averagePrefix + array.name, shape: array.shape, values: array.values)
    }
    if let sums = accumulated {
      arrays += sums.parameters.sorted().map { index in
        let entry = state.weights.layout.entries[index]
        let values = UnsafeBufferPointer(start: sums.gradients.pointer + entry.offset, count: entry.count)
        return NamedArray(
          name: Self.accumulatedPrefix + entry.path, shape: entry.shape.dimensions, values: Array(values))
      }
    }
    metadata["average"] = average == nil ? "no" : "yes"
    return (arrays, metadata)
  }

  /// Goes back to a snapshot. Throws a `data` fault that names what is missing or of another shape.
  public func restore(_ snapshot: (arrays: [NamedArray], metadata: [String: String])) throws {
    func part(_ prefix: String) -> [NamedArray] {
      snapshot.arrays.filter { $0.name.hasPrefix(prefix) }.map { array in
        NamedArray(name: String(array.name.dropFirst(prefix.count)), shape: array.shape, values: array.values)
      }
    }
    let prefixes = [Self.averagePrefix, Self.accumulatedPrefix]
    let own = snapshot.arrays.filter { array in !prefixes.contains { array.name.hasPrefix($0) } }
    try state.restore(own, metadata: snapshot.metadata)
    try average?.load(part(Self.averagePrefix))
    accumulated = nil
    let sums = part(Self.accumulatedPrefix)
    guard !sums.isEmpty else { return }
    let layout = state.weights.layout, gradients = try AlignedBuffer(count: layout.trainedFloats)
    var parameters: Set<Int> = []
    for (index, entry) in layout.entries.enumerated() {
      guard let array = sums.first(where: { $0.name == entry.path }), array.values.count == entry.count else {
        continue
      }
      (gradients.pointer + entry.offset).update(from: array.values, count: entry.count)
      parameters.insert(index)
    }
    accumulated = (gradients, parameters)
  }
}

// MARK: - Average and order

extension SharedWeights {
  /// Keeps an exponential moving average from now on: after each step `average ← decay · average + (1 − decay) · weights`.
  public func keepAverage(decay: Double) throws {
    averageDecay = decay
    average = try state.weights.copy()
  }

  /// Starts the average anew from the weights as they are, where one is kept: they were replaced.
  public func restartAverage() throws {
    if average != nil { average = try state.weights.copy() }
  }

  private func updateAverage() {
    guard let average else { return }
    let count = state.weights.layout.totalFloats, decay = Float(averageDecay)
    Elementwise.scale(
      average.values, by: decay, result: average.mutableValues, count: count, compute: compute)
    Elementwise.accumulate(
      state.weights.values, times: 1 - decay, into: average.mutableValues, count: count, compute: compute)
  }

  /// Puts the output channels of a layer in the order of falling scores, and the values that follow it alike, so that a
  /// narrower network keeps the channels that score highest (once-for-all's channel sorting).
  ///
  /// - Parameters:
  ///   - producers: paths of parameters whose last dimension is those channels (weight, bias, norm, statistics).
  ///   - consumers: paths of weights whose input dimension (the one before the last) is those channels.
  ///   - scores: one for each channel.
  public func reorder(producers: [String], consumers: [String], scores: [Double]) throws {
    let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
    for path in producers { try permute(path, axisFromEnd: 1, order) }
    for path in consumers { try permute(path, axisFromEnd: 2, order) }
  }

  private func permute(_ path: String, axisFromEnd: Int, _ order: [Int]) throws {
    guard let entry = state.weights.layout.entries.first(where: { $0.path == path }) else {
      throw Fault(
        .recipe, "the shared weights have no parameter '\(path)'",
        hint: Suggestion.hint(for: path, among: state.weights.paths))
    }
    let dimensions = entry.shape.dimensions, axis = dimensions.count - axisFromEnd
    guard axis >= 0, dimensions[axis] == order.count else {
      throw Fault(
        .recipe, "wrong number of scores for the channels of a parameter", path: path,
        expected: axis >= 0 ? "\(dimensions[axis])" : "a parameter with an input dimension", got: "\(order.count)")
    }
    let inner = dimensions[(axis + 1)...].reduce(1, *), outer = dimensions[..<axis].reduce(1, *)
    var buffers = [state.weights.mutableValues + entry.offset]
    if entry.kind.isTrained { buffers.append(state.momentum.pointer + entry.offset) }
    if let average { buffers.append(average.mutableValues + entry.offset) }
    for buffer in buffers {
      let before = Array(UnsafeBufferPointer(start: buffer, count: entry.count))
      for block in 0..<outer {
        for (new, old) in order.enumerated() {
          for index in 0..<inner {
            buffer[(block * order.count + new) * inner + index] = before[(block * order.count + old) * inner + index]
          }
        }
      }
    }
  }
}
