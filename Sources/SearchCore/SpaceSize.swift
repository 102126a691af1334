import Foundation

/// How many members a space has: a whole number of any length.
public struct SpaceSize: Hashable, Sendable, CustomStringConvertible {
  /// Base 10⁹, the lowest first; no zero at the end, except that zero itself is `[0]`.
  private var limbs: [UInt64]
  private static let base: UInt64 = 1_000_000_000

  init(_ value: Int) {
    limbs = []
    var rest = UInt64(value)
    repeat {
      limbs.append(rest % Self.base)
      rest /= Self.base
    } while rest > 0
  }

  /// All digits.
  public var description: String {
    limbs.dropLast().reversed().reduce(String(limbs[limbs.count - 1])) { text, limb in
      let digits = String(limb)
      return text + String(repeating: "0", count: 9 - digits.count) + digits
    }
  }

  /// The number where an `Int` can hold it.
  public var int: Int? { Int(description) }

  /// The nearest double; infinity above 1.8e308.
  public var double: Double { Double(description) ?? .infinity }

  static func + (a: SpaceSize, b: SpaceSize) -> SpaceSize {
    var sum = a
    var carry: UInt64 = 0
    for index in 0..<max(a.limbs.count, b.limbs.count) {
      if index == sum.limbs.count { sum.limbs.append(0) }
      carry += sum.limbs[index] + (index < b.limbs.count ? b.limbs[index] : 0)
      sum.limbs[index] = carry % base
      carry /= base
    }
    if carry > 0 { sum.limbs.append(carry) }
    return sum
  }

  static func * (a: SpaceSize, b: SpaceSize) -> SpaceSize {
    var product = SpaceSize(0)
    product.limbs = Array(repeating: 0, count: a.limbs.count + b.limbs.count)
    for (i, x) in a.limbs.enumerated() {
      var carry: UInt64 = 0
      for j in 0..<b.limbs.count {
        carry += product.limbs[i + j] + x * b.limbs[j]
        product.limbs[i + j] = carry % base
        carry /= base
      }
      product.limbs[i + b.limbs.count] += carry
    }
    while product.limbs.count > 1, product.limbs.last == 0 { product.limbs.removeLast() }
    return product
  }

  /// The quotient by a small number that divides it.
  func divided(by divisor: Int) -> SpaceSize {
    var quotient = self
    var rest: UInt64 = 0
    for index in limbs.indices.reversed() {
      rest = rest * Self.base + limbs[index]
      quotient.limbs[index] = rest / UInt64(divisor)
      rest %= UInt64(divisor)
    }
    while quotient.limbs.count > 1, quotient.limbs.last == 0 { quotient.limbs.removeLast() }
    return quotient
  }

  func power(_ exponent: Int) -> SpaceSize {
    var result = SpaceSize(1), square = self, rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result = result * square }
      rest >>= 1
      if rest > 0 { square = square * square }
    }
    return result
  }
}

extension Space {
  /// How many members the space has before any `valid`; nil when it holds a float.
  public var size: SpaceSize? { root.size }
}

extension SpaceNode {
  fileprivate var size: SpaceSize? {
    switch self {
    case .constant: SpaceSize(1)
    case .float: nil
    case .int(let range, _): SpaceSize(range.count)
    case .record(let record): Self.product(record.fields.map(\.node))
    case .tuple(let nodes): Self.product(nodes)
    case .oneOf(let options, _): Self.sum(options)
    case .list(let count, let element, _): element.size(ofLists: count.range)
    case .manyOf(let k, let options, let ordered, let distinct, _):
      Self.size(choosing: k, of: options, ordered: ordered, distinct: distinct)
    }
  }

  private static func product(_ nodes: [SpaceNode]) -> SpaceSize? {
    nodes.reduce(SpaceSize(1) as SpaceSize?) { total, node in
      guard let total, let size = node.size else { return nil }
      return total * size
    }
  }

  private static func sum(_ nodes: [SpaceNode]) -> SpaceSize? {
    nodes.reduce(SpaceSize(0) as SpaceSize?) { total, node in
      guard let total, let size = node.size else { return nil }
      return total + size
    }
  }

  private func size(ofLists range: IntRange) -> SpaceSize? {
    if range.upper == 0 { return SpaceSize(1) }
    guard let size else { return nil }
    let step = size.power(range.step)
    var term = size.power(range.lower), total = term
    for _ in 1..<max(1, range.count) {
      term = term * step
      total = total + term
    }
    return total
  }

  /// Distinct: the elementary symmetric polynomial of degree `k` in the options' sizes, times k! where the order
  /// matters. Not distinct: sizeᵏ, or C(size + k − 1, k) where it doesn't.
  private static func size(choosing k: Int, of options: [SpaceNode], ordered: Bool, distinct: Bool) -> SpaceSize? {
    guard let total = sum(options) else { return nil }
    if !distinct {
      if ordered { return total.power(k) }
      return (0..<k).reduce(SpaceSize(1)) { ($0 * (total + SpaceSize($1))).divided(by: $1 + 1) }
    }
    var symmetric = [SpaceSize(1)] + Array(repeating: SpaceSize(0), count: k)
    for size in options.compactMap(\.size) {
      for degree in stride(from: k, through: 1, by: -1) {
        symmetric[degree] = symmetric[degree] + symmetric[degree - 1] * size
      }
    }
    return ordered ? (1...k).reduce(symmetric[k]) { $0 * SpaceSize($1) } : symmetric[k]
  }
}
