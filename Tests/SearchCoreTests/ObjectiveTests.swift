import SearchCore
import Testing

struct ObjectiveTests {
  private func objectives() throws -> Objectives {
    try Objectives([Objective("accuracy", .max), Objective("latency_ms", .min)])
  }

  @Test func failedTrialsRankLast() throws {
    let trials: [[String: Double]] = [
      ["accuracy": 90, "latency_ms": 3], [:], ["accuracy": 92, "latency_ms": 9], ["accuracy": .nan],
      ["accuracy": 92, "latency_ms": 1], ["accuracy": 0],
    ]
    #expect(try objectives().rank(trials) == [2, 4, 0, 5, 1, 3])
    #expect(try objectives().better(trials[2], than: trials[0]))
    #expect(try !objectives().better(trials[2], than: trials[4]))
    #expect(try !objectives().better(trials[1], than: trials[3]))
  }

  @Test func missingAndNaNAreTheWorst() throws {
    #expect(try objectives().values(in: ["accuracy": .nan]) == [-.infinity, .infinity])
    #expect(Direction.max.worst == -.infinity && Direction.min.worst == .infinity)
    #expect(Direction.min.better(1, than: .nan))
    #expect(!Direction.min.better(.nan, than: .infinity))
    #expect(!Direction.max.better(1, than: 1))
    #expect(try objectives().primary == Objective("accuracy", .max))
  }

  @Test func faults() {
    #expect(faultText { _ = try Objectives([]) } == "objectives: a search needs at least one objective")
    #expect(
      faultText { _ = try Objectives([Objective("a", .max), Objective("a", .min)]) }
        == "objectives[2]: objective 'a' is given twice")
  }
}

struct ParetoTests {
  /// The definition, point against point.
  private func reference(_ points: [[Double]], _ directions: [Direction]) -> [Int] {
    func loss(_ point: [Double], _ index: Int) -> Double {
      if point[index].isNaN { return .infinity }
      return directions[index] == .max ? -point[index] : point[index]
    }
    return points.indices.filter { i in
      !points.indices.contains { j in
        directions.indices.allSatisfy { loss(points[j], $0) <= loss(points[i], $0) }
          && directions.indices.contains { loss(points[j], $0) < loss(points[i], $0) }
      }
    }
  }

  /// Few different values, so that ties and equal points are common; one in ten is NaN.
  @Test(arguments: [[Direction.max], [.min, .max], [.max, .max], [.max, .min, .min], [.min, .max, .min, .max]])
  func frontEqualsTheDefinition(_ directions: [Direction]) throws {
    var generator = SplitMix64(state: UInt64(directions.count))
    for round in 0..<300 {
      let points = (0..<(round % 40)).map { _ in
        directions.map { _ -> Double in
          let bits = generator.next()
          return bits % 10 == 0 ? .nan : Double((bits >> 8) % 8)
        }
      }
      #expect(try Pareto.front(points, directions) == reference(points, directions))
    }
  }

  @Test func equalPointsAreAllKept() throws {
    #expect(try Pareto.front([[1, 2], [0, 3], [1, 2]], [.max, .min]) == [0, 2])
    #expect(try Pareto.front([[.nan, .nan], [.nan, .nan]], [.max, .min]) == [0, 1])
    #expect(try Pareto.front([], [.max, .min]) == [])
  }

  @Test func dominance() {
    #expect(Pareto.dominates([2, 1], [1, 1], [.max, .min]))
    #expect(!Pareto.dominates([1, 1], [1, 1], [.max, .min]))
    #expect(!Pareto.dominates([2, 2], [1, 1], [.max, .min]))
    #expect(Pareto.dominates([1, 1], [1, .nan], [.max, .min]))
  }

  /// By hand: accuracy up, size down, reference (80, 10). The steps are (90, 2), (93, 4) and (95, 8):
  /// 10·8 over the first, 3·6 beyond it, 2·2 beyond that.
  @Test func hypervolumeByHand() throws {
    let points: [[Double]] = [[93, 4], [90, 2], [95, 8], [92, 5], [79, 1], [99, 11], [.nan, 1], [90, 2]]
    #expect(try Pareto.hypervolume(points, [.max, .min], reference: [80, 10]) == 102)
    let turned = points.map { [$0[1], $0[0]] }
    #expect(try Pareto.hypervolume(turned, [.min, .max], reference: [10, 80]) == 102)
    #expect(try Pareto.hypervolume([], [.max, .min], reference: [80, 10]) == 0)
  }

  @Test func faults() {
    #expect(
      faultText { _ = try Pareto.front([[1, 2], [1]], [.max, .min]) }
        == "points[2]: bad point: expected one value for each of the 2 objectives, got 1")
    #expect(
      faultText { _ = try Pareto.hypervolume([[1]], [.max], reference: [1]) }
        == "bad hypervolume: expected two objectives, got 1")
  }
}
