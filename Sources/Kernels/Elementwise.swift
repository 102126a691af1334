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

func multiply(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int64
) {
  let count = Int(count)
  var i = 0
  while i &+ 16 <= count {
    store(load(a + i) * load(b + i), result + i)
    i &+= 16
  }
  while i < count {
    result[i] = a[i] * b[i]
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

func clamp(_ a: UnsafePointer<Float>, _ high: Float, _ result: UnsafeMutablePointer<Float>, _ count: Int64) {
  let count = Int(count)
  let zero = Lanes(repeating: 0), top = Lanes(repeating: high)
  var i = 0
  while i &+ 16 <= count {
    let x = load(a + i)
    store(x.replacing(with: zero, where: x .< zero).replacing(with: top, where: x .> top), result + i)
    i &+= 16
  }
  while i < count {
    let x = a[i]
    result[i] = x < 0 ? 0 : x > high ? high : x
    i &+= 1
  }
}

func clampGradient(
  _ output: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ high: Float,
  _ result: UnsafeMutablePointer<Float>, _ count: Int64
) {
  let count = Int(count)
  let zero = Lanes(repeating: 0), top = Lanes(repeating: high)
  var i = 0
  while i &+ 16 <= count {
    let y = load(output + i)
    let inside = (y .> zero) .& (y .< top)
    store(zero.replacing(with: load(gradient + i), where: inside), result + i)
    i &+= 16
  }
  while i < count {
    result[i] = output[i] > 0 && output[i] < high ? gradient[i] : 0
    i &+= 1
  }
}
