import Diagnostics

/// The part of a shared parameter that a smaller network uses, by the convention of once-for-all networks (Cai et al.
/// 2020, section 3.3): the leading channels, and the centre of a convolution's kernel.
struct ParameterSlice {
  /// Runs of floats that lie side by side on both sides: where they start in the whole, and where in the part.
  private let runs: [(whole: Int, part: Int, count: Int)]

  /// Throws a `recipe` fault when the part is larger than the whole.
  init(of whole: [Int], part: [Int], path: String) throws {
    guard whole.count == part.count, zip(whole, part).allSatisfy({ $0 >= $1 }) else {
      throw Fault(
        .recipe, "an architecture needs a larger parameter than the shared weights have", path: path,
        expected: "at most \(Shape.array(whole))", got: Shape.array(part).description,
        hint: "Shared weights take their sizes from the largest value of each decision; let sizes grow with decisions.")
    }
    // A convolution's weight is [ky, kx, in, out]: its first two dimensions are centred.
    let isConvolution = whole.count == 4
    let starts = whole.indices.map { isConvolution && $0 < 2 ? (whole[$0] - part[$0]) / 2 : 0 }
    var runs: [(whole: Int, part: Int, count: Int)] = []
    let length = part.last ?? 1, rows = part.dropLast().reduce(1, *)
    var index = [Int](repeating: 0, count: max(0, part.count - 1))
    for row in 0..<rows {
      var offset = 0
      for axis in whole.indices {
        offset = offset * whole[axis] + starts[axis] + (axis < index.count ? index[axis] : 0)
      }
      runs.append((offset, row * length, length))
      for axis in index.indices.reversed() {
        index[axis] += 1
        if index[axis] < part[axis] { break }
        index[axis] = 0
      }
    }
    self.runs = runs
  }

  /// Copies the part out of the whole.
  func gather(from whole: UnsafePointer<Float>, into part: UnsafeMutablePointer<Float>) {
    for run in runs { (part + run.part).update(from: whole + run.whole, count: run.count) }
  }

  /// Copies the part back to its place in the whole.
  func scatter(from part: UnsafePointer<Float>, into whole: UnsafeMutablePointer<Float>) {
    for run in runs { (whole + run.whole).update(from: part + run.part, count: run.count) }
  }

  /// Adds the part to its place in the whole.
  func add(from part: UnsafePointer<Float>, into whole: UnsafeMutablePointer<Float>) {
    for run in runs { for index in 0..<run.count { whole[run.whole + index] += part[run.part + index] } }
  }
}
