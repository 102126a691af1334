/// Errors of predicted numbers, in the units of the target; sums in double precision in the order of the samples.
public struct RegressionScore: Sendable {
  private var count = 0.0
  private var sum = 0.0
  private var squares = 0.0
  private var squaredErrors = 0.0
  private var absoluteErrors = 0.0
  private let origin: Double

  /// - Parameter origin: a number near the targets, taken off them so that their spread keeps its digits.
  public init(origin: Double) { self.origin = origin }

  public mutating func add(target: Double, prediction: Double) {
    let error = prediction - target, shifted = target - origin
    count += 1
    sum += shifted
    squares += shifted * shifted
    squaredErrors += error * error
    absoluteErrors += abs(error)
  }

  /// Root of the mean squared error.
  public var rmse: Double { (squaredErrors / count).squareRoot() }

  /// Mean absolute error.
  public var mae: Double { absoluteErrors / count }

  /// Coefficient of determination, 1 − squared errors / squared deviations of the targets from their mean. NaN when all
  /// targets are equal.
  public var r2: Double {
    let spread = squares - sum * sum / count
    return spread > 0 ? 1 - squaredErrors / spread : .nan
  }
}
