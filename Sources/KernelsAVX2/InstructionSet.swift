// What is particular to AVX2 with fused multiply-add: 16 registers of 8 lanes, so that a vector takes two.

/// `a * b + c`, rounded once.
@inline(__always)
func fused(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { c.addingProduct(a, b) }

@inline(__always)
func fused(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

/// Vectors of result channels in a wide convolution tile: one, because two would not fit the registers.
let tileVectors = 1
/// Pixels (or summed channels) in a tile of one vector, and in the tile for what is left over.
typealias Tile = InlineArray<6, Lanes>
typealias SmallTile = InlineArray<2, Lanes>
/// Unused here.
typealias WideTile = InlineArray<2, Lanes>
typealias SmallWideTile = InlineArray<1, Lanes>
/// Pixels in a depthwise tile.
typealias DepthwiseTile = InlineArray<4, Lanes>
/// Taps in a tile of the depthwise weight gradient.
typealias DepthwiseGradientTile = InlineArray<5, Lanes>
