import CKernels

// Matrix products. A tile of rows times one or two vectors of columns stays in registers while the kernel goes through
// the depth; the left matrix is read in place, by rows or by columns. Per result the products are added in the order of
// the depth, one fused multiply-add each: the size of the tile doesn't change a bit.

/// One tile of two vectors.
@inline(__always)
private func wideTile<let rows: Int>(
  _ job: nr_product_job, _ row: Int, _ aRow: Int, _ aStep: Int, _ mask: LaneBits, _ bounds: ClampBounds,
  _ zeros: InlineArray<rows, Lanes>
) {
  var sums = zeros, secondSums = zeros
  let result = job.result! + row &* Int(job.result_row)
  let distance = Int(job.result_row), bRow = Int(job.b_row)
  if job.accumulates != 0 {
    for p in 0..<rows {
      sums[p] = load(result + p &* distance)
      secondSums[p] = load(result + (p &* distance &+ 16))
    }
  } else if let start = job.start {
    let first = load(start), second = load(start + 16)
    for p in 0..<rows { (sums[p], secondSums[p]) = (first, second) }
  }
  if let addend = job.addend {
    let first = addend + row &* distance
    for p in 0..<rows {
      sums[p] += load(first + p &* distance)
      secondSums[p] += load(first + (p &* distance &+ 16))
    }
  }
  var a = job.a! + row &* aRow, b = job.b!
  for _ in 0..<Int(job.depth) {
    let w = load(b), second = load(b + 16)
    for p in 0..<rows {
      let x = Lanes(repeating: a[p &* aRow])
      sums[p] = fused(x, w, sums[p])
      secondSums[p] = fused(x, second, secondSums[p])
    }
    a += aStep
    b += bRow
  }
  for p in 0..<rows {
    store(clamped(sums[p], bounds.low, bounds.high), result + p &* distance)
    store(masked(clamped(secondSums[p], bounds.low, bounds.high), mask), result + (p &* distance &+ 16))
  }
}

/// One tile of one vector, in two halves: the optimiser keeps arrays of up to 8 vectors in registers, but not of 16.
@inline(__always)
private func tile<let half: Int>(
  _ job: nr_product_job, _ row: Int, _ aRow: Int, _ aStep: Int, _ mask: LaneBits, _ bounds: ClampBounds,
  _ zeros: InlineArray<half, Lanes>
) {
  var upper = zeros, lower = zeros
  let distance = Int(job.result_row), bRow = Int(job.b_row)
  let result = job.result! + row &* distance
  if job.accumulates != 0 {
    for p in 0..<half {
      upper[p] = load(result + p &* distance)
      lower[p] = load(result + (p &+ half) &* distance)
    }
  } else if let start = job.start {
    let first = load(start)
    for p in 0..<half { (upper[p], lower[p]) = (first, first) }
  }
  if let addend = job.addend {
    let first = addend + row &* distance
    for p in 0..<half {
      upper[p] += load(first + p &* distance)
      lower[p] += load(first + (p &+ half) &* distance)
    }
  }
  var a = job.a! + row &* aRow, b = job.b!
  for _ in 0..<Int(job.depth) {
    let w = load(b)
    for p in 0..<half { upper[p] = fused(Lanes(repeating: a[p &* aRow]), w, upper[p]) }
    for p in 0..<half { lower[p] = fused(Lanes(repeating: a[(p &+ half) &* aRow]), w, lower[p]) }
    a += aStep
    b += bRow
  }
  for p in 0..<half {
    store(masked(clamped(upper[p], bounds.low, bounds.high), mask), result + p &* distance)
    store(masked(clamped(lower[p], bounds.low, bounds.high), mask), result + (p &+ half) &* distance)
  }
}

