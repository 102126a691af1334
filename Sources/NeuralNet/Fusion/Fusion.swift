import TensorCore

/// The nodes of an expanded graph joined where one pass over memory can do the work of several.
///
/// A value that all its readers can make themselves isn't computed (`View`): a ReLU or a normalisation before a
/// convolution, the gradient of a normalisation. A convolution takes in what follows it. Sums of normalised values are
/// one pass. Each rule is a method; a node is replaced in its place, so that the order stays, and what nothing depends
/// on any more doesn't run.
struct Fusion {
  var graph: Graph
  /// Values that somebody outside reads.
  let kept: Set<Int>
  /// Whether sums may lack terms, on a path through choices: then they stay as they are.
  let hasChoices: Bool
  /// Whether the parameters are the same in every run until somebody outside changes them.
  let hasConstantParameters: Bool
  /// The nodes that run.
  var nodes: [Int] = []
  /// For each value, the nodes that read it.
  var readers: [[Int]] = []
  var views: [Int: View] = [:]
  var gradientViews: [Int: GradientView] = [:]
  /// The sums over the batch for gradients of normalisations, by the index of their node.
  var reductions: [Int: NormalisationSums] = [:]
  /// Gradients of ReLUs that are taken where the gradient of the normalisation before is.
  var absorbedGradients: Set<Int> = []
  /// The sums that normalise their terms themselves.
  var summing: Set<Int> = []
  /// By the index of the node whose place they take.
  var convolutions: [Int: FusedConvolution] = [:]
  var gradients: [Int: FusedConvolutionGradient] = [:]

  /// - Parameters:
  ///   - kept: values that are read from outside: they are computed.
  ///   - updates: whether a run changes parameters or computes what will.
  static func fused(_ graph: Graph, kept: Set<Int>, changesParameters: Bool) -> Graph {
    var fusion = Fusion(
      graph: graph, kept: kept, hasChoices: PathResolver.isNeeded(for: graph),
      hasConstantParameters: !changesParameters)
    fusion.findReaders()
    if fusion.hasConstantParameters, !fusion.hasChoices { fusion.shareSums() }
    fusion.gatherConvolutions()
    fusion.foldIntoConvolutions()
    fusion.viewGradientsOfNormalisations()
    fusion.viewActivations()
    fusion.fuseConvolutions()
    fusion.fuseGradients()
    fusion.sumInPasses()
    return fusion.graph
  }

  /// Looks again at which nodes run and who reads what.
  mutating func findReaders() {
    let updating = graph.nodes.indices.filter { !graph.nodes[$0].op.updates.isEmpty }
    nodes = Set(graph.nodes(reaching: Array(kept) + updating.flatMap { graph.nodes[$0].inputs }))
      .union(updating).sorted()
    readers = Array(repeating: [], count: graph.values.count)
    for index in nodes { for value in graph.nodes[index].inputs { readers[value].append(index) } }
  }

  // MARK: - What rules ask

  func op(_ index: Int) -> String { graph.nodes[index].op.name }

  /// The node that computes a value.
  func producer(of value: Int) -> Int? {
    if case .node(let index) = graph.origins[value] { return index }
    return nil
  }

  /// The one reader of a value that nobody outside reads; nil for another.
  func onlyReader(of value: Int) -> Int? {
    readers[value].count == 1 && !kept.contains(value) ? readers[value][0] : nil
  }

  /// The node that normalises to a value, if one does.
  func normalisation(to value: Int) -> Int? {
    guard let index = producer(of: value), graph.nodes[index].outputs[0] == value,
      [Op.normalise.name, Op.batchNormalise.name].contains(op(index))
    else { return nil }
    return index
  }

  /// Whether a value is a parameter as it is stored.
  func isParameter(_ value: Int) -> Bool {
    if case .parameter = graph.origins[value] { return true }
    return false
  }

  // MARK: - What rules do

  /// Puts a node in the place of another.
  mutating func replace(_ index: Int, by node: Graph.Node) {
    graph.nodes[index] = node
    for output in node.outputs { graph.origins[output] = .node(index) }
  }

  /// Adds a value that no node of the graph had.
  mutating func addValue(_ type: ValueType) -> Int {
    graph.values.append(type)
    graph.origins.append(.input(-1))
    readers.append([])
    return graph.values.count - 1
  }
}
