extension Strided {
  /// The positions, from 1, of the elements of each row of the last axis in their order. Of equal elements the first
  /// comes first; NaN comes last, whatever the direction.
  ///
  /// - Parameters:
  ///   - layout: of the result; it has the input's dimensions.
  ///   - scratch: two floats for each element of a row.
  public static func order(
    _ input: UnsafePointer<Float>, _ from: StridedLayout, descending: Bool, result: UnsafeMutablePointer<Float>,
    _ layout: StridedLayout, scratch: UnsafeMutablePointer<Float>
  ) {
    let length = layout.dimensions.last ?? 1, step = from.strides.last ?? 1, resultStep = layout.strides.last ?? 1
    scratch.withMemoryRebound(to: Int32.self, capacity: 2 * length) { positions in
      layout.forEachRow(from, from) { target, source, _ in
        let row = input + source
        let sorted = mergeSort(positions, positions + length, count: length) { a, b in
          let x = row[Int(a) * step], y = row[Int(b) * step]
          return (descending ? x > y : x < y) || (x == x && y != y)
        }
        for index in 0..<length { result[target + index * resultStep] = Float(sorted[index] + 1) }
      }
    }
  }

  /// Sorts the positions `0 ..< count` stably: runs of 1, 2, 4, … are merged between two buffers, whose old content does
  /// not matter. Returns the buffer that has them in order.
  private static func mergeSort(
    _ first: UnsafeMutablePointer<Int32>, _ second: UnsafeMutablePointer<Int32>, count: Int,
    isBefore: (Int32, Int32) -> Bool
  ) -> UnsafeMutablePointer<Int32> {
    var (source, target, width) = (first, second, 1)
    for index in 0..<count { source[index] = Int32(truncatingIfNeeded: index) }
    while width < count {
      for start in stride(from: 0, to: count, by: 2 * width) {
        let middle = min(start + width, count), end = min(start + 2 * width, count)
        var left = start, right = middle
        for index in start..<end {
          // The left one goes first unless the right one is really before it.
          let takesRight = left == middle || (right < end && isBefore(source[right], source[left]))
          target[index] = source[takesRight ? right : left]
          if takesRight { right += 1 } else { left += 1 }
        }
      }
      (source, target, width) = (target, source, 2 * width)
    }
    return source
  }
}
