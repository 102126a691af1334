import Canonical
import TensorCore

extension Op {
  /// Maximum over a window; padding never wins. The second output is where each maximum was, for the gradient.
  static let maxPool: Op = Op(
    "max_pool", "Maximum over a window.", attributes: poolingAttributes, paddingLanes: .carried,
    resolve: { try Window.resolvingPadding($0) },
    infer: { use in
      let output = try pooledShape(use)
      return [ValueType(output), ValueType(output, .int32)]
    },
    kernel: { site in
      let geometry = try poolingGeometry(site, input: site.inputs[0]), compute = site.compute
      return Kernel { call in
        Pooling.maximum(
          geometry, input: call.input(0), output: call.output(0), argmax: call.integerOutput(1), compute: compute)
      }
    },
    gradient: { site in
      try site.apply(.maxPoolGradient, [site.outputs[1], site.outputGradient], site.settingInputSize)
    },
    onnx: ONNXMapping("MaxPool") { site in
      site.image(site.add("MaxPool", [site.image(0)], Window.onnx(site.attributes)))
    })

  /// The gradient of max pooling: where each maximum was, `dy` -> `dx`.
  static let maxPoolGradient: Op = Op(
    "max_pool_gradient", "Gradient of max pooling.", role: .derived, arity: .exactly(2), paddingLanes: .carried,
    infer: { [pooledInput($0)] },
    kernel: { site in
      let geometry = try poolingGeometry(site, input: site.outputs[0]), compute = site.compute
      return Kernel { call in
        Pooling.maximumBackward(
          geometry, outputGradient: call.input(1), argmax: call.integers(0), inputGradient: call.output(0),
          compute: compute)
      }
    },
    gradient: { site in
      [nil, try site.apply(.maxPoolPick, [site.inputs[0], site.outputGradient], site.attributes, for: 1)]
    })

  /// The elements of an image where the maxima of another were: positions, image -> the shape of the positions.
  static let maxPoolPick: Op = Op(
    "max_pool_pick", "Elements at the places of maxima.", role: .derived, arity: .exactly(2), paddingLanes: .carried,
    infer: { [ValueType($0.input.shape)] },
    kernel: { site in
      let from = site.image(site.inputs[1]), to = site.image(site.outputs[0]), window = Window(site.attributes)
      let stride = paddedChannels(to.c)
      return Kernel { call in
        let taps = call.integers(0), source = call.input(1), target = call.output(0)
        for row in 0..<(to.n * to.h * to.w) {
          let j = row % to.w, i = row / to.w % to.h, n = row / (to.w * to.h)
          for lane in 0..<stride {
            guard lane < to.c else {
              target[row * stride + lane] = 0
              continue
            }
            let tap = Int(taps[row * stride + lane])
            let h = i * window.stride.height - window.padding.height + tap / window.kernel.width
            let w = j * window.stride.width - window.padding.width + tap % window.kernel.width
            target[row * stride + lane] = source[((n * from.h + h) * from.w + w) * stride + lane]
          }
        }
      }
    },
    gradient: { site in
      let size = Extent(height: site.inputs[1].shape.height, width: site.inputs[1].shape.width)
      let attributes = site.attributes.setting("input", size.json)
      return [nil, try site.apply(.maxPoolGradient, [site.inputs[0], site.outputGradient], attributes, for: 1)]
    })
}
