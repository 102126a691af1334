import TensorCore

/// Convolution in double precision as its definition says: one loop for each index.
struct ConvolutionReference {
  let g: ConvolutionGeometry

  /// Calls the body with every product: indices into dense input, weight and output.
  private func forEachProduct(_ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void) {
    let inputs = g.inputChannels / g.groups, outputs = g.outputChannels / g.groups
    for n in 0..<g.batch {
      for oy in 0..<g.outputHeight {
        for ox in 0..<g.outputWidth {
          for ky in 0..<g.kernel.height {
            for kx in 0..<g.kernel.width {
              let y = oy * g.stride.height - g.padding.height + ky * g.dilation.height
              let x = ox * g.stride.width - g.padding.width + kx * g.dilation.width
              guard y >= 0, y < g.inputHeight, x >= 0, x < g.inputWidth else { continue }
              for co in 0..<g.outputChannels {
                for ci in 0..<inputs {
                  let input =
                    ((n * g.inputHeight + y) * g.inputWidth + x) * g.inputChannels + co / outputs * inputs + ci
                  let weight = ((ky * g.kernel.width + kx) * inputs + ci) * g.outputChannels + co
                  body(input, weight, ((n * g.outputHeight + oy) * g.outputWidth + ox) * g.outputChannels + co)
                }
              }
            }
          }
        }
      }
    }
  }

  func forward(_ input: [Double], _ weight: [Double], bias: [Double]?) -> [Double] {
    let pixels = g.batch * g.outputHeight * g.outputWidth
    var output = [Double](repeating: 0, count: pixels * g.outputChannels)
    if let bias { for index in output.indices { output[index] = bias[index % g.outputChannels] } }
    forEachProduct { output[$2] += input[$0] * weight[$1] }
    return output
  }

  func inputGradient(_ outputGradient: [Double], _ weight: [Double]) -> [Double] {
    var gradient = [Double](repeating: 0, count: g.batch * g.inputHeight * g.inputWidth * g.inputChannels)
    forEachProduct { gradient[$0] += outputGradient[$2] * weight[$1] }
    return gradient
  }

  func weightGradient(_ input: [Double], _ outputGradient: [Double]) -> [Double] {
    var gradient = [Double](repeating: 0, count: g.weightCount)
    forEachProduct { gradient[$1] += input[$0] * outputGradient[$2] }
    return gradient
  }
}
