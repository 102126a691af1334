import CKernels

/// Scaled dot-product attention by several heads (Vaswani et al. 2017, section 3.2) and its gradients. One head of one
/// sample after the other: its scores stay in the first-level cache and are never written anywhere else.
///
/// Queries are `[samples, length, width]`, keys and values `[samples, keyLength, width]`, channel-padded; the heads lie
/// side by side along the width. For each head `y = softmax(scale · q kᵀ) v`.
public struct Attention: Sendable {
  public let samples: Int, length: Int, keyLength: Int, width: Int, heads: Int
  /// Whether a token sees itself and those before it alone.
  public let isCausal: Bool
  private let scale: Float
  private let scores: MatrixProduct, mixing: MatrixProduct, byKey: MatrixProduct

  /// `heads` divides `width`; `scale` is 1 / √(width / heads) where nil.
  public init(
    samples: Int, length: Int, keyLength: Int, width: Int, heads: Int, isCausal: Bool, scale: Float? = nil
  ) {
    (self.samples, self.length, self.keyLength, self.width) = (samples, length, keyLength, width)
    (self.heads, self.isCausal) = (heads, isCausal)
    let size = width / heads
    self.scale = scale ?? 1 / Float(size).squareRoot()
    scores = MatrixProduct(rows: length, columns: keyLength, depth: size, transposesRight: true)
    mixing = MatrixProduct(rows: length, columns: size, depth: keyLength)
    byKey = MatrixProduct(rows: keyLength, columns: size, depth: length, transposesLeft: true)
  }

  private var rowStride: Int { paddedChannels(width) }
  private var scoreStride: Int { paddedChannels(keyLength) }
  private var productFloats: Int {
    paddedChannels(max(scores.scratchFloats, max(mixing.scratchFloats, byKey.scratchFloats)))
  }
  private var workerFloats: Int { productFloats + 2 * length * scoreStride }

  /// Floats of scratch that both operations need.
  public func scratchFloats(compute: Compute) -> Int { compute.threads * workerFloats }

  /// The mixed values, `[samples, length, width]`.
  public func forward(
    query: UnsafePointer<Float>, key: UnsafePointer<Float>, value: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    compute.forEachChunk(samples) { sample, worker in
      let products = scratch + worker * workerFloats, weights = products + productFloats
      for head in 0..<heads {
        let q = offset(sample, head, length), k = offset(sample, head, keyLength)
        attend(query + q, key + k, weights, products, compute)
        run(mixing, weights, scoreStride, value + k, output + q, products, compute)
      }
      clearLanes(output + sample * length * rowStride, length)
    }
  }

  /// The gradients of the loss by queries, keys and values, from that by the output.
  public func backward(
    query: UnsafePointer<Float>, key: UnsafePointer<Float>, value: UnsafePointer<Float>,
    outputGradient: UnsafePointer<Float>, queryGradient: UnsafeMutablePointer<Float>,
    keyGradient: UnsafeMutablePointer<Float>, valueGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    compute.forEachChunk(samples) { sample, worker in
      let products = scratch + worker * workerFloats, weights = products + productFloats
      let slopes = weights + length * scoreStride
      for head in 0..<heads {
        let q = offset(sample, head, length), k = offset(sample, head, keyLength)
        attend(query + q, key + k, weights, products, compute)
        run(byKey, weights, scoreStride, outputGradient + q, valueGradient + k, products, compute)
        run(scores, outputGradient + q, rowStride, value + k, slopes, products, compute, resultRow: scoreStride)
        compute.kernels.softmax_gradient(
          weights, slopes, slopes, Int64(length), Int64(keyLength), Int64(scoreStride))
        compute.kernels.scale(slopes, scale, slopes, Int64(length * scoreStride))
        run(mixing, slopes, scoreStride, key + k, queryGradient + q, products, compute)
        run(byKey, slopes, scoreStride, query + q, keyGradient + k, products, compute)
      }
      clearLanes(queryGradient + sample * length * rowStride, length)
      clearLanes(keyGradient + sample * keyLength * rowStride, keyLength)
      clearLanes(valueGradient + sample * keyLength * rowStride, keyLength)
    }
  }

  /// Where a head of a sample begins.
  private func offset(_ sample: Int, _ head: Int, _ rows: Int) -> Int {
    sample * rows * rowStride + head * (width / heads)
  }

  /// The softmax of the scores of one head.
  private func attend(
    _ query: UnsafePointer<Float>, _ key: UnsafePointer<Float>, _ weights: UnsafeMutablePointer<Float>,
    _ products: UnsafeMutablePointer<Float>, _ compute: Compute
  ) {
    run(scores, query, rowStride, key, weights, products, compute, resultRow: scoreStride)
    compute.kernels.scale(weights, scale, weights, Int64(length * scoreStride))
    guard isCausal else {
      compute.kernels.softmax(weights, weights, Int64(length), Int64(keyLength), Int64(scoreStride))
      return
    }
    for row in 0..<length {
      let scores = weights + row * scoreStride
      compute.kernels.softmax(scores, scores, 1, Int64(min(keyLength, row + 1)), Int64(scoreStride))
    }
  }

  private func run(
    _ product: MatrixProduct, _ left: UnsafePointer<Float>, _ leftRow: Int, _ right: UnsafePointer<Float>,
    _ result: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>, _ compute: Compute,
    resultRow: Int? = nil
  ) {
    product.run(
      MatrixProduct.Operands(
        left: left, leftRow: leftRow, right: right, rightRow: rowStride, result: result,
        resultRow: resultRow ?? rowStride), isPart: resultRow == nil, scratch: scratch, compute: compute)
  }

  private func clearLanes(_ rows: UnsafeMutablePointer<Float>, _ count: Int) {
    guard width < rowStride else { return }
    for row in 0..<count { (rows + (row * rowStride + width)).update(repeating: 0, count: rowStride - width) }
  }
}
