import CKernels

/// One step of a long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000) and its gradient.
///
/// Gates are the sums that the input, forget, cell and output gate act on, `[rows, 4 · hidden]` in this order; states are
/// `[rows, hidden]`. `c' = σ(f) · c + σ(i) · tanh(g)`, `h' = σ(o) · tanh(c')`.
public struct LongShortTermMemory: Sendable {
  public var rows: Int, hidden: Int
  /// Floats from a row to the next; lanes after the last number become zero.
  public var gateStride: Int, stateStride: Int

  public init(rows: Int, hidden: Int, gateStride: Int, stateStride: Int) {
    (self.rows, self.hidden, self.gateStride, self.stateStride) = (rows, hidden, gateStride, stateStride)
  }

  private var job: nr_lstm_job {
    var job = nr_lstm_job()
    (job.rows, job.hidden) = (Int64(rows), Int64(hidden))
    (job.gate_row, job.state_row) = (Int64(gateStride), Int64(stateStride))
    return job
  }

  /// The output h' and the new state c'.
  public func forward(
    gates: UnsafePointer<Float>, state: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    newState: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    var job = self.job
    (job.gates, job.state, job.output, job.new_state) = (gates, state, output, newState)
    compute.kernels.lstm(&job)
  }

  /// The gradients by the gates and by the state before, from those by h' and c'; nil stands for zeros.
  public func backward(
    gates: UnsafePointer<Float>, state: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>?,
    newStateGradient: UnsafePointer<Float>?, gatesGradient: UnsafeMutablePointer<Float>,
    stateGradient: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    var job = self.job
    (job.gates, job.state, job.output_gradient, job.new_state_gradient) =
      (gates, state, outputGradient, newStateGradient)
    (job.gates_gradient, job.state_gradient) = (gatesGradient, stateGradient)
    compute.kernels.lstm_gradient(&job)
  }
}
