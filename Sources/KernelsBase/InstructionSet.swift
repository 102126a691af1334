// What is particular to the baseline of x86-64 (SSE2): 16 registers of 4 lanes, so that a vector takes four, and no
// fused multiply-add (spelling it would call `fmaf` for each lane).

/// `a * b + c`, rounded twice.
@inline(__always)
func fused(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { c + a * b }

@inline(__always)
func fused(_ a: Float, _ b: Float, _ c: Float) -> Float { c + a * b }

/// Vectors of result channels in a wide convolution tile: one, because two would not fit the registers.
let tileVectors = 1
/// Pixels (or summed channels) in a tile of one vector, and in the tile for what is left over.
typealias Tile = InlineArray<2, Lanes>
typealias SmallTile = InlineArray<1, Lanes>
/// Unused here.
typealias WideTile = InlineArray<2, Lanes>
typealias SmallWideTile = InlineArray<1, Lanes>
/// Pixels in a depthwise tile.
typealias DepthwiseTile = InlineArray<2, Lanes>
/// Taps in a tile of the depthwise weight gradient.
typealias DepthwiseGradientTile = InlineArray<2, Lanes>
