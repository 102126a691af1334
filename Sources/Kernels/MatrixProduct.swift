import CKernels

// Matrix products. A tile of rows times one or two vectors of columns stays in registers while the kernel goes through
// the depth; the left matrix is read in place, by rows or by columns. Per result the products are added in the order of
// the depth, one fused multiply-add each: the size of the tile doesn't change a bit. An operand's 32-bit words hold a number
// in single precision, or two in bfloat16.

/// What the 32-bit words of the operands hold.
protocol ProductTerms {
  /// The sum with the products of two words of 16 lanes.
  static func add(_ x: Lanes, _ w: Lanes, _ sum: Lanes) -> Lanes
}

/// Numbers in single precision.
enum SingleTerms: ProductTerms {
  @inline(__always)
  static func add(_ x: Lanes, _ w: Lanes, _ sum: Lanes) -> Lanes { fused(x, w, sum) }
}

/// One tile of two vectors.
@inline(__always)
private func wideTile<Terms: ProductTerms, let rows: Int>(
  _ terms: Terms.Type,
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
      sums[p] = Terms.add(x, w, sums[p])
      secondSums[p] = Terms.add(x, second, secondSums[p])
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
private func tile<Terms: ProductTerms, let half: Int>(
  _ terms: Terms.Type,
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
    for p in 0..<half { upper[p] = Terms.add(Lanes(repeating: a[p &* aRow]), w, upper[p]) }
    for p in 0..<half { lower[p] = Terms.add(Lanes(repeating: a[(p &+ half) &* aRow]), w, lower[p]) }
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
private func row<Terms: ProductTerms>(
  _ terms: Terms.Type,
  _ job: nr_product_job, _ row: Int, _ aRow: Int, _ aStep: Int, _ mask: LaneBits, _ bounds: ClampBounds
) {
  let result = job.result! + row &* Int(job.result_row)
  var sum = Lanes(repeating: 0)
  if job.accumulates != 0 { sum = load(result) } else if let start = job.start { sum = load(start) }
  if let addend = job.addend { sum += load(addend + row &* Int(job.result_row)) }
  var a = job.a! + row &* aRow, b = job.b!
  for _ in 0..<Int(job.depth) {
    sum = Terms.add(Lanes(repeating: a[0]), load(b), sum)
    a += aStep
    b += Int(job.b_row)
  }
  store(masked(clamped(sum, bounds.low, bounds.high), mask), result)
}

/// One vector of columns: tiles, then what is left of the rows one by one.
@inline(__always)
private func narrow<Terms: ProductTerms>(
  _ terms: Terms.Type,
  _ job: nr_product_job, _ aRow: Int, _ aStep: Int, _ mask: LaneBits, _ bounds: ClampBounds
) {
  let rows = Int(job.rows), zero = Lanes(repeating: 0)
  var r = 0
  while r &+ 2 &* HalfTile.count <= rows {
    tile(terms, job, r, aRow, aStep, mask, bounds, halfTile(zero))
    r &+= 2 &* HalfTile.count
  }
  while r &+ 2 &* SmallHalfTile.count <= rows {
    tile(terms, job, r, aRow, aStep, mask, bounds, smallHalfTile(zero))
    r &+= 2 &* SmallHalfTile.count
  }
  while r < rows {
    row(terms, job, r, aRow, aStep, mask, bounds)
    r &+= 1
  }
}

@inline(__always)
private func wide<Terms: ProductTerms>(
  _ terms: Terms.Type,
  _ job: nr_product_job, _ aRow: Int, _ aStep: Int, _ mask: LaneBits, _ bounds: ClampBounds
) {
  let rows = Int(job.rows), zero = Lanes(repeating: 0)
  var r = 0
  while r &+ WideTile.count <= rows {
    wideTile(terms, job, r, aRow, aStep, mask, bounds, wideTile(zero))
    r &+= WideTile.count
  }
  while r &+ SmallWideTile.count <= rows {
    wideTile(terms, job, r, aRow, aStep, mask, bounds, smallWideTile(zero))
    r &+= SmallWideTile.count
  }
  while r < rows {
    wideTile(terms, job, r, aRow, aStep, mask, bounds, [zero])
    r &+= 1
  }
}

// Functions of their own: in one, the optimiser finds no room for all that belongs into their loops.

@inline(never)
private func wideByRows<Terms: ProductTerms>(
  _ terms: Terms.Type, _ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds
) {
  wide(terms, job, Int(job.a_row), 1, laneMask(lanes), bounds)
}
@inline(never)
private func wideByColumns<Terms: ProductTerms>(
  _ terms: Terms.Type, _ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds
) {
  wide(terms, job, 1, Int(job.a_step), laneMask(lanes), bounds)
}
@inline(never)
private func narrowByRows<Terms: ProductTerms>(
  _ terms: Terms.Type, _ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds
) {
  narrow(terms, job, Int(job.a_row), 1, laneMask(lanes), bounds)
}
@inline(never)
private func narrowByColumns<Terms: ProductTerms>(
  _ terms: Terms.Type, _ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds
) {
  narrow(terms, job, 1, Int(job.a_step), laneMask(lanes), bounds)
}

@inline(__always)
private func narrow<Terms: ProductTerms>(
  _ terms: Terms.Type, _ job: nr_product_job, _ lanes: Int, _ bounds: ClampBounds
) {
  if job.a_step == 1 { narrowByRows(terms, job, lanes, bounds) } else { narrowByColumns(terms, job, lanes, bounds) }
}

/// Both vectors at once where the registers have room, else one after the other.
@inline(__always)
func product<Terms: ProductTerms>(_ terms: Terms.Type, _ pointer: UnsafePointer<nr_product_job>) {
  let job = pointer.pointee, lanes = Int(job.lanes)
  let bounds =
    job.clamps != 0
    ? ClampBounds(job.low, job.high, lanes: 16) : ClampBounds(-Float.infinity, Float.infinity, lanes: 16)
  if lanes <= 16 { return narrow(terms, job, lanes, bounds) }
  if tileVectors == 2 {
    if job.a_step == 1 {
      wideByRows(terms, job, lanes &- 16, bounds)
    } else {
      wideByColumns(terms, job, lanes &- 16, bounds)
    }
    return
  }
  narrow(terms, job, 16, bounds)
  var second = job
  second.b = job.b! + 16
  second.result = job.result! + 16
  if let start = job.start { second.start = start + 16 }
  if let addend = job.addend { second.addend = addend + 16 }
  narrow(terms, second, lanes &- 16, bounds)
}

func product(_ pointer: UnsafePointer<nr_product_job>) { product(SingleTerms.self, pointer) }
