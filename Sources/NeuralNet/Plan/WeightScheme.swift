/// How the first values of a network's weights are drawn.
public enum WeightScheme: String, CaseIterable, Sendable {
  /// As each op has it: PyTorch's defaults.
  case standard = "default"
  /// Weights are normal with deviation √(2 / fan), biases 0 (He et al. 2015; `torch.nn.init.kaiming_normal_`). The fan is
  /// a weight's inputs or its outputs, each times the taps of the kernel.
  case kaimingNormalFanIn = "kaiming_normal_fan_in"
  case kaimingNormalFanOut = "kaiming_normal_fan_out"
  /// Weights are normal with deviation 1, biases 0 (Lin et al. 2021, "Zen-NAS").
  case normal

  /// The weights of convolutions and linear layers, and all biases, follow the scheme; others start as their op has it.
  func initialiser(of parameter: Graph.Parameter) -> Initialiser {
    if self == .standard { return parameter.initialiser }
    let dimensions = parameter.shape.dimensions
    switch parameter.kind {
    case .bias: return .constant(0)
    case .weight where dimensions.count >= 2:
      let taps = dimensions.dropLast(2).reduce(1, *), inputs = dimensions[dimensions.count - 2]
      switch self {
      case .kaimingNormalFanIn: return .normal(deviation: (2 / Double(taps * inputs)).squareRoot())
      case .kaimingNormalFanOut: return .normal(deviation: (2 / Double(taps * parameter.shape.channels)).squareRoot())
      case .normal, .standard: return .normal(deviation: 1)
      }
    default: return parameter.initialiser
    }
  }
}
