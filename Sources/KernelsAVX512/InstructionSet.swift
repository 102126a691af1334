// What is particular to AVX-512 (F, DQ, BW, VL) with fused multiply-add: 32 registers of 16 lanes.

/// `a * b + c`, rounded once.
@inline(__always)
func fused(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { c.addingProduct(a, b) }

@inline(__always)
func fused(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

/// Vectors of result channels in a wide convolution tile.
let tileVectors = 2
/// Pixels (or summed channels) in a tile of one vector, and in the tile for what is left over.
typealias Tile = InlineArray<16, Lanes>
typealias SmallTile = InlineArray<8, Lanes>
/// Pixels (or summed channels) in a tile of two vectors, and in the tile for what is left over.
typealias WideTile = InlineArray<8, Lanes>
typealias SmallWideTile = InlineArray<4, Lanes>
/// Pixels in a depthwise tile.
typealias DepthwiseTile = InlineArray<8, Lanes>
/// Taps in a tile of the depthwise weight gradient.
typealias DepthwiseGradientTile = InlineArray<9, Lanes>
