import Canonical
import Diagnostics
import Foundation
import TensorCore
import Testing

/// Linear algebra in double precision against NumPy's results in `Tests/References/linalg.json`.
@Suite struct LinearAlgebraTests {
  private static let cases: [String: JSONValue] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "References/linalg.json")
    let json = (try? Data(contentsOf: file)).flatMap { try? JSONValue(parsing: $0, source: "linalg.json") }
    return Dictionary((json?["cases"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) }) { first, _ in first }
  }()

  @Test(arguments: ["small", "square", "tall", "large"])
  func decompositions(name: String) throws {
    let reference = try #require(Self.cases[name])
    let symmetric = try matrix(reference, "symmetric"), square = try matrix(reference, "square")
    let eigen = try symmetric.eigh()
    #expect(error(eigen.values, try numbers(reference, "eigenvalues")) < 1e-13)
    let vectors = eigen.vectors
    var scaled = vectors, identity = try Matrix(rows: vectors.rows, columns: vectors.rows)
    for row in 0..<vectors.rows {
      identity[row, row] = 1
      for column in 0..<vectors.rows { scaled[row, column] *= eigen.values[column] }
    }
    #expect(error(try symmetric.times(vectors).values, scaled.values) < 1e-13)
    #expect(error(try vectors.transposed.times(vectors).values, identity.values) < 1e-13)
    let determinant = try symmetric.slogdet()
    #expect(determinant.sign == 1)
    #expect(error([determinant.logarithm], [try #require(reference["logarithm"]?.double)]) < 1e-13)
    let signed = try square.slogdet()
    #expect(signed.sign == reference["square_sign"]?.double)
    #expect(error([signed.logarithm], [try #require(reference["square_logarithm"]?.double)]) < 1e-12)
    #expect(error(try symmetric.cholesky().values, try matrix(reference, "cholesky").values) < 1e-13)
  }

  @Test(arguments: ["small", "square", "tall", "large"])
  func equationsAndProducts(name: String) throws {
    let reference = try #require(Self.cases[name])
    let a = try matrix(reference, "matrix"), right = try matrix(reference, "right")
    let solution = try matrix(reference, "square").solve(right)
    #expect(error(solution.values, try matrix(reference, "solution").values) < 1e-11)
    #expect(error(try a.transposed.times(right).values, try matrix(reference, "product").values) < 1e-14)
    #expect(error(try a.correlations().values, try matrix(reference, "correlations").values) < 1e-14)
    #expect(a.transposed.transposed == a)
  }

  @Test(arguments: ["small", "square", "tall", "large", "deficient"])
  func leastSquaresAndSingularValues(name: String) throws {
    let reference = try #require(Self.cases[name])
    let a = try matrix(reference, "matrix")
    let result = try a.lstsq(try matrix(reference, "right"))
    #expect(result.rank == reference["rank"]?.int)
    #expect(error(result.solution.values, try matrix(reference, "least").values) < 1e-12)
    #expect(error(try a.svd(), try numbers(reference, "singular_values")) < 1e-13)
  }

  @Test func productsOfRowsAreSummedInDoublePrecision() throws {
    let length = 10_000, values = (0..<3 * length).map { Float($0 % 977) - 488 }
    var products = try Matrix(rows: 3, columns: 3)
    try values.withUnsafeBufferPointer { try products.addProducts(ofRows: $0) }
    try values.withUnsafeBufferPointer { try products.addProducts(ofRows: $0) }
    for i in 0..<3 {
      for j in 0..<3 {
        let exact = (0..<length).reduce(0.0) { $0 + Double(values[i * length + $1]) * Double(values[j * length + $1]) }
        #expect(products[i, j] == 2 * exact)
      }
    }
  }

  @Test func edges() throws {
    let one = try Matrix(rows: 1, columns: 1, [-4])
    #expect(try one.eigh().values == [-4])
    #expect(try one.slogdet().sign == -1)
    #expect(try one.solve(try Matrix(rows: 1, columns: 2, [2, 8])).values == [-0.5, -2])
    let singular = try Matrix(rows: 2, columns: 2, [1, 2, 2, 4])
    #expect(try singular.slogdet().sign == 0)
    #expect(try singular.slogdet().logarithm == -.infinity)
    #expect(abs(try Matrix(rows: 1, columns: 3, [1, 2, 4]).correlations()[0, 0] - 1) < 1e-15)
    let constant = try Matrix(rows: 2, columns: 3, [1, 1, 1, 1, 2, 4]).correlations()
    #expect(constant[0, 0].isNaN && constant[0, 1].isNaN && constant[1, 0].isNaN)
    #expect(abs(constant[1, 1] - 1) < 1e-15)
    // A determinant far below the least number.
    let tiny = try Matrix(rows: 2, columns: 2, [0x1p-1000, 0, 0, 0x1p-1000]).slogdet()
    #expect(abs(tiny.logarithm + 2000 * 0.693_147_180_559_945_3) < 1e-9)
  }

  @Test func equalInputsGiveEqualBits() throws {
    let reference = try #require(Self.cases["large"])
    let symmetric = try matrix(reference, "symmetric"), first = try symmetric.eigh()
    for _ in 0..<5 {
      let again = try symmetric.eigh()
      #expect(again.values == first.values && again.vectors == first.vectors)
    }
  }

  @Test(arguments: [
    ("eigh: the matrix isn't square", "2 × 3", [1.0, 2, 3, 4, 5, 6]),
    ("eigh: the matrix of 2 × 2 isn't symmetric", "2.0", [1, 2, 3, 4]),
    ("cholesky: the matrix of 2 × 2 is not positive definite", "order 2", [1, 2, 2, 1]),
    ("solve: the matrix of 2 × 2 is singular", "lstsq", [1, 2, 2, 4]),
    ("eigh: the matrix of 2 × 2 has an element that is not finite", "row 1, column 2", [1, .nan, 2, 4]),
    ("svd: the matrix of 2 × 2 has an element that is not finite", "inf", [1, .infinity, 2, 4]),
  ])
  func mistakes(message: String, detail: String, values: [Double]) throws {
    let matrix = try Matrix(rows: 2, columns: values.count / 2, values)
    let fault = #expect(throws: Fault.self) {
      switch message.prefix(3) {
      case "eig": _ = try matrix.eigh()
      case "cho": _ = try matrix.cholesky()
      case "svd": _ = try matrix.svd()
      default: _ = try matrix.solve(try Matrix(rows: 2, columns: 1))
      }
    }
    let text = try #require(fault).description
    #expect(text.contains(message) && text.contains(detail), "\(text)")
  }

  @Test func sizesAreChecked() throws {
    let a = try Matrix(rows: 2, columns: 3)
    #expect(throws: Fault.self) { try a.times(a) }
    #expect(throws: Fault.self) { try a.lstsq(try Matrix(rows: 3, columns: 1)) }
    #expect(throws: Fault.self) { try Matrix(rows: .max, columns: 2) }
    #expect(throws: Fault.self) { try Matrix(rows: 0, columns: 2) }
    #expect(throws: Fault.self) { try Matrix(rows: 2, columns: 2, [1]) }
  }

  // MARK: - Reading

  private func numbers(_ reference: JSONValue, _ name: String) throws -> [Double] {
    try #require(reference[name]?.array).compactMap(\.double)
  }

  private func matrix(_ reference: JSONValue, _ name: String) throws -> Matrix {
    let rows = try #require(reference[name]?.array).map { try #require($0.array).compactMap(\.double) }
    return try Matrix(rows: rows.count, columns: rows[0].count, rows.flatMap { $0 })
  }

  /// The largest difference, relative to the largest expected magnitude.
  private func error(_ actual: [Double], _ expected: [Double]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    let scale = expected.reduce(1e-300) { max($0, abs($1)) }
    return zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
  }
}
