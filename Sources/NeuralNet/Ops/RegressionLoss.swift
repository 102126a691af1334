extension Op {
  /// The training loss of a regression: the mean over the batch of `(prediction − target)²`, for `[N, 1]` predictions and
  /// targets `[N]`.
  static let regressionLoss: Op = Op(
    "regression_loss", "Mean squared error of one number per sample.", role: .derived, arity: .exactly(2),
    paddingLanes: .none,
    infer: { use in
      _ = try use.vector(hint: "The network of a regression ends in [N, 1].")
      return [ValueType(.array([]))]
    },
    kernel: { site in
      let batch = site.batch, step = site.elements(site.inputs[0]) / batch
      return Kernel { call in
        var sum = 0.0
        for sample in 0..<batch {
          let error = Double(call.input(0)[sample * step]) - Double(call.input(1)[sample])
          sum += error * error
        }
        call.output(0)[0] = Float(sum / Double(batch))
      }
    },
    gradient: { site in
      [try site.apply(.regressionLossGradient, site.inputs + [site.outputGradient])[0], nil]
    })

  /// predictions, targets, `dloss` -> `2 (prediction − target) · dloss / N`.
  static let regressionLossGradient: Op = Op(
    "regression_loss_gradient", "Gradient of the mean squared error.", role: .derived, arity: .exactly(3),
    paddingLanes: .cleared, infer: { [$0.input] },
    kernel: { site in
      let batch = site.batch, floats = site.elements(site.inputs[0]), step = floats / batch
      return Kernel { call in
        call.output(0).update(repeating: 0, count: floats)
        let scale = 2 * call.input(2)[0] / Float(batch)
        for sample in 0..<batch {
          call.output(0)[sample * step] = (call.input(0)[sample * step] - call.input(1)[sample]) * scale
        }
      }
    })
}
