import Canonical
import Foundation

/// Some numbers by their mean and how far they spread.
package struct Spread: Equatable {
  package let values: [Double]

  package init(_ values: [Double]) { self.values = values }

  package var mean: Double { values.reduce(0, +) / Double(values.count) }

  /// The standard deviation of a sample (n − 1 in the denominator); nil for fewer than two values.
  package var deviation: Double? {
    guard values.count > 1 else { return nil }
    let mean = mean
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
  }

  /// The middle value, or the mean of the two in the middle; NaN of none.
  package static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted(), middle = sorted.count / 2
    guard !sorted.isEmpty else { return .nan }
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

  /// `90.25`, or `90.25 ± 0.4` for several values; empty for none.
  package func text(_ words: (Double) -> String = Wording.number) -> String {
    guard !values.isEmpty else { return "" }
    return words(mean) + (deviation.map { " ± " + words($0) } ?? "")
  }

  var json: JSONValue {
    [
      "mean": values.isEmpty ? .null : .number(mean), "std": deviation.map(JSONValue.number) ?? .null,
      "n": .int(values.count), "values": .array(values.map(JSONValue.number)),
    ]
  }
}
