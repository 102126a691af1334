import Diagnostics

/// Comparison by several objectives at once. A point has one value per objective; NaN counts as the worst value.
public enum Pareto {
  /// Whether `a` is at least as good as `b` everywhere and better somewhere.
  public static func dominates(_ a: [Double], _ b: [Double], _ directions: [Direction]) -> Bool {
    var isBetter = false
    for (index, direction) in directions.enumerated() {
      if direction.better(b[index], than: a[index]) { return false }
      isBetter = isBetter || direction.better(a[index], than: b[index])
    }
    return isBetter
  }

  /// The indices, ascending, of the points that no other point dominates. Equal points are all kept.
  ///
  /// O(n log n) for one and two objectives; for more, each point in lexicographic order is compared with the front so
  /// far. Throws a `recipe` fault when a point doesn't have one value per direction.
  public static func front(_ points: [[Double]], _ directions: [Direction]) throws -> [Int] {
    let losses = try losses(points, directions)
    let order = losses.indices.sorted { a, b in losses[a].lexicographicallyPrecedes(losses[b]) }
    return (directions.count <= 2 ? planarFront(losses, order) : spatialFront(losses, order)).sorted()
  }

  /// The area that two-objective points dominate within the rectangle up to `reference`, a point worse than those of
  /// interest; points that are no better than it in some objective add nothing. Exact up to rounding, O(n log n).
  ///
  /// Throws a `recipe` fault when a point or the reference doesn't have two values.
  public static func hypervolume(
    _ points: [[Double]], _ directions: [Direction], reference: [Double]
  ) throws -> Double {
    if directions.count != 2 {
      throw Fault(.recipe, "bad hypervolume", expected: "two objectives", got: String(directions.count))
    }
    let corner = try losses([reference], directions)[0]
    var area = 0.0
    var height = corner[1]
    let inside = try losses(points, directions).filter { $0[0] < corner[0] && $0[1] < corner[1] }
    for point in inside.sorted(by: { $0.lexicographicallyPrecedes($1) }) where point[1] < height {
      area += (corner[0] - point[0]) * (height - point[1])
      height = point[1]
    }
    return area
  }

  /// The points with every objective turned so that less is better, and NaN as infinity.
  private static func losses(_ points: [[Double]], _ directions: [Direction]) throws -> [[Double]] {
    try points.enumerated().map { index, point in
      guard point.count == directions.count else {
        throw Fault(
          .recipe, "bad point", path: "points[\(index + 1)]",
          expected: "one value for each of the \(directions.count) objectives",
          got: String(point.count))
      }
      return zip(point, directions).map { $1 == .max ? -$1.ranked($0) : $1.ranked($0) }
    }
  }

  /// Sorted by the first loss, a point is on the front when its second loss is below all before, or equals its twin's.
  private static func planarFront(_ losses: [[Double]], _ order: [Int]) -> [Int] {
    var front: [Int] = []
    for index in order {
      guard let last = front.last else {
        front.append(index)
        continue
      }
      let isTwin = losses[index] == losses[last]
      if isTwin || (losses[index].count == 2 && losses[index][1] < losses[last][1]) { front.append(index) }
    }
    return front
  }

  /// In lexicographic order nothing that follows a point dominates it.
  private static func spatialFront(_ losses: [[Double]], _ order: [Int]) -> [Int] {
    var front: [Int] = []
    for index in order {
      let isDominated = front.contains { other in
        losses[other] != losses[index] && zip(losses[other], losses[index]).allSatisfy { $0 <= $1 }
      }
      if !isDominated { front.append(index) }
    }
    return front
  }
}
