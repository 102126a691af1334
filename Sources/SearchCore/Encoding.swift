extension Space {
  /// The names of the features of `encode`, in their order: `blocks[2].op=mb3` for an option, the decision's site for
  /// a number, `#blocks` for a length.
  public var encodingNames: [String] {
    var sink = FeatureNames()
    root.encode(nil, at: Place(), into: &sink)
    return sink.names
  }
}

extension Architecture {
  /// The architecture as numbers of 0…1, as many for every member of the space: what predictors learn from.
  ///
  /// - `oneOf`: one feature per option, 1 for the one chosen (with one option per edge this is the "adjacency" encoding
  ///   of the NAS literature).
  /// - `manyOf`: one feature per option, 1 for those chosen; where the order matters or options can repeat, one such
  ///   group per slot.
  /// - numbers and lengths: the place between the lower and the upper bound, in the logarithm where drawn so; 0 when
  ///   the bounds are equal.
  /// - Decisions inside an option or element that the architecture doesn't have: 0.
  public var encoding: [Double] {
    var sink = FeatureValues()
    space.root.encode(choice, at: nil, into: &sink)
    return sink.values
  }
}

/// What a walk over features produces: their names or their values.
private protocol FeatureSink {
  mutating func add(_ value: Double, _ name: @autoclosure () -> String)
}

private struct FeatureNames: FeatureSink {
  var names: [String] = []
  mutating func add(_ value: Double, _ name: @autoclosure () -> String) { names.append(name()) }
}

private struct FeatureValues: FeatureSink {
  var values: [Double] = []
  mutating func add(_ value: Double, _ name: @autoclosure () -> String) { values.append(value) }
}

extension SpaceNode {
  /// Adds this node's features; all 0 where it is inactive (`choice` nil). `place` is nil when names don't matter.
  fileprivate func encode(_ choice: Choice?, at place: Place?, into sink: inout some FeatureSink) {
    guard holdsDecisions else { return }
    switch self {
    case .constant: break
    case .record(let record):
      let parts = choice?.children
      for (index, field) in record.fields.enumerated() {
        field.node.encode(parts?[index], at: place?.key(field.key), into: &sink)
      }
    case .tuple(let nodes):
      let parts = choice?.children
      for index in nodes.indices { nodes[index].encode(parts?[index], at: place?.index(index), into: &sink) }
    case .list(let count, let element, _):
      let parts = choice?.children ?? []
      if isDecision { sink.add(choice == nil ? 0 : count.range.fraction(of: parts.count), "#\(place?.site ?? "")") }
      for index in 0..<count.range.upper {
        element.encode(index < parts.count ? parts[index] : nil, at: place?.index(index), into: &sink)
      }
    case .oneOf(let options, _): Self.encode(options, choice.map { [$0] } ?? [], at: place, into: &sink)
    case .manyOf(_, let options, false, true, _):
      Self.encode(options, choice?.children ?? [], at: place, into: &sink)
    case .manyOf(let k, let options, _, _, _):
      let parts = choice?.children
      for slot in 0..<k { Self.encode(options, parts.map { [$0[slot]] } ?? [], at: place?.index(slot), into: &sink) }
    case .int(let range, _):
      sink.add(choice.map { range.fraction(of: $0.number) } ?? 0, place?.site ?? "")
    case .float(let range, _):
      sink.add(choice.map { range.fraction(of: $0.real) } ?? 0, place?.site ?? "")
    }
  }

  /// One feature per option, then those of the decisions inside each.
  private static func encode(
    _ options: [SpaceNode], _ chosen: [Choice], at place: Place?, into sink: inout some FeatureSink
  ) {
    var inner = [Choice?](repeating: nil, count: options.count)
    for case .option(let index, let choice) in chosen { inner[index] = choice }
    for (index, option) in options.enumerated() {
      sink.add(inner[index] == nil ? 0 : 1, "\(place?.site ?? "")=\(option.featureLabel(index))")
    }
    for (index, option) in options.enumerated() {
      option.encode(inner[index], at: place?.option(index), into: &sink)
    }
  }

  private func featureLabel(_ index: Int) -> String {
    if case .constant = self { label } else { "(\(index + 1))" }
  }
}

extension Choice {
  fileprivate var children: [Choice] { if case .parts(let parts) = self { parts } else { Choice.misfit() } }
  fileprivate var number: Int { if case .int(let value) = self { value } else { Choice.misfit() } }
  fileprivate var real: Double { if case .float(let value) = self { value } else { Choice.misfit() } }
}

extension IntRange {
  fileprivate func fraction(of value: Int) -> Double {
    FloatRange(Double(lower), Double(upper), log: log).fraction(of: Double(value))
  }
}
