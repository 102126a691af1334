import CKernels

/// Operations on arrays of any rank, by their layouts. Orders are fixed, so results don't depend on threads.
public enum Strided {
  /// result = function(a, b) element by element; the layouts are broadcast to the result's dimensions.
  public static func binary(
    _ function: nr_binary, _ a: UnsafePointer<Float>, _ aLayout: StridedLayout, _ b: UnsafePointer<Float>,
    _ bLayout: StridedLayout, parameters: (Float, Float) = (0, 0), result: UnsafeMutablePointer<Float>,
    _ layout: StridedLayout, compute: Compute
  ) {
    let x = aLayout.broadcast(to: layout.dimensions), y = bLayout.broadcast(to: layout.dimensions)
    let length = Int64(layout.dimensions.last ?? 1), kernel = compute.kernels.binary!
    let aStep = Int64(x.strides.last ?? 0), bStep = Int64(y.strides.last ?? 0)
    layout.forEachRow(x, y) { target, first, second in
      kernel(
        function.rawValue, a + first, aStep, b + second, bStep, parameters.0, parameters.1, result + target, length)
    }
  }

  /// Copies elements to another layout of the same dimensions.
  public static func copy(
    _ source: UnsafePointer<Float>, _ from: StridedLayout, to target: UnsafeMutablePointer<Float>,
    _ layout: StridedLayout
  ) {
    let length = layout.dimensions.last ?? 1
    let step = from.strides.last ?? 1, targetStep = layout.strides.last ?? 1
    layout.forEachRow(from, from) { to, from, _ in
      if step == 1, targetStep == 1 {
        (target + to).update(from: source + from, count: length)
      } else {
        for index in 0..<length { target[to + index * targetStep] = source[from + index * step] }
      }
    }
  }

  /// The sums over the axes along which `layout` has stride 0, in double precision; `layout` has the input's dimensions.
  ///
  /// - Parameter scratch: two floats for each element of the result's buffer.
  public static func sum(
    _ input: UnsafePointer<Float>, _ from: StridedLayout, result: UnsafeMutablePointer<Float>, _ layout: StridedLayout,
    resultFloats: Int, scratch: UnsafeMutablePointer<Float>
  ) {
    scratch.withMemoryRebound(to: Double.self, capacity: resultFloats) { sums in
      sums.update(repeating: 0, count: resultFloats)
      let length = from.dimensions.last ?? 1, step = from.strides.last ?? 1, resultStep = layout.strides.last ?? 0
      from.forEachRow(layout, layout) { source, target, _ in
        if resultStep == 0 {
          var sum = 0.0
          for index in 0..<length { sum += Double(input[source + index * step]) }
          sums[target] += sum
        } else if step == 1, resultStep == 1 {
          // The same with steps that the compiler knows, for its vectors.
          let row = input + source, sums = sums + target
          for index in 0..<length { sums[index] += Double(row[index]) }
        } else {
          for index in 0..<length { sums[target + index * resultStep] += Double(input[source + index * step]) }
        }
      }
      for index in 0..<resultFloats { result[index] = Float(sums[index]) }
    }
  }

  /// The greatest element over the axes along which `layout` has stride 0, and its position among them, from 1, the
  /// first of equal ones. NaN is greater than all numbers.
  ///
  /// - Parameters:
  ///   - sign: 1 for the greatest, −1 for the least.
  ///   - positions: where to write the positions, laid out as the result; nil for none.
  public static func extremum(
    _ input: UnsafePointer<Float>, _ from: StridedLayout, sign: Float, values: UnsafeMutablePointer<Float>,
    positions: UnsafeMutablePointer<Float>?, _ layout: StridedLayout, resultFloats: Int,
    seen: UnsafeMutablePointer<Float>
  ) {
    values.update(repeating: 0, count: resultFloats)
    positions?.update(repeating: 0, count: resultFloats)
    seen.update(repeating: 0, count: resultFloats)
    let length = from.dimensions.last ?? 1, step = from.strides.last ?? 1, resultStep = layout.strides.last ?? 0
    from.forEachRow(layout, layout) { source, target, _ in
      for index in 0..<length {
        let x = input[source + index * step], to = target + index * resultStep
        seen[to] += 1
        if seen[to] == 1 || sign * x > sign * values[to] || (x != x && values[to] == values[to]) {
          values[to] = x
          positions?[to] = seen[to]
        }
      }
    }
  }
}
