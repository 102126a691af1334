import Diagnostics
import TensorCore

/// How many images a split puts aside for validation.
public enum ValidationSize: Sendable, Equatable {
  /// A part of the images, between 0 and 1.
  case fraction(Double)
  /// A number of images.
  case count(Int)
}

/// Two disjoint parts of a selection.
public struct Split: Sendable {
  public let train: ImageSelection
  public let valid: ImageSelection
  /// What the user should know: too few validation images for their scores to tell networks apart.
  public let warning: String?
}

extension ImageSelection {
  /// Splits stratified by class: every class gives its share, rounded so that the total is exact.
  ///
  /// Which images go where depends on the seed and on how many images of each class come before in the set, so equal
  /// content splits equally, on every machine.
  ///
  /// - Throws: a `recipe` fault when either part would be empty.
  public func split(valid size: ValidationSize, seed: UInt64) throws -> Split {
    let wanted = try validationCount(size)
    let shuffled = shuffledByClass(seed: seed, purpose: "split")
    let shares = Self.shares(of: wanted, among: shuffled.map(\.count))
    let valid = zip(shuffled, shares).flatMap { $0.prefix($1) }.sorted()
    let train = zip(shuffled, shares).flatMap { $0.dropFirst($1) }.sorted()
    return Split(
      train: ImageSelection(set, indices: train), valid: ImageSelection(set, indices: valid),
      warning: warning(shares: zip(shares, shuffled).filter { !$1.isEmpty }.map(\.0)))
  }

  /// At most `count` images, stratified by class; the images of a smaller limit are among those of a larger one of
  /// the same seed, class by class.
  ///
  /// - Throws: a `recipe` fault unless `count` is positive.
  public func limited(to count: Int, seed: UInt64) throws -> ImageSelection {
    guard count > 0 else {
      throw Fault(.recipe, "limit of images", expected: "at least 1", got: "\(count)")
    }
    guard count < self.count else { return self }
    let shuffled = shuffledByClass(seed: seed, purpose: "limit")
    let shares = Self.shares(of: count, among: shuffled.map(\.count))
    return ImageSelection(set, indices: zip(shuffled, shares).flatMap { $0.prefix($1) }.sorted())
  }

  /// Disjoint parts that make up the selection, stratified by class: the members of each class are dealt out one by one,
  /// in an order drawn for that class, and the next class goes on where it stopped. So neither the sizes of the parts
  /// nor the numbers of a class in them differ by more than one.
  ///
  /// - Throws: a `recipe` fault unless there are at least two parts, none of them empty.
  func folds(_ count: Int, seed: UInt64) throws -> [ImageSelection] {
    guard count >= 2, count <= self.count else {
      throw Fault(.recipe, "number of folds", expected: "2…\(self.count) of \(self.count) samples", got: "\(count)")
    }
    var folds = [[Int32]](repeating: [], count: count)
    for (position, index) in shuffledByClass(seed: seed, purpose: "folds").joined().enumerated() {
      folds[position % count].append(index)
    }
    return folds.map { ImageSelection(set, indices: $0.sorted()) }
  }

  private func validationCount(_ size: ValidationSize) throws -> Int {
    let wanted: Int
    switch size {
    case .fraction(let part):
      guard part > 0, part < 1 else {
        throw Fault(.recipe, "validation part", expected: "a number between 0 and 1, both excluded", got: "\(part)")
      }
      wanted = max(1, Int((part * Double(count)).rounded()))
    case .count(let count): wanted = count
    }
    guard wanted > 0, wanted < count else {
      throw Fault(
        .recipe, "number of validation images", expected: "1…\(count - 1) of \(count) images", got: "\(wanted)")
    }
    return wanted
  }

  /// The positions of each class in an order drawn for that class alone.
  private func shuffledByClass(seed: UInt64, purpose: String) -> [[Int32]] {
    var classes = [[Int32]](repeating: [], count: set.classNames.count)
    for index in indices { classes[Int(set.labels[Int(index)])].append(index) }
    return classes.enumerated().map { number, members in
      var members = members
      var stream = RandomStream(seed: seed, name: "data/\(purpose)/class/\(number)")
      stream.shuffle(&members)
      return members
    }
  }

  /// Divides `wanted` in proportion to the counts by largest remainders; ties go to the lower class.
  static func shares(of wanted: Int, among counts: [Int]) -> [Int] {
    let total = counts.reduce(0, +)
    var shares = counts.map { $0 * wanted / total }
    let byRemainder = counts.indices.sorted {
      (counts[$1] * wanted % total, $0) < (counts[$0] * wanted % total, $1)
    }
    for index in byRemainder.prefix(wanted - shares.reduce(0, +)) { shares[index] += 1 }
    return shares
  }

  /// Fewer than 100 images, or fewer than 10 of a class, can't tell networks apart: the standard error of an accuracy
  /// of 90 % from 100 images is 3 %.
  private func warning(shares: [Int]) -> String? {
    let total = shares.reduce(0, +), least = shares.min() ?? 0
    if set.isRegression {
      return total < 100
        ? "only \(total) validation rows: differences between networks will be mostly chance (at least 100 are advised)"
        : nil
    }
    guard total < 100 || least < 10 else { return nil }
    return "only \(total) validation images, \(least) in the smallest class: differences between networks will be "
      + "mostly chance (at least 100, and 10 per class, are advised)"
  }
}
