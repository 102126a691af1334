import CKernels

// Pooling of one image [height][width][pixel]. Positions outside of the image are never read: each output position
// first cuts its window down to the part inside.

/// The taps of one axis whose positions lie inside of the image.
@inline(__always)
private func insideTaps(_ start: Int, _ dilation: Int, _ size: Int, _ kernel: Int) -> (first: Int, end: Int) {
  let first = start < 0 ? (dilation &- 1 &- start) / dilation : 0
  let end = size > start ? min(kernel, (size &- start &+ dilation &- 1) / dilation) : 0
  return (first, max(first, end))
}

/// The window of one output position: taps inside, and the image position of tap (0, 0).
private struct Window {
  var firstY: Int, endY: Int, firstX: Int, endX: Int
  var y: Int, x: Int

  @inline(__always)
  init(_ job: nr_pool_job, _ outputY: Int, _ outputX: Int) {
    y = outputY &* Int(job.stride_height) &- Int(job.padding_height)
    x = outputX &* Int(job.stride_width) &- Int(job.padding_width)
    (firstY, endY) = insideTaps(y, Int(job.dilation_height), Int(job.height), Int(job.kernel_height))
    (firstX, endX) = insideTaps(x, Int(job.dilation_width), Int(job.width), Int(job.kernel_width))
  }

  /// Where in the image the tap lies, in floats.
  @inline(__always)
  func offset(_ job: nr_pool_job, _ tapY: Int, _ tapX: Int) -> Int {
    let row = y &+ tapY &* Int(job.dilation_height), column = x &+ tapX &* Int(job.dilation_width)
    return (row &* Int(job.width) &+ column) &* Int(job.pixel)
  }

  /// What average pooling multiplies the sum by: the inverse of the size of the window.
  @inline(__always)
  func share(_ job: nr_pool_job) -> Float {
    let inside = (endY &- firstY) &* (endX &- firstX)
    let size = job.count_padding != 0 ? Int(job.kernel_height &* job.kernel_width) : inside
    return size > 0 ? 1 / Float(size) : 0
  }
}

func maxPool(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  let pixel = Int(job.pixel), kernelWidth = Int(job.kernel_width)
  let input = job.input!, output = job.output!
  for outputY in 0..<Int(job.output_height) {
    for outputX in 0..<Int(job.output_width) {
      let window = Window(job, outputY, outputX)
      let target = (outputY &* Int(job.output_width) &+ outputX) &* pixel
      var c = 0
      while c < pixel {
        var best = load(input + (window.offset(job, window.firstY, window.firstX) &+ c))
        var position = SIMD16<Int32>(
          repeating: Int32(truncatingIfNeeded: window.firstY &* kernelWidth &+ window.firstX))
        for tapY in window.firstY..<window.endY {
          for tapX in window.firstX..<window.endX {
            let x = load(input + (window.offset(job, tapY, tapX) &+ c))
            let better = (x .> best) .| (x .!= x)
            let tap = SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: tapY &* kernelWidth &+ tapX))
            best = best.replacing(with: x, where: better)
            position = position.replacing(with: tap, where: better)
          }
        }
        store(best, output + (target &+ c))
        UnsafeMutableRawPointer(job.argmax! + (target &+ c)).storeBytes(of: position, as: SIMD16<Int32>.self)
        c &+= 16
      }
    }
  }
}

func maxPoolGradient(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  let pixel = Int(job.pixel), kernelWidth = Int(job.kernel_width)
  let gradient = job.input!, result = job.output!
  fill(0, result, job.height &* job.width &* job.pixel)
  for outputY in 0..<Int(job.output_height) {
    for outputX in 0..<Int(job.output_width) {
      let window = Window(job, outputY, outputX)
      let source = (outputY &* Int(job.output_width) &+ outputX) &* pixel
      var c = 0
      while c < pixel {
        let g = load(gradient + (source &+ c))
        let position = UnsafeRawPointer(job.argmax! + (source &+ c)).loadUnaligned(as: SIMD16<Int32>.self)
        for tapY in window.firstY..<window.endY {
          for tapX in window.firstX..<window.endX {
            let tap = SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: tapY &* kernelWidth &+ tapX))
            let target = result + (window.offset(job, tapY, tapX) &+ c)
            store(load(target) + Lanes(repeating: 0).replacing(with: g, where: position .== tap), target)
          }
        }
        c &+= 16
      }
    }
  }
}

func averagePool(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  let pixel = Int(job.pixel)
  let input = job.input!, output = job.output!
  for outputY in 0..<Int(job.output_height) {
    for outputX in 0..<Int(job.output_width) {
      let window = Window(job, outputY, outputX)
      let share = Lanes(repeating: window.share(job))
      let target = output + (outputY &* Int(job.output_width) &+ outputX) &* pixel
      var c = 0
      while c < pixel {
        var total = Lanes(repeating: 0)
        for tapY in window.firstY..<window.endY {
          for tapX in window.firstX..<window.endX { total += load(input + (window.offset(job, tapY, tapX) &+ c)) }
        }
        store(total * share, target + c)
        c &+= 16
      }
    }
  }
}

func averagePoolGradient(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  let pixel = Int(job.pixel)
  let gradient = job.input!, result = job.output!
  fill(0, result, job.height &* job.width &* job.pixel)
  for outputY in 0..<Int(job.output_height) {
    for outputX in 0..<Int(job.output_width) {
      let window = Window(job, outputY, outputX)
      let share = Lanes(repeating: window.share(job))
      let source = gradient + (outputY &* Int(job.output_width) &+ outputX) &* pixel
      var c = 0
      while c < pixel {
        let g = load(source + c) * share
        for tapY in window.firstY..<window.endY {
          for tapX in window.firstX..<window.endX {
            let target = result + (window.offset(job, tapY, tapX) &+ c)
            store(load(target) + g, target)
          }
        }
        c &+= 16
      }
    }
  }
}
