import CKernels

// Kernels over flat arrays of parameters.

/// One step of stochastic gradient descent, in the formula of PyTorch's `torch.optim.SGD`.
func sgd(_ pointer: UnsafePointer<nr_sgd_job>) {
  let job = pointer.pointee
  let count = Int(job.count)
  var i = 0
  while i &+ 16 <= count {
    let p = load(job.parameter! + i)
    let g = fused(
      Lanes(repeating: job.weight_decay), p, load(job.gradient! + i) * Lanes(repeating: job.gradient_scale))
    var step = g
    if let buffer = job.momentum_buffer {
      let m = Lanes(repeating: job.momentum)
      let velocity = job.first_step != 0 ? g : fused(m, load(buffer + i), g)
      store(velocity, buffer + i)
      step = job.nesterov != 0 ? fused(m, velocity, g) : velocity
    }
    store(fused(Lanes(repeating: -job.learning_rate), step, p), job.parameter! + i)
    i &+= 16
  }
  while i < count {
    let p = job.parameter![i]
    let g = fused(job.weight_decay, p, job.gradient![i] * job.gradient_scale)
    var step = g
    if let buffer = job.momentum_buffer {
      let velocity = job.first_step != 0 ? g : fused(job.momentum, buffer[i], g)
      buffer[i] = velocity
      step = job.nesterov != 0 ? fused(job.momentum, velocity, g) : velocity
    }
    job.parameter![i] = fused(-job.learning_rate, step, p)
    i &+= 1
  }
}

/// One step of Adam, in the formula of PyTorch's `torch.optim.Adam`.
func adam(_ pointer: UnsafePointer<nr_adam_job>) {
  let job = pointer.pointee, count = Int(job.count)
  var i = 0
  while i &+ 16 <= count {
    adam(job, i, 16)
    i &+= 16
  }
  if i < count { adam(job, i, count &- i) }
}

/// Up to 16 parameters from `i` on.
@inline(__always)
private func adam(_ job: nr_adam_job, _ i: Int, _ lanes: Int) {
  let parameter = loadFirst(job.parameter! + i, lanes) * Lanes(repeating: job.shrink)
  let g = fused(Lanes(repeating: job.decay), parameter, loadFirst(job.gradient! + i, lanes))
  let before = loadFirst(job.mean! + i, lanes)
  let mean = fused(g - before, Lanes(repeating: job.fresh_mean), before)
  let kept = loadFirst(job.square! + i, lanes) * Lanes(repeating: job.kept_square)
  let square = fused(Lanes(repeating: job.fresh_square) * g, g, kept)
  let size = nr_square_root(square) / Lanes(repeating: job.root) + Lanes(repeating: job.epsilon)
  storeFirst(mean, job.mean! + i, lanes)
  storeFirst(square, job.square! + i, lanes)
  storeFirst(fused(Lanes(repeating: -job.step), mean / size, parameter), job.parameter! + i, lanes)
}

/// The sum of products in double precision, as eight interleaved sums added as a tree. A product of two floats is exact
/// in double precision, so a fused multiply-add would change nothing.
func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int64) -> Double {
  let count = Int(count)
  var s = SIMD8<Double>(repeating: 0)
  var i = 0
  while i &+ 8 <= count {
    s += doubles(a + i) * doubles(b + i)
    i &+= 8
  }
  let four = s.lowHalf + s.highHalf
  let two = four.lowHalf + four.highHalf
  var total = two.x + two.y
  while i < count {
    total += Double(a[i]) * Double(b[i])
    i &+= 1
  }
  return total
}

@inline(__always)
private func doubles(_ p: UnsafePointer<Float>) -> SIMD8<Double> {
  SIMD8<Double>(
    Double(p[0]), Double(p[1]), Double(p[2]), Double(p[3]), Double(p[4]), Double(p[5]), Double(p[6]), Double(p[7]))
}
