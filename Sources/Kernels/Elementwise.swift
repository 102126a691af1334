import CKernels

// Elementwise kernels over flat buffers of any length: whole vectors first, then single floats with the same formula.

func fill(_ value: Float, _ result: UnsafeMutablePointer<Float>, _ count: Int64) {
  let count = Int(count)
  var i = 0
  while i &+ 16 <= count {
    store(Lanes(repeating: value), result + i)
    i &+= 16
  }
  while i < count {
    result[i] = value
    i &+= 1
  }
}

func scale(_ a: UnsafePointer<Float>, _ factor: Float, _ result: UnsafeMutablePointer<Float>, _ count: Int64) {
  let count = Int(count)
  var i = 0
  while i &+ 16 <= count {
    store(load(a + i) * Lanes(repeating: factor), result + i)
    i &+= 16
  }
  while i < count {
    result[i] = a[i] * factor
    i &+= 1
  }
}

func accumulate(_ a: UnsafePointer<Float>, _ factor: Float, _ result: UnsafeMutablePointer<Float>, _ count: Int64) {
  let count = Int(count)
  var i = 0
  while i &+ 16 <= count {
    store(fused(Lanes(repeating: factor), load(a + i), load(result + i)), result + i)
    i &+= 16
  }
  while i < count {
    result[i] = fused(factor, a[i], result[i])
    i &+= 1
  }
}

/// Adds the terms in their order.
func sum(
  _ terms: UnsafePointer<UnsafePointer<Float>?>, _ termCount: Int64, _ result: UnsafeMutablePointer<Float>,
  _ count: Int64
) {
  let count = Int(count), termCount = Int(termCount)
  var i = 0
  while i &+ 16 <= count {
    var total = load(terms[0]! + i)
    for term in 1..<termCount { total += load(terms[term]! + i) }
    store(total, result + i)
    i &+= 16
  }
  while i < count {
    var total = terms[0]![i]
    for term in 1..<termCount { total += terms[term]![i] }
    result[i] = total
    i &+= 1
  }
}