/// One row of one vector.
@inline(__always)
private func row(
  _ job: nr_product_job, _ row: Int, _ aRow: Int, _ aStep: Int, _ mask: LaneBits, _ bounds: ClampBounds
) {
  let result = job.result! + row &* Int(job.result_row)
  var sum = Lanes(repeating: 0)
  if job.accumulates != 0 { sum = load(result) } else if let start = job.start { sum = load(start) }
  if let addend = job.addend { sum += load(addend + row &* Int(job.result_row)) }
  var a = job.a! + row &* aRow, b = job.b!
  for _ in 0..<Int(job.depth) {
    sum = fused(Lanes(repeating: a[0]), load(b), sum)
    a += aStep
    b += Int(job.b_row)
  }
  store(masked(clamped(sum, bounds.low, bounds.high), mask), result)
}

/// One vector of columns: tiles, then what is left of the rows one by one.
@inline(__always)
private func narrow(
  _ job: nr_product_job, _ aRow: Int, _ aStep: Int, _ mask: LaneBits, _ bounds: ClampBounds
) {
  let rows = Int(job.rows), zero = Lanes(repeating: 0)
  var r = 0
  while r &+ 2 &* HalfTile.count <= rows {
    tile(job, r, aRow, aStep, mask, bounds, halfTile(zero))
    r &+= 2 &* HalfTile.count
  }
  while r &+ 2 &* SmallHalfTile.count <= rows {
    tile(job, r, aRow, aStep, mask, bounds, smallHalfTile(zero))
    r &+= 2 &* SmallHalfTile.count
  }
  while r < rows {
    row(job, r, aRow, aStep, mask, bounds)
    r &+= 1
  }
}

@inline(__always)
private func wide(
  _ job: nr_product_job, _ aRow: Int, _ aStep: Int, _ mask: LaneBits, _ bounds: ClampBounds
) {
  let rows = Int(job.rows), zero = Lanes(repeating: 0)
  var r = 0
  while r &+ WideTile.count <= rows {
    wideTile(job, r, aRow, aStep, mask, bounds, wideTile(zero))
    r &+= WideTile.count
  }
  while r &+ SmallWideTile.count <= rows {
    wideTile(job, r, aRow, aStep, mask, bounds, smallWideTile(zero))
    r &+= SmallWideTile.count
  }
  while r < rows {
    wideTile(job, r, aRow, aStep, mask, bounds, [zero])
    r &+= 1
  }
}

// Functions of their own: in one, the optimiser finds no room for all that belongs into their loops.

@inline(never) private func wideByRows(_ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds) {
  wide(job, Int(job.a_row), 1, laneMask(lanes), bounds)
}
@inline(never) private func wideByColumns(_ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds) {
  wide(job, 1, Int(job.a_step), laneMask(lanes), bounds)
}
@inline(never) private func narrowByRows(_ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds) {
  narrow(job, Int(job.a_row), 1, laneMask(lanes), bounds)
}
@inline(never) private func narrowByColumns(_ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds) {
  narrow(job, 1, Int(job.a_step), laneMask(lanes), bounds)
}

@inline(__always)
private func narrow(_ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds) {
  if job.a_step == 1 { narrowByRows(job, lanes, bounds) } else { narrowByColumns(job, lanes, bounds) }
}

/// Both vectors at once where the registers have room, else one after the other.
func product(_ pointer: UnsafePointer<nr_product_job>) {
  let job = pointer.pointee, lanes = Int(job.lanes)
  let bounds =
    job.clamps != 0
    ? ClampBounds(job.low, job.high, lanes: 16) : ClampBounds(-Float.infinity, Float.infinity, lanes: 16)
  if lanes <= 16 { return narrow(job, lanes, bounds) }
  if tileVectors == 2 {
    if job.a_step == 1 { wideByRows(job, lanes &- 16, bounds) } else { wideByColumns(job, lanes &- 16, bounds) }
    return
  }
  narrow(job, 16, bounds)
  var second = job
  second.b = job.b! + 16
  second.result = job.result! + 16
  if let start = job.start { second.start = start + 16 }
  if let addend = job.addend { second.addend = addend + 16 }
  narrow(second, lanes &- 16, bounds)
}

// MARK: - One row

