// Products of one row with a matrix that is read in place.

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
