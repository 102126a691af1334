// What is particular to AVX2 with fused multiply-add: 16 registers of 8 lanes, so that a vector takes two.

import CKernels

/// `a * b + c`, rounded once.
@inline(__always)
func fused(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { c.addingProduct(a, b) }

@inline(__always)
func fused(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

/// Vectors of result channels in a convolution tile: one, because two would not fit the registers.
let tileVectors = 1
/// Rows of taps in a tile of the depthwise weight gradient.
let tapRowsPerTile = 1

// Tiles are made from literals: `InlineArray(repeating:)` is a function of the standard library, a copy of which could
// end up in several kernel modules.

/// Half of the pixels in a tile of one vector.
typealias HalfTile = InlineArray<3, Lanes>
@inline(__always)
func halfTile(_ value: Lanes) -> HalfTile { [value, value, value] }

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
typealias ChannelTile = InlineArray<6, Lanes>
@inline(__always)
func channelTile(_ value: Lanes) -> ChannelTile { [value, value, value, value, value, value] }

/// The same for what is left.
typealias SmallChannelTile = InlineArray<2, Lanes>
@inline(__always)
func smallChannelTile(_ value: Lanes) -> SmallChannelTile { [value, value] }

/// Runs of up to three summed channels in a tile.
typealias RunTile = InlineArray<2, Lanes>
@inline(__always)
func runTile(_ value: Lanes) -> RunTile { [value, value] }

/// Where the runs of a tile begin.
@inline(__always)
func runOffsets(_ runs: UnsafePointer<nr_run>) -> InlineArray<2, Int> {
  [Int(runs[0].offset), Int(runs[1].offset)]
}

/// Pixels in a depthwise tile.
typealias DepthwiseTile = InlineArray<4, Lanes>
@inline(__always)
func depthwiseTile(_ value: Lanes) -> DepthwiseTile { [value, value, value, value] }

/// The same for what is left of a row.
typealias SmallDepthwiseTile = InlineArray<2, Lanes>
@inline(__always)
func smallDepthwiseTile(_ value: Lanes) -> SmallDepthwiseTile { [value, value] }
