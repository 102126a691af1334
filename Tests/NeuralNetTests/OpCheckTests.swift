import TensorCore
import Testing

@testable import NeuralNet

/// The check of the op table: every op passes, and what is wrong is found.
@Suite struct OpCheckTests {
  /// With the table of each instruction set, as a CPU without a better one would have it.
  @Test(arguments: KernelSet.available) func everyOpOfTheTableIsRight(kernels: KernelSet) throws {
    for report in try OpCheck(kernels: kernels).reports(OpTable.all) {
      #expect(!report.examples.isEmpty, "\(report.op.name) has no example")
      for (property, outcome) in report.outcomes {
        if case .failed(let reason) = outcome { Issue.record("\(report.op.name), \(property): \(reason)") }
      }
    }
  }

  @Test func aWrongGradientIsFound() throws {
    let op = op(gradient: { site in [try site.scale(site.outputGradient, 2.001)] })
    #expect(try failures(op) == [.gradient])
  }

  @Test func aWrongSecondGradientIsFound() throws {
    // Right by itself, but its own gradient says that it doesn't depend on x.
    let op = Op(
      "test", "x³", paddingLanes: .carried, infer: { [$0.input] }, kernel: kernel { $0 * $0 * $0 },
      gradient: { site in
        let x = try site.apply(.stopGradient, [site.inputs[0]])[0]
        return [try site.multiply(site.outputGradient, try site.scale(try site.multiply(x, x), 3))]
      })
    #expect(try failures(op) == [.second])
  }

  @Test func dirtyLanesAreFound() throws {
    #expect(try failures(op(kernel { 2 * $0 + 1 })).contains(.lanes))
  }

  @Test func anOpWithoutAnExampleIsBad() throws {
    let report = try #require(try OpCheck([]).reports([.relu]).first)
    #expect(report.isBad)
  }

  /// What is wrong with an op.
  private func failures(_ op: Op) throws -> Set<OpProperty> {
    let report = try #require(try OpCheck([OpExample(op, [.batch([2, 5])])]).reports([op]).first)
    return Set(report.outcomes.filter { if case .failed = $0.value { true } else { false } }.keys)
  }

  /// Twice the input.
  private func op(
    _ kernel: (@Sendable (KernelSite) throws -> Kernel)? = nil,
    gradient: @escaping @Sendable (GradientSite) throws -> [Symbol?] = { [try $0.scale($0.outputGradient, 2)] }
  ) -> Op {
    Op(
      "test", "2x", paddingLanes: .carried, infer: { [$0.input] }, kernel: kernel ?? self.kernel { 2 * $0 },
      gradient: gradient)
  }

  /// A function of each number, of the lanes too.
  private func kernel(
    _ function: @escaping @Sendable (Float) -> Float
  ) -> @Sendable (KernelSite) throws -> Kernel {
    { site in
      let count = site.elements(site.outputs[0])
      return Kernel { call in for index in 0..<count { call.output(0)[index] = function(call.input(0)[index]) } }
    }
  }
}
