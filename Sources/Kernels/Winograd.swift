import CKernels

// The transforms of Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks", 2016): a tile of 4×4 results from a window of 6×6 source pixels, as 36 products instead of 144.
//
// Polynomials are evaluated at 0, ±5/8, ±3/2 and ∞. Of the points with short binary fractions these lose the fewest
// digits: the error is about twice that of the direct sum, where the usual 0, ±1, ±2, ∞ lose five times as much (see
// Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", 2020).
// All coefficients of the source's and the result's transform are exact in single precision.

@inline(__always) private var a: Float { 0.625 }
@inline(__always) private var b: Float { 1.5 }
@inline(__always) private var a2: Float { a * a }
@inline(__always) private var b2: Float { b * b }

// The weights' factors: the reciprocals of each point's differences to the others.
@inline(__always) private var factor0: Float { 1 / (a2 * b2) }
@inline(__always) private var factorA: Float { 1 / (2 * a2 * (a2 - b2)) }
@inline(__always) private var factorB: Float { 1 / (2 * b2 * (b2 - a2)) }

/// Values at the six points 0, a, -a, b, -b, ∞, or six neighbouring pixels.
private struct Six {
  var v0: Lanes, v1: Lanes, v2: Lanes, v3: Lanes, v4: Lanes, v5: Lanes

  @inline(__always)
  init(_ v0: Lanes, _ v1: Lanes, _ v2: Lanes, _ v3: Lanes, _ v4: Lanes, _ v5: Lanes) {
    (self.v0, self.v1, self.v2, self.v3, self.v4, self.v5) = (v0, v1, v2, v3, v4, v5)
  }

  @inline(__always)
  init(_ p: UnsafePointer<Float>, _ step: Int) {
    self.init(
      load(p), load(p + step), load(p + 2 &* step), load(p + 3 &* step), load(p + 4 &* step), load(p + 5 &* step))
  }

  @inline(__always)
  func write(_ p: UnsafeMutablePointer<Float>, _ step: Int) {
    store(v0, p)
    store(v1, p + step)
    store(v2, p + 2 &* step)
    store(v3, p + 3 &* step)
    store(v4, p + 4 &* step)
    store(v5, p + 5 &* step)
  }
}

private struct Four {
  var v0: Lanes, v1: Lanes, v2: Lanes, v3: Lanes
}

private struct Three {
  var v0: Lanes, v1: Lanes, v2: Lanes
}

@inline(__always)
private func times(_ factor: Float, _ x: Lanes, plus y: Lanes) -> Lanes { fused(Lanes(repeating: factor), x, y) }

/// Six pixels to the six points: the remainders of the polynomial by the others' product.
@inline(__always)
private func source(_ d: Six) -> Six {
  let evenA = times(-b2, d.v2, plus: d.v4), oddA = times(-b2, d.v1, plus: d.v3)
  let evenB = times(-a2, d.v2, plus: d.v4), oddB = times(-a2, d.v1, plus: d.v3)
  return Six(
    times(a2 * b2, d.v0, plus: times(-(a2 + b2), d.v2, plus: d.v4)),
    times(a, oddA, plus: evenA), times(-a, oddA, plus: evenA),
    times(b, oddB, plus: evenB), times(-b, oddB, plus: evenB),
    times(a2 * b2, d.v1, plus: times(-(a2 + b2), d.v3, plus: d.v5)))
}

/// Products at the six points to four results.
@inline(__always)
private func result(_ m: Six) -> Four {
  let sumA = m.v1 + m.v2, sumB = m.v3 + m.v4, differenceA = m.v1 - m.v2, differenceB = m.v3 - m.v4
  return Four(
    v0: m.v0 + sumA + sumB,
    v1: times(a, differenceA, plus: differenceB * Lanes(repeating: b)),
    v2: times(a2, sumA, plus: sumB * Lanes(repeating: b2)),
    v3: times(a2 * a, differenceA, plus: times(b2 * b, differenceB, plus: m.v5)))
}

