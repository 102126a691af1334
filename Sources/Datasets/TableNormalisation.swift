/// What makes a standardised target of a regression: `(target - mean) / deviation`.
public struct TargetScale: Sendable, Equatable {
  public let mean: Double
  public let deviation: Double

  public init(mean: Double, deviation: Double) {
    self.mean = mean
    self.deviation = deviation
  }
}

extension Normalisation {
  /// Measures the rows of a table.
  static func measure(
    _ table: TableRows, _ rows: [Int32]
  ) -> (mean: [Double], deviation: [Double], target: TargetScale?) {
    let width = table.inputs.count
    let scales = table.inputs.enumerated().map { column, input in
      input.text == nil
        ? measure(rows.map { table.values[Int($0) * width + column] }) : TargetScale(mean: 0, deviation: 1)
    }
    let target = table.targets.map { targets in measure(rows.map { targets[Int($0)] }) }
    return (scales.map(\.mean), scales.map(\.deviation), target)
  }

  /// Mean and population deviation (1 when it is 0) of the values that aren't NaN.
  private static func measure(_ values: [Float]) -> TargetScale {
    let present = values.filter { !$0.isNaN }.map(Double.init)
    let mean = present.isEmpty ? 0 : present.reduce(0, +) / Double(present.count)
    let spread = present.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return TargetScale(mean: mean, deviation: spread == 0 ? 1 : (spread / Double(present.count)).squareRoot())
  }
}

/// Turns rows of a table into the network's input: standardised, 0 for missing values.
struct RowWriter: Sendable {
  let table: TableRows
  let normalisation: Normalisation

  func write(_ index: Int, to output: UnsafeMutablePointer<Float>) {
    let width = table.inputs.count
    for column in 0..<width {
      let value = Double(table.values[index * width + column])
      let scaled = (value - normalisation.mean[column]) / normalisation.deviation[column]
      output[column] = value.isNaN ? 0 : Float(scaled)
    }
  }

  /// The standardised target; 0 for a classification.
  func target(_ index: Int) -> Float {
    guard let scale = normalisation.target, let targets = table.targets else { return 0 }
    return Float((Double(targets[index]) - scale.mean) / scale.deviation)
  }
}
