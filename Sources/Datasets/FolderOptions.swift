import Diagnostics

/// How the files of a folder become images; each option belongs to certain formats.
public struct FolderOptions: Sendable, Equatable {
  /// Which of the two labels of CIFAR-100 counts; nil: fine.
  public var labels: CIFAR.Labels?
  /// Height and width that JPEG and PNG files are cut and scaled to; nil: all have one size already.
  public var size: [Int]?
  /// 1 (grey) or 3 (RGB) for JPEG and PNG files; nil: 3.
  public var channels: Int?
  /// The part of the images, between 0 and 1, that is tested on where a folder has no test part of its own.
  public var test: Double?

  public init(labels: CIFAR.Labels? = nil, size: [Int]? = nil, channels: Int? = nil, test: Double? = nil) {
    self.labels = labels
    self.size = size
    self.channels = channels
    self.test = test
  }

  /// The names of the options that are given.
  private var given: [String] {
    [("labels", labels != nil), ("size", size != nil), ("channels", channels != nil), ("test", test != nil)]
      .filter(\.1).map(\.0)
  }

  /// Throws a `recipe` fault for an option that the format doesn't have.
  func check(allowed: [String], format: String) throws {
    guard let name = given.first(where: { !allowed.contains($0) }) else { return }
    throw Fault(
      .recipe, "\(format) has no option '\(name)'",
      expected: allowed.isEmpty ? "none of labels, size, channels, test" : allowed.joined(separator: ", "), got: name)
  }
}