/// The transpose of `result`: gradients of four results to those of the six products.
@inline(__always)
private func gradient(_ y: Four) -> Six {
  let evenA = times(a2, y.v2, plus: y.v0), oddA = times(a2, y.v3, plus: y.v1)
  let evenB = times(b2, y.v2, plus: y.v0), oddB = times(b2, y.v3, plus: y.v1)
  return Six(
    y.v0, times(a, oddA, plus: evenA), times(-a, oddA, plus: evenA), times(b, oddB, plus: evenB),
    times(-b, oddB, plus: evenB), y.v3)
}

/// Three weights to the six points.
@inline(__always)
private func weight(_ g: Three) -> Six {
  let evenA = times(a2, g.v2, plus: g.v0), evenB = times(b2, g.v2, plus: g.v0)
  let scaleA = Lanes(repeating: factorA), scaleB = Lanes(repeating: factorB)
  return Six(
    g.v0 * Lanes(repeating: factor0), times(a, g.v1, plus: evenA) * scaleA, times(-a, g.v1, plus: evenA) * scaleA,
    times(b, g.v1, plus: evenB) * scaleB, times(-b, g.v1, plus: evenB) * scaleB, g.v2)
}

/// The transpose of `weight`: gradients at the six points to those of three weights.
@inline(__always)
private func weightGradient(_ u: Six) -> Three {
  let sumA = (u.v1 + u.v2) * Lanes(repeating: factorA), sumB = (u.v3 + u.v4) * Lanes(repeating: factorB)
  let differenceA = (u.v1 - u.v2) * Lanes(repeating: factorA)
  let differenceB = (u.v3 - u.v4) * Lanes(repeating: factorB)
  return Three(
    v0: times(factor0, u.v0, plus: sumA + sumB), v1: times(a, differenceA, plus: differenceB * Lanes(repeating: b)),
    v2: times(a2, sumA, plus: times(b2, sumB, plus: u.v5)))
}

/// Windows of a zero-bordered source to the 36 points, row by row of tiles: all columns first, because neighbouring
/// windows share two of them.
func winogradSource(_ pointer: UnsafePointer<nr_winograd_job>) {
  let job = pointer.pointee
  let row = Int(job.row), point = Int(job.point), columns = 4 &* Int(job.tile_columns) &+ 2, line = columns &* 16
  for block in 0..<Int(job.blocks) {
    for tileRow in 0..<Int(job.tile_rows) {
      let window = job.pixels! + (block &* Int(job.plane) &+ tileRow &* 4 &* row)
      for column in 0..<columns {
        source(Six(window + column &* 16, row)).write(job.scratch! + column &* 16, line)
      }
      var target = job.points! + (block &* Int(job.block) &+ tileRow &* Int(job.tile_columns) &* 16)
      for tile in 0..<Int(job.tile_columns) {
        let part = job.scratch! + tile &* 64
        for y in 0..<6 { source(Six(part + y &* line, 16)).write(target + y &* 6 &* point, point) }
        target += 16
      }
    }
  }
}

/// Sums at the 36 points to results, plus the bias.
func winogradResult(_ pointer: UnsafePointer<nr_winograd_job>) {
  let job = pointer.pointee
  let point = Int(job.point), bias = load(job.bias!), temporary = job.scratch!, pixel = Int(job.pixel)
  var part = UnsafePointer(job.points!)
  for tileRow in 0..<Int(job.tile_rows) {
    let rows = min(4, Int(job.rows) &- 4 &* tileRow)
    for tileColumn in 0..<Int(job.tile_columns) {
      for x in 0..<6 {
        let column = result(Six(part + x &* point, 6 &* point))
        store(column.v0, temporary + x &* 16)
        store(column.v1, temporary + (6 &+ x) &* 16)
        store(column.v2, temporary + (12 &+ x) &* 16)
        store(column.v3, temporary + (18 &+ x) &* 16)
      }
      let target =
        UnsafeMutablePointer(mutating: job.pixels!) + (tileRow &* 4 &* Int(job.row) &+ tileColumn &* 4 &* pixel)
      let columns = min(4, Int(job.columns) &- 4 &* tileColumn)
      for y in 0..<rows {
        let line = result(Six(temporary + y &* 96, 16)), place = target + y &* Int(job.row)
        store(line.v0 + bias, place)
        if columns > 1 { store(line.v1 + bias, place + pixel) }
        if columns > 2 { store(line.v2 + bias, place + 2 &* pixel) }
        if columns > 3 { store(line.v3 + bias, place + 3 &* pixel) }
      }
      part += Int(job.tile)
    }
  }
}

