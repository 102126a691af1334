import CKernels

/// Operations on rows of channels: `[rows, C]` with `paddedChannels(C)` floats from a row to the next, where an image
/// batch has `ImageShape.rows` rows.
public enum Channels {
  /// Copies channels `first ..< first + count` of the input to `resultFirst ...` of the result: one part of a
  /// concatenation, or (with the roles exchanged) of its gradient, or a slice.
  ///
  /// When the part ends at the result's last channel, the padding lanes after it become zero. Parts must be written in
  /// ascending order or must not overlap; the result is not the input.
  ///
  /// - Parameters:
  ///   - inputChannels: Logical channels of the input; likewise `resultChannels`.
  public static func copy(
    rows: Int, input: UnsafePointer<Float>, inputChannels: Int, first: Int, count: Int,
    result: UnsafeMutablePointer<Float>, resultChannels: Int, resultFirst: Int, compute: Compute
  ) {
    let inputWidth = paddedChannels(inputChannels), resultWidth = paddedChannels(resultChannels)
    let zeros = resultFirst + count == resultChannels ? resultWidth - resultChannels : 0
    forEachPiece(rows, width: max(inputWidth, resultWidth), compute) { start, length in
      compute.kernels.copy_channels(
        input + (start * inputWidth + first), Int64(inputWidth), result + (start * resultWidth + resultFirst),
        Int64(resultWidth), Int64(length), Int64(count), Int64(zeros))
    }
  }

  /// Dense rows `[rows, channels]` into padded ones, padding lanes zero.
  public static func pad(
    rows: Int, channels: Int, dense: UnsafePointer<Float>, padded: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let width = paddedChannels(channels)
    forEachPiece(rows, width: width, compute) { start, length in
      compute.kernels.copy_channels(
        dense + start * channels, Int64(channels), padded + start * width, Int64(width), Int64(length),
        Int64(channels), Int64(width - channels))
    }
  }

  /// Padded rows into dense ones `[rows, channels]`.
  public static func unpad(
    rows: Int, channels: Int, padded: UnsafePointer<Float>, dense: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let width = paddedChannels(channels)
    forEachPiece(rows, width: width, compute) { start, length in
      compute.kernels.copy_channels(
        padded + start * width, Int64(width), dense + start * channels, Int64(channels), Int64(length),
        Int64(channels), 0)
    }
  }

  /// Floats of scratch that `sumRows` needs.
  public static func scratchFloats(channels: Int) -> Int { (maximalChunks + 1) * paddedChannels(channels) }

  /// result = the sum over rows for each channel, dense `[channels]`: the gradient of a bias.
  public static func sumRows(
    rows: Int, channels: Int, input: UnsafePointer<Float>, result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let width = paddedChannels(channels), chunks = RowChunks(rows: rows)
    compute.forEachChunk(chunks.count) { chunk, _ in
      let range = chunks[chunk]
      compute.kernels.sum_rows(
        input + range.lowerBound * width, Int64(range.count), Int64(width), scratch + chunk * width)
    }
    let total = scratch + chunks.count * width
    total.update(from: scratch, count: width)
    for chunk in 1..<max(1, chunks.count) {
      compute.kernels.accumulate(scratch + chunk * width, 1, total, Int64(width))
    }
    result.update(from: total, count: channels)
  }

  /// result = factor · Σ a · b over each row, in every channel of the row; in place of either if wanted. Rows are `stride`
  /// floats apart; lanes after the last channel become zero.
  public static func rowDot(
    rows: Int, channels: Int, stride: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, times factor: Float,
    result: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    forEachPiece(rows, width: stride, compute) { first, count in
      let start = first * stride
      compute.kernels.row_dot(
        a + start, b + start, factor, result + start, Int64(count), Int64(channels), Int64(stride))
    }
  }

  /// Calls the body for pieces of the rows: the first row and how many.
  private static func forEachPiece(
    _ rows: Int, width: Int, _ compute: Compute, _ body: (_ start: Int, _ count: Int) -> Void
  ) {
    let length = max(1, 32_768 / width)
    compute.forEachChunk((rows + length - 1) / length) { chunk, _ in
      let start = chunk * length
      body(start, min(length, rows - start))
    }
  }
}

/// At most this many partial sums are kept and added in order. The number is a part of the numeric contract.
let maximalChunks = 8

/// Rows cut into chunks, for sums whose partial results are added in chunk order. How many depends on the rows alone.
struct RowChunks {
  let rows: Int, count: Int

  init(rows: Int) {
    self.rows = rows
    count = max(1, min(maximalChunks, rows / 256))
  }

  /// The rows of a chunk.
  subscript(chunk: Int) -> Range<Int> { rows * chunk / count..<rows * (chunk + 1) / count }
}
