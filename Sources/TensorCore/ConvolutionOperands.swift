import CKernels

/// What all units of a convolution work on: the source, and what its workers share in scratch.
struct ConvolutionOperands {
  let source: Convolution.Source, prepared: UnsafePointer<Float>, bias: UnsafePointer<Float>
  let results: ConvolutionResults

  /// Puts what the workers share into scratch: prepared weights where they aren't given, the bias, moments.
  ///
  /// - Parameters:
  ///   - shape: of the result.
  ///   - biasFloats: of the bias with the zeros that kernels may read behind it.
  ///   - prepare: writes `preparedFloats` from dense weights.
  init(
    source: Convolution.Source, weight: Convolution.Weight, epilogue: Convolution.Epilogue, shape: ImageShape,
    result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, preparedFloats: Int, biasFloats: Int,
    kernels: nr_kernels, prepare: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
    self.source = source
    switch weight {
    case .prepared(let given): prepared = given
    case .dense(let dense):
      prepare(dense, scratch)
      prepared = UnsafePointer(scratch)
    }
    let bias = scratch + preparedFloats
    bias.update(repeating: 0, count: biasFloats)
    if let given = epilogue.bias { bias.update(from: given, count: shape.c) }
    self.bias = UnsafePointer(bias)
    results = ConvolutionResults(
      shape: shape, result: result, epilogue: epilogue, moments: bias + biasFloats, kernels: kernels)
  }
}
