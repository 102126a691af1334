import Canonical
import NeuralNet
import TensorCore
import Testing

/// Optimiser, schedules and twenty training steps of a network against PyTorch.
@Suite struct TrainingReferenceTests {
  static let cases = (try? ReferenceFile("training").cases) ?? []

  @Test(arguments: cases.filter { $0.op == "sgd" })
  func sgdMatchesPyTorch(reference: ReferenceFile.Case) throws {
    let options = reference.attributes
    let sgd = try SGD(
      momentum: options["momentum"]?.double ?? 0, nesterov: options["nesterov"]?.bool ?? false,
      weightDecay: options["weight_decay"]?.double ?? 0, clipNorm: options["clip_norm"]?.double)
    // Two parameters of 7 and 12 numbers, each from a whole vector on.
    let places = Array(0..<7) + Array(16..<28)
    let parameters = try AlignedBuffer(count: 32), gradients = try AlignedBuffer(count: 32)
    let momentum = try AlignedBuffer(count: 32), compute = try Compute()
    let buffers = ParameterBuffers(
      parameters: parameters.pointer, gradients: gradients.pointer, momentum: momentum.pointer,
      trained: [(0..<16, .weight), (16..<32, .bias)])
    for (place, value) in zip(places, try #require(reference.floats["start"])) { parameters.pointer[place] = value }
    let steps = try #require(reference.floats["steps"]), inputs = try #require(reference.floats["gradients"])
    for step in 0..<5 {
      let range = (step * 19)..<((step + 1) * 19)
      for (place, value) in zip(places, inputs[range]) { gradients.pointer[place] = value }
      if let norms = reference.floats["norms"] {
        let norm = SGD.gradientNorm(gradients.pointer, buffers.trained, compute)
        #expect(abs(norm - Double(norms[step])) < 1e-6 * norm)
      }
      sgd.update(buffers, learningRate: options["lr"]?.double ?? 0, isFirst: step == 0, compute: compute)
      #expect(relativeError(places.map { parameters.pointer[$0] }, Array(steps[range])) < 5e-7)
    }
  }

  @Test(arguments: cases.filter { $0.op == "schedule" })
  func schedulesMatchTheirFormulas(reference: ReferenceFile.Case) throws {
    let options = reference.attributes
    let curve: Schedule.Curve =
      switch options["kind"]?.string {
      case "step": .step(every: options["every"]?.int ?? 1, factor: options["factor"]?.double ?? 1)
      case "cosine": .cosine(minimum: options["final"]?.double ?? 0)
      default: .constant
      }
    let count = options["count"]?.int ?? 0
    let schedule = try Schedule(
      curve, peak: options["base"]?.double ?? 0, total: count, warmUp: options["warm_up"]?.int ?? 0)
    let expected = try #require(reference.json["values"]?.array).compactMap(\.double)
    #expect(expected.count == count)
    for (position, rate) in expected.enumerated() { #expect(abs(schedule.value(at: position) - rate) < 1e-15) }
  }

  @Test func twentyStepsOfANASBench201NetworkMatchPyTorch() throws {
    let reference = try #require(try ReferenceFile("nasbench201").cases.first)
    let run = try NetworkRun(reference, threads: 1)
    let expected = try #require(reference.json["losses_float64"]?.array).compactMap(\.double)
    for step in 0..<5 { #expect(abs(Double(run.losses[step]) / expected[step] - 1) < 1e-5, "step \(step)") }
    // Sooner or later a ReLU's input is within rounding of 0 and falls to the other side; from there on the difference
    // grows from step to step.
    #expect(abs(Double(run.losses[19]) / expected[19] - 1) < 1e-2)
    for (path, gradient) in run.firstGradients {
      let expected = try #require(reference.floats["gradient/\(path)"])
      #expect(relativeError(gradient, expected) < 3e-5, "\(path)")
    }
    for path in run.weights.paths where path.hasSuffix("running_mean") || path.hasSuffix("running_var") {
      let expected = try #require(reference.floats["final/\(path)"])
      #expect(relativeError(try #require(run.weights[path]), expected) < 1e-1, "\(path)")
    }
  }

  @Test func twentyStepsRepeatBitForBitOnOneAndTwoThreads() throws {
    let reference = try #require(try ReferenceFile("nasbench201").cases.first)
    let runs = try [1, 1, 2].map { try NetworkRun(reference, threads: $0) }
    #expect(Set(runs.map(\.losses)).count == 1)
    #expect(Set(runs.map(\.weights.digest)).count == 1)
  }

  @Test func instructionSetsAgreeBitForBit() throws {
    let reference = try #require(try ReferenceFile("nasbench201").cases.first)
    let sets = KernelSet.available.filter(\.fusesMultiplyAdd)
    let digests = try sets.map { try NetworkRun(reference, threads: 1, kernels: $0, steps: 3).weights.digest }
    #expect(Set(digests).count <= 1)
  }
}

/// The training that the reference describes.
struct NetworkRun {
  let weights: Weights
  private(set) var losses: [Float] = []
  private(set) var firstGradients: [(String, [Float])] = []

  init(_ reference: ReferenceFile.Case, threads: Int, kernels: KernelSet? = nil, steps: Int = 20) throws {
    let options = reference.attributes, batch = options["batch"]?.int ?? 0
    let network = NASBench201(
      channels: options["channels"]?.int ?? 0, cells: options["cells"]?.int ?? 0,
      size: options["input"]?.array?.first?.int ?? 0, classes: options["classes"]?.int ?? 0)
    let graph = try network.graph(options["cell"]?.string ?? "")
    weights = try Weights(graph, random: RandomSource(seed: 0, name: "test"))
    for path in weights.paths { if let values = reference.floats["initial/\(path)"] { try weights.set(path, values) } }
    let plan = try TrainingPlan(
      graph, batch: batch, random: RandomSource(seed: 0, name: "test"),
      compute: try Compute(kernels: kernels, threads: threads))
    let state = try TrainingState(weights)
    let sgd = try SGD(
      momentum: options["momentum"]?.double ?? 0, nesterov: options["nesterov"]?.bool ?? false,
      weightDecay: options["weight_decay"]?.double ?? 0)
    var data = ReferenceImages(size: network.size)
    for step in 0..<steps {
      let (images, labels) = data.batch(batch)
      try images.withUnsafeBufferPointer { try plan.setInput($0) }
      try labels.withUnsafeBufferPointer { try plan.setLabels($0) }
      losses.append(try plan.step(state, sgd, learningRate: options["lr"]?.double ?? 0))
      if step == 0 { firstGradients = weights.paths.compactMap { path in plan.gradient(of: path).map { (path, $0) } } }
    }
  }
}

/// The images of the reference, from its linear congruential generator.
struct ReferenceImages {
  let size: Int
  private var state: UInt32 = 201

  init(size: Int) { self.size = size }

  mutating func batch(_ count: Int) -> (images: [Float], labels: [Int32]) {
    var images: [Float] = [], labels: [Int32] = []
    for _ in 0..<count {
      let label = Int(draw() % 10)
      labels.append(Int32(label))
      for y in 0..<size {
        for x in 0..<size {
          for c in 0..<3 {
            let pattern: Float = (label * (x + 2 * y) + c) % 10 < 5 ? 1 : 0
            images.append((Float(draw()) - 127.5) / 256 + pattern)
          }
        }
      }
    }
    return (images, labels)
  }

  private mutating func draw() -> UInt32 {
    state = 1_664_525 &* state &+ 1_013_904_223
    return state >> 24
  }
}
