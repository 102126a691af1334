import CKernels

// A long short-term memory cell with its four gates: c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c').

/// What the gates let through, at one vector of hidden units.
private struct Gates {
  let input: Lanes, forget: Lanes, cell: Lanes, output: Lanes

  @inline(__always)
  init(_ sums: UnsafePointer<Float>, _ hidden: Int, _ unit: Int) {
    let lanes = hidden &- unit, first = sums + unit
    input = logistic(loadFirst(first, lanes))
    forget = logistic(loadFirst(first + hidden, lanes))
    cell = hyperbolicTangent(loadFirst(first + 2 &* hidden, lanes))
    output = logistic(loadFirst(first + 3 &* hidden, lanes))
  }

  @inline(__always)
  func state(after before: Lanes) -> Lanes { forget * before + input * cell }
}

func lstm(_ pointer: UnsafePointer<nr_lstm_job>) {
  let job = pointer.pointee, hidden = Int(job.hidden)
  for row in 0..<Int(job.rows) {
    let sums = job.gates! + row &* Int(job.gate_row), start = row &* Int(job.state_row)
    var unit = 0
    while unit < hidden {
      let lanes = hidden &- unit, i = start &+ unit
      let gates = Gates(sums, hidden, unit)
      let state = gates.state(after: loadFirst(job.state! + i, lanes))
      storeFirst(state, job.new_state! + i, lanes)
      storeFirst(gates.output * hyperbolicTangent(state), job.output! + i, lanes)
      unit &+= 16
    }
    for lane in hidden..<Int(job.state_row) {
      job.new_state![start &+ lane] = 0
      job.output![start &+ lane] = 0
    }
  }
}

/// The gradients of the gates' sums and of the state before.
func lstmGradient(_ pointer: UnsafePointer<nr_lstm_job>) {
  let job = pointer.pointee, hidden = Int(job.hidden)
  let zero = Lanes(repeating: 0), one = Lanes(repeating: 1)
  for row in 0..<Int(job.rows) {
    let sums = job.gates! + row &* Int(job.gate_row), start = row &* Int(job.state_row)
    let result = job.gates_gradient! + row &* Int(job.gate_row)
    var unit = 0
    while unit < hidden {
      let lanes = hidden &- unit, i = start &+ unit
      let gates = Gates(sums, hidden, unit), before = loadFirst(job.state! + i, lanes)
      let squashed = hyperbolicTangent(gates.state(after: before))
      var dh = zero
      if let gradient = job.output_gradient { dh = loadFirst(gradient + i, lanes) }
      let through = dh * gates.output * fused(-squashed, squashed, one)
      var dc = through
      if let gradient = job.new_state_gradient { dc += loadFirst(gradient + i, lanes) }
      let target = result + unit
      storeFirst(dc * gates.cell * (gates.input * (one - gates.input)), target, lanes)
      storeFirst(dc * before * (gates.forget * (one - gates.forget)), target + hidden, lanes)
      storeFirst(dc * gates.input * fused(-gates.cell, gates.cell, one), target + 2 &* hidden, lanes)
      storeFirst(dh * squashed * (gates.output * (one - gates.output)), target + 3 &* hidden, lanes)
      storeFirst(dc * gates.forget, job.state_gradient! + i, lanes)
      unit &+= 16
    }
    for lane in (4 &* hidden)..<Int(job.gate_row) { result[lane] = 0 }
    for lane in hidden..<Int(job.state_row) { job.state_gradient![start &+ lane] = 0 }
  }
}
