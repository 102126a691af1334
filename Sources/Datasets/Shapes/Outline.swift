/// The classes of the set "shapes", as signed distances: negative inside, in units of the shape's radius.
///
/// Only +, -, ·, / and square roots are used, here and in all of the drawing: IEEE 754 rounds them the same everywhere,
/// so the pixels are the same on every machine.
enum Outline: Int, CaseIterable {
  case circle, triangle, square, star, cross, arrow, corner, hourglass, crescent, semicircle

  var name: String { "\(self)" }

  /// The signed distance of a point to the outline.
  func distance(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .circle: return Self.disc(x, y, radius: 0.88)
    case .semicircle: return max(Self.disc(x, y + 0.35, radius: 1), -0.35 - y)
    case .crescent: return max(Self.disc(x, y, radius: 1), -Self.disc(x - 0.55, y, radius: 0.85))
    default: return Self.polygons[rawValue].distance(x, y)
    }
  }

  private static func disc(_ x: Double, _ y: Double, radius: Double) -> Double {
    (x * x + y * y).squareRoot() - radius
  }

  private static let polygons = allCases.map { Polygon(corners: $0.corners) }

  private var corners: [(Double, Double)] {
    switch self {
    case .triangle: [(0, -1.05), (0.91, 0.525), (-0.91, 0.525)]
    case .square: [(-0.76, -0.76), (0.76, -0.76), (0.76, 0.76), (-0.76, 0.76)]
    case .star:
      [
        (0, -1.1), (0.247, -0.34), (1.046, -0.34), (0.4, 0.13), (0.647, 0.89), (0, 0.42), (-0.647, 0.89),
        (-0.4, 0.13), (-1.046, -0.34), (-0.247, -0.34),
      ]
    case .cross:
      [
        (-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3), (0.3, 1), (-0.3, 1), (-0.3, 0.3),
        (-1, 0.3), (-1, -0.3), (-0.3, -0.3),
      ]
    case .arrow: [(0, -1.1), (0.8, -0.1), (0.28, -0.1), (0.28, 1), (-0.28, 1), (-0.28, -0.1), (-0.8, -0.1)]
    case .corner: [(-0.8, -0.9), (-0.2, -0.9), (-0.2, 0.3), (0.9, 0.3), (0.9, 0.9), (-0.8, 0.9)]
    case .hourglass: [(-0.75, -0.95), (0.75, -0.95), (0.14, 0), (0.75, 0.95), (-0.75, 0.95), (-0.14, 0)]
    case .circle, .crescent, .semicircle: []
    }
  }
}

/// A closed polygon.
private struct Polygon {
  private struct Edge {
    let x, y, dx, dy, inverseLength2: Double
  }
  private let edges: [Edge]

  init(corners: [(Double, Double)]) {
    edges = corners.indices.map { index in
      let (x, y) = corners[index], (endX, endY) = corners[(index + 1) % corners.count]
      let dx = endX - x, dy = endY - y
      return Edge(x: x, y: y, dx: dx, dy: dy, inverseLength2: 1 / (dx * dx + dy * dy))
    }
  }

  /// The distance to the nearest edge, negative where a ray crosses the edges an odd number of times.
  func distance(_ x: Double, _ y: Double) -> Double {
    var nearest = Double.infinity
    var isInside = false
    for edge in edges {
      let px = x - edge.x, py = y - edge.y
      let along = min(1, max(0, (px * edge.dx + py * edge.dy) * edge.inverseLength2))
      let offX = px - along * edge.dx, offY = py - along * edge.dy
      nearest = min(nearest, offX * offX + offY * offY)
      let isBelow = py >= 0, endIsBelow = py - edge.dy >= 0
      if isBelow != endIsBelow, (px * edge.dy - py * edge.dx > 0) == (edge.dy > 0) { isInside.toggle() }
    }
    return isInside ? -nearest.squareRoot() : nearest.squareRoot()
  }
}
