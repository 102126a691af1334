import TensorCore
import Testing

/// Results of more than 16 MiB are written around the caches; those of half the batch are not.
@Suite struct StreamedResultsTests {
  static let cases = [
    Case(n: 2, h: 210, w: 206, ci: 40, co: 40, g: 40), Case(n: 2, h: 211, w: 207, ci: 3, co: 34, k: 1, p: 0),
    Case(n: 2, h: 363, w: 365, ci: 16, co: 16), Case(n: 2, h: 300, w: 233, ci: 17, co: 31, k: 1, p: 0),
  ]

  /// Numbers without a pattern that a kernel could share; padding lanes zero.
  private func buffer(_ shape: ImageShape, _ seed: Int) -> GuardedBuffer {
    let buffer = GuardedBuffer(count: shape.floats, value: 0), width = shape.pixelStride
    for row in 0..<shape.rows {
      for channel in 0..<shape.c {
        buffer.pointer[row * width + channel] = Float((row * 31 + channel * 7 + seed) * 7919 % 1013) / 506 - 1
      }
    }
    return buffer
  }

  /// The operands of a convolution and its gradients over a batch.
  private struct Operands {
    let g: ConvolutionGeometry
    let x: GuardedBuffer, dy: GuardedBuffer, mask: GuardedBuffer, addend: GuardedBuffer, w: GuardedBuffer
  }

  private func operands(_ example: Case) throws -> Operands {
    let g = try example.geometry()
    return Operands(
      g: g, x: buffer(g.input, 1), dy: buffer(g.output, 2), mask: buffer(g.input, 3), addend: buffer(g.input, 4),
      w: GuardedBuffer((0..<g.weightCount).map { Float($0 * 7919 % 1013) / 506 - 1 }))
  }

  /// Output, and the mean and the variance, of some images.
  private func forward(_ all: Operands, images: Range<Int>, _ compute: Compute) throws -> [GuardedBuffer] {
    let g = try all.g.batch(images.count), first = images.lowerBound * all.g.input.floats / all.g.batch
    let y = GuardedBuffer(count: g.output.floats)
    let statistics = [GuardedBuffer(count: g.outputChannels), GuardedBuffer(count: g.outputChannels)]
    let scratch = GuardedBuffer(count: Convolution.scratchFloats(g, compute: compute))
    var epilogue = Convolution.Epilogue()
    (epilogue.mean, epilogue.variance, epilogue.high) = (statistics[0].pointer, statistics[1].pointer, 1)
    Convolution.forward(
      g, input: Convolution.Source(all.x.pointer + first), weight: .dense(all.w.pointer), epilogue: epilogue,
      output: y.pointer, scratch: scratch.pointer, compute: compute)
    return [y] + statistics
  }

  /// The input gradient of some images, and the gradients of factors and shifts of a normalisation before them.
  private func gradients(_ all: Operands, images: Range<Int>, _ compute: Compute) throws -> [GuardedBuffer] {
    let g = try all.g.batch(images.count), channels = g.inputChannels
    let first = images.lowerBound * all.g.input.floats / all.g.batch
    let dx = GuardedBuffer(count: g.input.floats), dw = GuardedBuffer(count: g.weightCount)
    let ones = GuardedBuffer(count: channels, value: 1), zeros = GuardedBuffer(count: channels, value: 0)
    let sums = [GuardedBuffer(count: channels), GuardedBuffer(count: channels)]
    let storage = GuardedBuffer(count: BatchNormalization.GradientCoefficients.storageFloats(channels: channels))
    let vectors = GuardedBuffer(count: BatchNormalization.scratchFloats(channels: channels))
    let scratch = GuardedBuffer(count: Convolution.scratchFloats(g, compute: compute))
    var epilogue = Convolution.Epilogue()
    (epilogue.mask, epilogue.addend) = (
      UnsafePointer(all.mask.pointer + first), UnsafePointer(all.addend.pointer + first)
    )
    epilogue.reduction = BatchNormalization.BackwardReduction(
      rows: g.input.rows, channels: channels, input: all.x.pointer + first, mean: zeros.pointer,
      variance: ones.pointer, epsilon: 0, gamma: nil, beta: nil, statisticsDependOnInput: true, clamp: (-0.5, 0.5),
      coefficients: BatchNormalization.GradientCoefficients(channels: channels, storage: storage.pointer),
      gammaGradient: sums[0].pointer, betaGradient: sums[1].pointer, scratch: vectors.pointer)
    withExtendedLifetime((ones, zeros, storage, vectors)) {
      Convolution.gradients(
        g, input: Convolution.Source(all.x.pointer + first),
        outputGradient: Convolution.Source(all.dy.pointer + images.lowerBound * all.g.output.floats / all.g.batch),
        weight: all.w.pointer, epilogue: epilogue, inputGradient: dx.pointer, weightGradient: dw.pointer,
        scratch: scratch.pointer, compute: compute)
    }
    return [dx] + sums
  }