/// Tiles of an output gradient, 16 floats from a pixel to the next, to the 36 points.
func winogradGradient(_ pointer: UnsafePointer<nr_winograd_job>) {
  let job = pointer.pointee
  let row = Int(job.row), point = Int(job.point), temporary = job.scratch!
  for block in 0..<Int(job.blocks) {
    var target = job.points! + block &* Int(job.block)
    for tileRow in 0..<Int(job.tile_rows) {
      for tileColumn in 0..<Int(job.tile_columns) {
        let tile = job.pixels! + (block &* Int(job.plane) &+ tileRow &* 4 &* row &+ tileColumn &* 64)
        for x in 0..<4 { gradient(four(tile + x &* 16, row)).write(temporary + x &* 16, 64) }
        for y in 0..<6 { gradient(four(temporary + y &* 64, 16)).write(target + y &* 6 &* point, point) }
        target += 16
      }
    }
  }
}

@inline(__always)
private func four(_ p: UnsafePointer<Float>, _ step: Int) -> Four {
  Four(v0: load(p), v1: load(p + step), v2: load(p + 2 &* step), v3: load(p + 3 &* step))
}

@inline(__always)
private func three(_ p: UnsafePointer<Float>, _ step: Int) -> Three {
  Three(v0: load(p), v1: load(p + step), v2: load(p + 2 &* step))
}

/// Packed weights `[9][count]` to the 36 points `[36][point]`, `count` a number of whole vectors.
func winogradWeight(
  _ packed: UnsafePointer<Float>, _ count: Int64, _ points: UnsafeMutablePointer<Float>, _ point: Int64
) {
  let count = Int(count), point = Int(point), line = 6 &* point
  var i = 0
  while i < count {
    let left = weight(three(packed + i, 3 &* count)), middle = weight(three(packed + (i &+ count), 3 &* count))
    let right = weight(three(packed + (i &+ 2 &* count), 3 &* count)), target = points + i
    weight(Three(v0: left.v0, v1: middle.v0, v2: right.v0)).write(target, point)
    weight(Three(v0: left.v1, v1: middle.v1, v2: right.v1)).write(target + line, point)
    weight(Three(v0: left.v2, v1: middle.v2, v2: right.v2)).write(target + 2 &* line, point)
    weight(Three(v0: left.v3, v1: middle.v3, v2: right.v3)).write(target + 3 &* line, point)
    weight(Three(v0: left.v4, v1: middle.v4, v2: right.v4)).write(target + 4 &* line, point)
    weight(Three(v0: left.v5, v1: middle.v5, v2: right.v5)).write(target + 5 &* line, point)
    i &+= 16
  }
}

/// Gradients at the 36 points `[36][point]` to those of packed weights `[9][count]`.
func winogradWeightGradient(
  _ points: UnsafePointer<Float>, _ count: Int64, _ point: Int64, _ packed: UnsafeMutablePointer<Float>
) {
  let count = Int(count), point = Int(point), step = 6 &* point
  var i = 0
  while i < count {
    let p = points + i
    let c0 = weightGradient(Six(p, step)), c1 = weightGradient(Six(p + point, step))
    let c2 = weightGradient(Six(p + 2 &* point, step)), c3 = weightGradient(Six(p + 3 &* point, step))
    let c4 = weightGradient(Six(p + 4 &* point, step)), c5 = weightGradient(Six(p + 5 &* point, step))
    write(weightGradient(Six(c0.v0, c1.v0, c2.v0, c3.v0, c4.v0, c5.v0)), packed + i, count)
    write(weightGradient(Six(c0.v1, c1.v1, c2.v1, c3.v1, c4.v1, c5.v1)), packed + (i &+ 3 &* count), count)
    write(weightGradient(Six(c0.v2, c1.v2, c2.v2, c3.v2, c4.v2, c5.v2)), packed + (i &+ 6 &* count), count)
    i &+= 16
  }
}

@inline(__always)
private func write(_ values: Three, _ p: UnsafeMutablePointer<Float>, _ step: Int) {
  store(values.v0, p)
  store(values.v1, p + step)
  store(values.v2, p + 2 &* step)
}
