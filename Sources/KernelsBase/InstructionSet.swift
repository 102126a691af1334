// What is particular to the baseline of x86-64 (SSE2): 16 registers of 4 lanes, so that a vector takes four, and no
// fused multiply-add (spelling it would call `fmaf` for each lane).

import CKernels

/// `a * b + c`, rounded twice.
@inline(__always)
func fused(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { c + a * b }

@inline(__always)
func fused(_ a: Float, _ b: Float, _ c: Float) -> Float { c + a * b }

/// Vectors of result channels in a convolution tile: one, because two would not fit the registers.
let tileVectors = 1
/// Rows of taps in a tile of the depthwise weight gradient.
let tapRowsPerTile = 1

// Tiles are made from literals: `InlineArray(repeating:)` is a function of the standard library, a copy of which could
// end up in several kernel modules.

/// Half of the pixels in a tile of one vector.
typealias HalfTile = InlineArray<1, Lanes>
@inline(__always)
func halfTile(_ value: Lanes) -> HalfTile { [value] }

/// The same for what is left of a row.
typealias SmallHalfTile = InlineArray<1, Lanes>
@inline(__always)
func smallHalfTile(_ value: Lanes) -> SmallHalfTile { [value] }

/// Pixels (or summed channels) in a tile of two vectors.
typealias WideTile = InlineArray<2, Lanes>
@inline(__always)
func wideTile(_ value: Lanes) -> WideTile { [value, value] }

/// The same for what is left.
typealias SmallWideTile = InlineArray<1, Lanes>
@inline(__always)
func smallWideTile(_ value: Lanes) -> SmallWideTile { [value] }

/// Summed channels in a tile of one vector.
typealias ChannelTile = InlineArray<2, Lanes>
@inline(__always)
func channelTile(_ value: Lanes) -> ChannelTile { [value, value] }

/// The same for what is left.
typealias SmallChannelTile = InlineArray<1, Lanes>
@inline(__always)
func smallChannelTile(_ value: Lanes) -> SmallChannelTile { [value] }

/// Runs of up to three summed channels in a tile.
typealias RunTile = InlineArray<1, Lanes>
@inline(__always)
func runTile(_ value: Lanes) -> RunTile { [value] }

/// Where the runs of a tile begin.
@inline(__always)
func runOffsets(_ runs: UnsafePointer<nr_run>) -> InlineArray<1, Int> {
  [Int(runs[0].offset)]
}

/// Pixels in a depthwise tile.
typealias DepthwiseTile = InlineArray<2, Lanes>
@inline(__always)
func depthwiseTile(_ value: Lanes) -> DepthwiseTile { [value, value] }

/// The same for what is left of a row.
typealias SmallDepthwiseTile = InlineArray<1, Lanes>
@inline(__always)
func smallDepthwiseTile(_ value: Lanes) -> SmallDepthwiseTile { [value] }
