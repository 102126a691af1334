import Canonical
import Datasets
import Diagnostics
import NeuralNet

/// How a network is trained: everything that, with the data, the graph and the random stream, decides the result.
public struct TrainingRecipe: Sendable, Equatable {
  /// The learning rate's course after the warm-up.
  public enum Course: String, Sendable, CaseIterable {
    case constant
    /// Divided by 10 after half and after three quarters of the epochs.
    case step
    /// Half a cosine towards 0 that changes once per epoch, as in NAS-Bench-201. After few epochs it is still far from 0.
    case cosine
    /// Half a cosine down to 0 that changes at every step: for trainings of a few epochs.
    case cosineByStep = "cosine_by_step"
  }

  public var epochs: Int
  /// The epochs that the schedule is made for: `epochs`, or more when this is the beginning of a longer training.
  public var scheduleEpochs: Int
  /// Images per step.
  public var batch: Int
  /// The peak learning rate.
  public var learningRate: Double
  public var course: Course
  /// Epochs of linear warm-up, which may be a fraction.
  public var warmUp: Double
  public var optimiser: SGD
  public var labelSmoothing: Double
  public var augmentation: Augmentation
  /// What the operands of matrix products are rounded to while it trains.
  public var precision: ExecutionMode.Precision

  /// The defaults are NAS-Bench-201's (Dong & Yang 2020, table 1), but for the batch of 64 and the epochs.
  public init(
    epochs: Int, batch: Int = 64, learningRate: Double = 0.1, course: Course = .cosine, warmUp: Double = 0,
    optimiser: SGD, labelSmoothing: Double = 0, augmentation: Augmentation = .none, scheduleEpochs: Int? = nil,
    precision: ExecutionMode.Precision = .single
  ) throws {
    guard epochs > 0 else { throw Fault(.recipe, "wrong number of epochs", expected: "at least 1", got: "\(epochs)") }
    let scheduleEpochs = scheduleEpochs ?? epochs
    guard scheduleEpochs >= epochs else {
      throw Fault(
        .recipe, "wrong schedule_epochs", expected: "at least epochs = \(epochs)", got: "\(scheduleEpochs)",
        hint: "Make it the largest number of epochs that any trial trains.")
    }
    guard learningRate > 0, learningRate.isFinite else {
      throw Fault(.recipe, "wrong learning rate", expected: "above 0", got: "\(learningRate)")
    }
    guard (0...Double(scheduleEpochs)).contains(warmUp) else {
      throw Fault(.recipe, "wrong warm-up", expected: "0 to \(scheduleEpochs) epochs", got: "\(warmUp)")
    }
    guard (0..<1).contains(labelSmoothing) else {
      throw Fault(.recipe, "wrong label smoothing", expected: "at least 0 and below 1", got: "\(labelSmoothing)")
    }
    self.epochs = epochs
    self.scheduleEpochs = scheduleEpochs
    self.batch = batch
    self.learningRate = learningRate
    self.course = course
    self.warmUp = warmUp
    self.optimiser = optimiser
    self.labelSmoothing = labelSmoothing
    self.augmentation = augmentation
    self.precision = precision
  }

  /// The learning rate of each step. The warm-up counts in steps.
  public func rate(step: Int, stepsPerEpoch: Int) throws -> Double {
    let warmSteps = Int((warmUp * Double(stepsPerEpoch)).rounded())
    if step < warmSteps { return learningRate * Double(step + 1) / Double(warmSteps) }
    let epoch = step / stepsPerEpoch
    switch course {
    case .constant: return learningRate
    case .cosine: return try Schedule(.cosine(minimum: 0), peak: learningRate, total: scheduleEpochs).value(at: epoch)
    case .cosineByStep:
      let schedule = try Schedule(
        .cosine(minimum: 0), peak: learningRate, total: scheduleEpochs * stepsPerEpoch, warmUp: warmSteps)
      return schedule.value(at: step)
    case .step:
      return learningRate * (4 * epoch >= 3 * scheduleEpochs ? 0.01 : 2 * epoch >= scheduleEpochs ? 0.1 : 1)
    }
  }

  /// For keys: two recipes train alike exactly when their JSON is equal.
  public var json: JSONValue {
    var fields: [String: JSONValue] = [
      "epochs": .int(epochs), "batch": .int(batch), "lr": .number(learningRate), "schedule": .string(course.rawValue),
      "warmup": .number(warmUp), "momentum": .number(optimiser.momentum), "nesterov": .bool(optimiser.nesterov),
      "weight_decay": .number(optimiser.weightDecay),
      "undecayed": .array(optimiser.undecayed.map(\.rawValue).sorted().map(JSONValue.string)),
      "clip": .number(optimiser.clipNorm ?? 0), "label_smoothing": .number(labelSmoothing),
      "augment": augmentation.json,
    ]
    if precision != .single { fields["precision"] = .string(precision.rawValue) }
    if scheduleEpochs != epochs { fields["schedule_epochs"] = .int(scheduleEpochs) }
    return .object(fields)
  }
}
