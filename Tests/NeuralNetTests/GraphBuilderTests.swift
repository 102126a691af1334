import Canonical
import Diagnostics
import NeuralNet
import Testing

/// Paths, names and the errors of a build, with their exact text.
@Suite struct GraphBuilderTests {
  private let builder: GraphBuilder
  private let x: Symbol

  init() throws {
    builder = try GraphBuilder(inputs: [("x", [8, 8, 6])])
    x = builder.inputs[0]
  }

  private func fault(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no fault"
    } catch {
      return "\(error)"
    }
  }

  @Test func pathsAreScopesAndCountedNames() throws {
    try builder.pushScope("block1")
    try builder.pushScope("main")
    let a = try builder.apply("conv2d", [x], attributes: ["channels": 4, "kernel": 3])
    let b = try builder.apply("conv2d", [a], attributes: ["channels": 4, "kernel": 3])
    let c = try builder.apply("batch_norm", [b], name: "norm")
    builder.popScope()
    let d = try builder.apply("conv2d", [c], attributes: ["channels": 4, "kernel": 1])
    builder.popScope()
    let graph = try builder.finish(outputs: [("y", try builder.apply("relu", [d]))])
    #expect(
      graph.nodes.map(\.path) == [
        "block1/main/conv2d1", "block1/main/conv2d2", "block1/main/norm", "block1/conv2d1", "relu1",
      ])
    #expect(
      graph.parameters.map(\.path) == [
        "block1/main/conv2d1/weight", "block1/main/conv2d2/weight", "block1/main/norm/weight",
        "block1/main/norm/bias", "block1/main/norm/running_mean", "block1/main/norm/running_var",
        "block1/conv2d1/weight",
      ])
  }

  @Test func aPathIsUsedOnce() throws {
    try builder.pushScope("stem")
    _ = try builder.apply("relu", [x], name: "act")
    #expect(
      fault { _ = try builder.apply("relu6", [x], name: "act") }
        == "stem/act: a node can't have a path that a node has already. Give one of them another name.")
    builder.popScope()
    #expect(
      fault { try builder.pushScope("stem") }
        == "stem: a scope can't have a path that a scope has already. Give one of them another name; two nn.choice of the "
        + "same options: wrap each in an nn.scope of its own.")
    #expect(
      fault { try builder.pushScope("a/b") } == "a/b: wrong name: expected letters, digits, '_' and '-', got \"a/b\"")
  }

  @Test func unknownNamesGetASuggestion() {
    #expect(fault { _ = try builder.apply("conv2", [x]) } == "unknown op 'conv2'. Did you mean 'conv2d'?")
    #expect(
      fault { _ = try builder.apply("conv2d", [x], attributes: ["channels": 4, "kernal": 3]) }
        == "conv2d1: conv2d has no option 'kernal'. Did you mean 'kernel'?")
    #expect(
      fault { _ = try builder.apply("conv2d_input_gradient", [x]) }.hasPrefix("unknown op 'conv2d_input_gradient'"))
  }

  @Test(
    arguments: [
      (
        "conv2d", ["channels": 4],
        "conv2d1: conv2d needs the option 'kernel': expected a whole number from 1 to 1024, or [height, width]"
      ),
      (
        "conv2d", ["channels": 0, "kernel": 3],
        "conv2d1: wrong value for the option 'channels' of conv2d: expected a whole number from 1 to 65536, got 0"
      ),
      (
        "conv2d", ["channels": 8, "kernel": 3, "groups": 4],
        "conv2d1: conv2d: groups must divide the channels: expected a divisor of 6 and 8, got 4"
      ),
      (
        "conv2d", ["channels": 8, "kernel": 11, "padding": 1],
        "conv2d1: conv2d: the kernel is larger than the padded input: expected at least 11 × 11, got 10 × 10"
      ),
      (
        "conv2d", ["channels": 8, "kernel": 2],
        "conv2d1: conv2d: \"same\" padding needs an odd kernel: got 2 × 2. Give padding as a number."
      ),
      (
        "linear", ["features": 3],
        "linear1: linear: wrong input shape: expected [N, C], got [N, 8, 8, 6]. Put global_avg_pool or flatten before it."
      ),
      (
        "max_pool", ["kernel": 2, "padding": 2],
        "max_pool1: max_pool: the padding is more than half the kernel: expected at most half of [2,2], got [2,2]"
      ),
      ("add", [:], "add1: add: wrong number of inputs: expected at least 2, got 1"),
    ] as [(String, [String: JSONValue], String)])
  func wrongAttributesAndShapesSaySo(op: String, attributes: [String: JSONValue], text: String) {
    #expect(fault { _ = try builder.apply(op, [x], attributes: attributes) } == text)
  }

  @Test func wrongCombinationsSaySo() throws {
    let narrow = try builder.apply("conv2d", [x], attributes: ["channels": 4, "kernel": 3])
    let small = try builder.apply("max_pool", [x], attributes: ["kernel": 2])
    #expect(
      fault { _ = try builder.apply("add", [x, narrow]) }
        == "add1: add: input 2 has another shape: expected [N, 8, 8, 6], got [N, 8, 8, 4]")
    #expect(
      fault { _ = try builder.apply("concat", [x, small]) }
        == "concat1: concat: input 2 has another shape beside axis 4: expected [N, 8, 8, 6], got [N, 4, 4, 6]")
    let other = try GraphBuilder(inputs: [("x", [8, 8, 6])]).inputs[0]
    #expect(
      fault { _ = try builder.apply("relu", [other]) }
        == "relu1: relu: input 1 belongs to another network. Build a network from the values of one build only.")
    #expect(fault { _ = try builder.finish(outputs: []) } == "a network needs an output. Return a value from build.")
  }

  @Test func aNetworkNeedsAnInput() {
    #expect(fault { _ = try GraphBuilder(inputs: []) } == "a network needs an input")
    #expect(
      fault { _ = try GraphBuilder(inputs: [("x", [3]), ("x", [3])]) }
        == "x: an input can't have a path that an input has already. Give one of them another name.")
  }

  @Test func hugeSizesAreRefusedBeforeAnythingOverflows() throws {
    #expect(
      fault { _ = try GraphBuilder(inputs: [("x", [1 << 40, 8, 3])]) }
        == "x: wrong input shape: expected [H, W, C], [C] or up to four extents, each from 1 to 65536, got [1099511627776, 8, 3]"
    )
    #expect(
      fault {
        _ = try builder.apply("conv2d", [x], attributes: ["channels": 65_536, "kernel": 1001, "padding": 60_000])
      }
      .contains("too large"))
  }

  @Test func samePaddingKeepsTheSizeAtStrideOne() throws {
    for (kernel, dilation) in [(1, 1), (3, 1), (5, 2), (7, 3)] {
      let y = try builder.apply(
        "conv2d", [x], attributes: ["channels": 6, "kernel": .int(kernel), "dilation": .int(dilation)])
      #expect(y.shape == x.shape)
    }
    #expect(x.shape.description == "[N, 8, 8, 6]")
  }
}
