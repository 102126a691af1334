import Canonical
import Datasets
import Evaluation
import Foundation
import NeuralNet
import TensorCore
import Testing

@Suite struct LatencyTests {
  private static func network() throws -> (graph: Graph, weights: Weights) {
    let builder = try GraphBuilder(inputs: [("x", [12, 12, 3])])
    var x = try builder.apply("conv2d", builder.inputs, attributes: ["channels": 16, "kernel": 3])
    x = try builder.apply("global_avg_pool", [try builder.apply("relu", [try builder.apply("batch_norm", [x])])])
    let graph = try builder.finish(
      outputs: [("y", try builder.apply("linear", [x], attributes: ["features": 4]))])
    return (graph, try Weights(graph, random: RandomSource(seed: 1, name: "w")))
  }

  @Test func callsAreTimedInRounds() throws {
    let (graph, weights) = try Self.network()
    var how = LatencyMeter.Settings()
    (how.rounds, how.calls, how.callPause) = (2, 5, 0.01)
    let start = DispatchTime.now().uptimeNanoseconds
    let timing = try LatencyMeter().measure(
      graph, weights, kernels: .best, normalisation: Normalisation(identityFor: 3), as: how)
    #expect(Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9 >= 0.1)
    #expect(timing.calls == 10 && timing.least > 0)
    let order = [timing.least, timing.p10, timing.median, timing.p90, timing.p99]
    #expect(order == order.sorted() && timing.endToEnd > timing.least)
    #expect((0...100).contains(timing.waiting) && timing.slowdown >= 0)
  }

  @Test func aMeasurementCanBeInterrupted() throws {
    let (graph, weights) = try Self.network()
    #expect(throws: (any Error).self) {
      try LatencyMeter(isCancelled: { true }).measure(graph, weights, kernels: .best)
    }
  }

  /// By hand: of 1 to 5 ms the median is 3, the 10th percentile 1.4, the 99th 4.96.
  @Test func quantilesAndDisturbances() {
    var record = LatencyTiming.Record()
    record.rounds = [[0.005, 0.001], [0.003, 0.002, 0.004]]
    record.endToEnd = [0.002, 0.004]
    (record.elapsed, record.onCore, record.speeds) = (0.02, 0.0195, [1, 1.05, 1.02])
    let quiet = LatencyTiming(record)
    let expected = [1, 1.4, 3, 4.6, 4.96, 3, 2.5, 5]
    let got = [
      quiet.least, quiet.p10, quiet.median, quiet.p90, quiet.p99, quiet.endToEnd, quiet.waiting, quiet.slowdown,
    ]
    for (got, expected) in zip(got, expected) { #expect(abs(got - expected) < 1e-9) }
    #expect(quiet.disturbance == nil && quiet.json["is_quiet"] == true)
    (record.onCore, record.speeds) = (0.015, [1, 1.3])
    #expect(
      LatencyTiming(record).disturbance
        == "the machine was busy (25 % of the time waiting for a core), its speed changed by 30 %")
  }

  @Test func bytesAreNormalisedAsInTraining() throws {
    let set = try Shapes.draw(Shapes.Options(size: 12, train: 8, test: 2, seed: 1)).train
    let selection = ImageSelection(set), normalisation = Normalisation(measuring: selection)
    var expected = [Float](repeating: 0, count: set.imageSize), labels: [Int32] = [0], input = expected
    _ = try EvaluationBatches(selection, normalisation: normalisation, batchSize: 1).fill(
      0, images: &expected, labels: &labels)
    let first = Int(selection.indices[0]) * set.imageSize
    Array(set.pixels[first..<first + set.imageSize]).withUnsafeBufferPointer {
      PixelNormaliser(normalisation).write($0, to: &input)
    }
    #expect(input == expected)
  }
}