  /// The sums of `1` and of x over masked rows, in double precision.
  private func reductions(_ dx: GuardedBuffer, _ x: GuardedBuffer, channels: Int) -> [Double] {
    var products = [Double](repeating: 0, count: channels), sums = products
    let width = paddedChannels(channels)
    for start in stride(from: 0, to: dx.count, by: width) {
      for channel in 0..<channels where abs(x.pointer[start + channel]) < 0.5 {
        sums[channel] += Double(dx.pointer[start + channel])
        products[channel] += Double(dx.pointer[start + channel]) * Double(x.pointer[start + channel])
      }
    }
    return products + sums
  }

  private func statistics(_ y: GuardedBuffer, channels: Int) -> [Double] {
    var sums = [Double](repeating: 0, count: channels), squares = sums
    let width = paddedChannels(channels), rows = Double(y.count / width)
    for start in stride(from: 0, to: y.count, by: width) {
      for channel in 0..<channels {
        let value = Double(y.pointer[start + channel])
        sums[channel] += value
        squares[channel] += value * value
      }
    }
    return sums.map { $0 / rows } + zip(sums, squares).map { $1 / rows - ($0 / rows) * ($0 / rows) }
  }

  private func sameBits(_ whole: GuardedBuffer, _ parts: [GuardedBuffer]) -> Bool {
    var first = 0
    for part in parts {
      for index in 0..<part.count where whole.pointer[first + index] != part.pointer[index] { return false }
      first += part.count
    }
    return first == whole.count
  }

  @Test(arguments: cases)
  func haveTheBitsOfThoseThatAreNot(example: Case) throws {
    let all = try operands(example)
    for compute in try allComputes() {
      let y = try forward(all, images: 0..<2, compute)
      let halves = try [0..<1, 1..<2].map { try forward(all, images: $0, compute)[0] }
      #expect(sameBits(y[0], halves), label(compute))
      let statistics = statistics(y[0], channels: all.g.outputChannels)
      #expect(worstError(y[1].values + y[2].values, statistics) < 1e-6, label(compute))

      let dx = try gradients(all, images: 0..<2, compute)
      let parts = try [0..<1, 1..<2].map { try gradients(all, images: $0, compute)[0] }
      #expect(sameBits(dx[0], parts), label(compute))
      let sums = reductions(dx[0], all.x, channels: all.g.inputChannels)
      #expect(worstError(dx[1].values + dx[2].values, sums) < 1e-5, label(compute))
    }
  }
}

extension ConvolutionGeometry {
  /// The same for another number of images.
  fileprivate func batch(_ count: Int) throws -> ConvolutionGeometry {
    try ConvolutionGeometry(
      batch: count, inputHeight: inputHeight, inputWidth: inputWidth, inputChannels: inputChannels,
      outputChannels: outputChannels, kernel: kernel, stride: stride, padding: padding, dilation: dilation,
      groups: groups)
  }
}
