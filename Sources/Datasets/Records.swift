import Canonical

/// The rows of a CSV file as they are, for what is looked up and not learned from.
public struct Records: Sendable {
  /// The names of the columns, in order.
  public let columns: [String]
  /// The fields of each row, in the order of the columns.
  public let rows: [[String]]
  /// SHA-256 of names and fields.
  public let digest: String

  /// Reads a file, plain or gzip, whose first line names the columns.
  ///
  /// - Throws: a `data` fault that names the file and the line.
  public init(_ path: String) throws {
    let csv = try CSV(path)
    columns = csv.header
    rows = csv.records.map(\.fields)
    let digest = ContentDigest()
    for field in [csv.header] + csv.records.map(\.fields) { field.forEach { digest.update($0) } }
    self.digest = digest.finish()
  }
}
