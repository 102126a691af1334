import CKernels

extension Convolution {
  /// What a convolution reads: an image as it is, or made from it on the way into the kernels' zero-bordered copy, so
  /// that it is never in memory.
  ///
  /// Vectors of channels are padded to `pixelStride` floats, padding lanes zero. The bounds of a clamp include 0. Around
  /// the image is zero, whatever is made of the image.
  public struct Source {
    let job: nr_source

    var isPlain: Bool { job.kind == NR_SOURCE_PLAIN.rawValue }
    var isClamped: Bool { job.kind == NR_SOURCE_CLAMPED.rawValue }

    /// The image, clamped to `low ... high`: (0, ∞) is ReLU. NaN stays NaN.
    public init(_ image: UnsafePointer<Float>, low: Float = -.infinity, high: Float = .infinity) {
      let isPlain = low == -.infinity && high == .infinity
      var job = nr_source()
      job.image = image
      (job.low, job.high) = (low, high)
      job.kind = (isPlain ? NR_SOURCE_PLAIN : NR_SOURCE_CLAMPED).rawValue
      self.job = job
    }

    /// `scale[c] · image + shift[c]`, clamped to `low ... high`: a normalisation and its activation.
    public static func affine(
      _ image: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
      low: Float = -.infinity, high: Float = .infinity
    ) -> Source {
      var job = nr_source()
      (job.image, job.first, job.constant) = (image, scale, shift)
      (job.low, job.high) = (low, high)
      job.kind = NR_SOURCE_AFFINE.rawValue
      return Source(job: job)
    }

    /// `k1[c] · dy + k2[c] · z + k3[c]`: the gradient of a batch normalisation's input z from that of its output, with
    /// the sums over the batch in the three vectors.
    ///
    /// - Parameters:
    ///   - scale: With `shift`, the normalisation itself, when a clamp follows it: dy counts as 0 where
    ///     `low < scale[c] · z + shift[c] < high` doesn't hold.
    public static func normalisationGradient(
      _ dy: UnsafePointer<Float>, _ z: UnsafePointer<Float>, k1: UnsafePointer<Float>, k2: UnsafePointer<Float>,
      k3: UnsafePointer<Float>, scale: UnsafePointer<Float>? = nil, shift: UnsafePointer<Float>? = nil,
      low: Float = 0, high: Float = .infinity
    ) -> Source {
      var job = nr_source()
      (job.image, job.other) = (dy, z)
      (job.first, job.second, job.constant, job.scale, job.shift) = (k1, k2, k3, scale, shift)
      (job.low, job.high) = (low, high)
      job.kind = (scale == nil ? NR_SOURCE_GRADIENT : NR_SOURCE_MASKED_GRADIENT).rawValue
      return Source(job: job)
    }

    private init(job: nr_source) { self.job = job }

    /// The source of one image of the batch, from a channel on.
    func of(image: Int, _ shape: ImageShape, lane: Int = 0) -> nr_source {
      let offset = image * shape.h * shape.w * shape.pixelStride + lane
      var moved = job
      moved.image += offset
      if moved.other != nil { moved.other += offset }
      if moved.first != nil { moved.first += lane }
      if moved.second != nil { moved.second += lane }
      if moved.constant != nil { moved.constant += lane }
      if moved.scale != nil { moved.scale += lane }
      if moved.shift != nil { moved.shift += lane }
      return moved
    }
  }

  /// What becomes of each result before it is written, in the order of the members.
  public struct Epilogue {
    /// Added: dense `[channels]`.
    public var bias: UnsafePointer<Float>?
    /// Laid out like the result, which becomes 0 where `0 < mask < maskHigh` doesn't hold: the gradient of a ReLU (or of a
    /// clamp to `0 ... maskHigh`) with the mask as its input.
    public var mask: UnsafePointer<Float>?
    public var maskHigh: Float = .infinity
    /// Added; laid out like the result, and may be its memory: the results are then accumulated.
    public var addend: UnsafePointer<Float>?
    /// The bounds that the result is clamped to; they include 0. (0, ∞) is ReLU.
    public var low: Float = -.infinity, high: Float = .infinity
    /// Where the mean and the biased variance of each channel over the written results go: dense `[channels]`. Both or
    /// none. They differ from `BatchNormalization.statistics` in rounding only.
    public var mean: UnsafeMutablePointer<Float>?, variance: UnsafeMutablePointer<Float>?
    /// Of an input gradient: the sums over the batch for the normalisation (and clamp) before the convolution, whose
    /// output's gradient the written result is. They differ from `BackwardReduction.run` in rounding only.
    public var reduction: BatchNormalization.BackwardReduction?

    public init() {}

    /// Only a bias, or nothing.
    public init(bias: UnsafePointer<Float>?) { self.bias = bias }

    /// Whether nothing happens but that a bias is added.
    var isBias: Bool { mask == nil && addend == nil && !clamps && mean == nil && reduction == nil }

    var clamps: Bool { low > -.infinity || high < .infinity }
  }

  /// The weights of a convolution: dense `[ky][kx][ci / groups][co]`, or as `prepare` made them.
  public enum Weight {
    case dense(UnsafePointer<Float>)
    case prepared(UnsafePointer<Float>)
  }
}