/// Some vectors of columns of one row, three times as many as `zeros`: all read together, in the order of the memory.
@inline(__always)
private func rowBlock<let third: Int>(
  _ a: UnsafePointer<Float>, _ depth: Int, _ b: UnsafePointer<Float>, _ bRow: Int,
  _ result: UnsafeMutablePointer<Float>, _ zeros: InlineArray<third, Lanes>
) {
  var first = zeros, second = zeros, last = zeros
  var values = b
  for k in 0..<depth {
    let x = Lanes(repeating: a[k])
    for v in 0..<third { first[v] = fused(x, load(values + v &* 16), first[v]) }
    for v in 0..<third { second[v] = fused(x, load(values + (third &+ v) &* 16), second[v]) }
    for v in 0..<third { last[v] = fused(x, load(values + (2 &* third &+ v) &* 16), last[v]) }
    values += bRow
  }
  for v in 0..<third {
    store(first[v], result + v &* 16)
    store(second[v], result + (third &+ v) &* 16)
    store(last[v], result + (2 &* third &+ v) &* 16)
  }
}

/// result[column] = the sum over k of a[k] * b[k][column]: as many vectors of columns at a time as there are registers.
func rowProduct(
  _ a: UnsafePointer<Float>, _ depth: Int64, _ b: UnsafePointer<Float>, _ bRow: Int64,
  _ result: UnsafeMutablePointer<Float>, _ columns: Int64
) {
  let columns = Int(columns), depth = Int(depth), bRow = Int(bRow), zero = Lanes(repeating: 0)
  var c = 0
  while tileVectors == 2, c &+ 384 <= columns {
    rowBlock(a, depth, b + c, bRow, result + c, [zero, zero, zero, zero, zero, zero, zero, zero])
    c &+= 384
  }
  while c &+ 96 <= columns {
    rowBlock(a, depth, b + c, bRow, result + c, [zero, zero])
    c &+= 96
  }
  while c &+ 16 <= columns {
    var sum = zero
    var values = b + c
    for k in 0..<depth {
      sum = fused(Lanes(repeating: a[k]), load(values), sum)
      values += bRow
    }
    store(sum, result + c)
    c &+= 16
  }
  while c < columns {
    var sum: Float = 0
    for k in 0..<depth { sum = fused(a[k], b[k &* bRow &+ c], sum) }
    result[c] = sum
    c &+= 1
  }
}

/// The sums of the lanes of four vectors, each as `laneSum` has it.
@inline(__always)
private func laneSums(_ sums: InlineArray<4, Lanes>) -> SIMD4<Float> {
  var x = SIMD4<Float>(repeating: 0), y = x, z = x, w = x
  for p in 0..<4 {
    let eight = sums[p].lowHalf + sums[p].highHalf, four = eight.lowHalf + eight.highHalf
    (x[p], y[p], z[p], w[p]) = (four.x, four.y, four.z, four.w)
  }
  return (x + z) + (y + w)
}

/// result[row] = the sum over k of a[k] * b[row][k], in 16 lane sums, k modulo 16, that are added as a tree.
func rowDots(
  _ a: UnsafePointer<Float>, _ depth: Int64, _ b: UnsafePointer<Float>, _ bRow: Int64,
  _ result: UnsafeMutablePointer<Float>, _ rows: Int64
) {
  let depth = Int(depth), bRow = Int(bRow), rows = Int(rows), zero = Lanes(repeating: 0)
  var r = 0
  while r &+ 4 <= rows {
    let first = b + r &* bRow
    var sums: InlineArray<4, Lanes> = [zero, zero, zero, zero]
    var k = 0
    while k &+ 16 <= depth {
      let x = load(a + k)
      for p in 0..<4 { sums[p] = fused(x, load(first + (p &* bRow &+ k)), sums[p]) }
      k &+= 16
    }
    if k < depth {
      let x = loadFirst(a + k, depth &- k)
      for p in 0..<4 { sums[p] = fused(x, loadFirst(first + (p &* bRow &+ k), depth &- k), sums[p]) }
    }
    UnsafeMutableRawPointer(result + r).storeBytes(of: laneSums(sums), as: SIMD4<Float>.self)
    r &+= 4
  }
  while r < rows {
    result[r] = laneDot(a, b + r &* bRow, depth)
    r &+= 1
  }
}
