import CKernels
import Diagnostics

/// Softmax and the cross-entropy loss on it.
public enum Softmax {
  /// Per-sample losses, and the gradient of their weighted sum.
  ///
  /// With the target distribution q = (1 − smoothing) · one-hot(label) + smoothing / classes (Szegedy and others,
  /// "Rethinking the Inception Architecture", 2016), loss = −Σ q log softmax(logits), and
  /// gradient = (softmax(logits) − q) · gradientScale.
  ///
  /// - Parameters:
  ///   - logits: `[rows, classes]`, `paddedChannels(classes)` floats from a row to the next; likewise `gradient`.
  ///   - labels: `[rows]`, each in `0 ..< classes`.
  ///   - gradientScale: 1 / rows for the mean loss.
  ///   - losses: `[rows]`, overwritten.
  ///   - gradient: Overwritten, padding lanes zero; may be the memory of the logits.
  /// - Throws: A `data` fault that names the first label out of range. Nothing is written then.
  public static func crossEntropy(
    rows: Int, classes: Int, logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, labelSmoothing: Float = 0,
    gradientScale: Float, losses: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    compute: Compute
  ) throws {
    for row in 0..<rows where !(0..<Int32(classes)).contains(labels[row]) {
      throw Fault(
        .data, "label out of range", path: "sample \(row) of the batch", expected: "0 to \(classes - 1)",
        got: "\(labels[row])")
    }
    let width = paddedChannels(classes)
    let share = Double(labelSmoothing) / Double(classes), certain = 1 - Double(labelSmoothing)
    for row in 0..<rows {
      let x = logits + row * width, g = gradient + row * width, label = Int(labels[row])
      let labelLogit = Double(x[label])
      let (highest, total, logitTotal) = exponentials(x, classes, g, compute)
      let logarithm = total.isFinite && total > 0 ? reproducibleLogarithm(total) : .nan
      // 0 · −∞ would be NaN for a masked class.
      let smoothing = share == 0 ? 0 : share * logitTotal, target = certain == 0 ? 0 : certain * labelLogit
      losses[row] = Float(logarithm + highest - target - smoothing)
      let factor = Float(Double(gradientScale) / total)
      compute.kernels.affine(g, Int64(classes), factor, -gradientScale * Float(share))
      g[label] -= gradientScale * Float(certain)
    }
  }

  /// output = the softmax of each row; in place if wanted.
  ///
  /// - Parameter stride: floats from a row to the next in both: `paddedChannels(classes)`, where the padding lanes become
  ///   zero, or `classes`.
  public static func probabilities(
    rows: Int, classes: Int, stride: Int, logits: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    compute: Compute
  ) {
    forEachPiece(rows, stride, compute) { first, count in
      compute.kernels.softmax(
        logits + first * stride, output + first * stride, Int64(count), Int64(classes), Int64(stride))
    }
  }

  /// result = y · (gradient − Σ y · gradient) for each row: the gradient of a softmax from its output; see
  /// `probabilities`. In place of either input if wanted.
  public static func gradient(
    rows: Int, classes: Int, stride: Int, output y: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    result: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    forEachPiece(rows, stride, compute) { first, count in
      compute.kernels.softmax_gradient(
        y + first * stride, outputGradient + first * stride, result + first * stride, Int64(count), Int64(classes),
        Int64(stride))
    }
  }

  /// result = gradient − e^y · Σ gradient for each row: the gradient of a log-softmax from its output; see
  /// `probabilities`. In place of either input if wanted.
  public static func logarithmGradient(
    rows: Int, classes: Int, stride: Int, output y: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    result: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    forEachPiece(rows, stride, compute) { first, count in
      compute.kernels.log_softmax_gradient(
        y + first * stride, outputGradient + first * stride, result + first * stride, Int64(count), Int64(classes),
        Int64(stride))
    }
  }

  private static func forEachPiece(
    _ rows: Int, _ stride: Int, _ compute: Compute, _ body: (_ first: Int, _ count: Int) -> Void
  ) {
    let length = max(1, 32_768 / stride)
    compute.forEachChunk((rows + length - 1) / length) { chunk, _ in
      body(chunk * length, min(length, rows - chunk * length))
    }
  }

  /// output = the logarithm of the softmax of each row, which is not the memory of the logits; see `probabilities`.
  public static func logarithms(
    rows: Int, classes: Int, stride: Int, logits: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    compute: Compute
  ) {
    forEachRow(rows, classes, stride, logits, output) { x, result in
      let (highest, total, _) = exponentials(x, classes, result, compute)
      let logarithm = total.isFinite && total > 0 ? reproducibleLogarithm(total) : .nan
      compute.kernels.unary(NR_SCALE.rawValue, x, 1, Float(-highest - logarithm), result, Int64(classes))
    }
  }

  /// Calls the body with each row and its place in the output, both with room for whole vectors.
  private static func forEachRow(
    _ rows: Int, _ classes: Int, _ stride: Int, _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
    let width = paddedChannels(classes)
    if stride == width {
      for row in 0..<rows { body(input + row * width, output + row * width) }
      return
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * width) { room in
      guard let x = room.baseAddress else { return }
      x.initialize(repeating: 0, count: 2 * width)
      for row in 0..<rows {
        x.update(from: input + row * stride, count: classes)
        body(x, x + width)
        (output + row * stride).update(from: x + width, count: classes)
      }
    }
  }

  /// Exponentials of a row minus its maximum, into the result; the maximum, their sum, and the sum of the logits.
  private static func exponentials(
    _ row: UnsafePointer<Float>, _ classes: Int, _ result: UnsafeMutablePointer<Float>, _ compute: Compute
  ) -> (highest: Double, total: Double, logitTotal: Double) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 3) { out in
      compute.kernels.exponentials(row, Int64(classes), result, out.baseAddress!)
      return (Double(out[0]), Double(out[1]), Double(out[2]))
    }
  }
}
