import SearchCore
import Testing

@Suite struct ConstraintTests {
  @Test func aBoundIsViolatedByAPartOfItself() {
    let constraint = Constraint("params", min: 200, max: 1000)
    #expect(constraint.violation(of: 1000) == 0 && constraint.violation(of: 200) == 0)
    #expect(constraint.violation(of: 1500) == 0.5)
    #expect(constraint.violation(of: 150) == 0.25)
    #expect(constraint.violation(of: .infinity) == .infinity)
    #expect(constraint.violation(of: .nan) == .infinity)
    #expect(Constraint("gain", min: -4).violation(of: -5) == 0.25)
    #expect(Constraint("loss", max: 0).violation(of: 0.75) == 0.75)
  }

  @Test func violationsAddUp() {
    let constraints = [Constraint("latency_ms", max: 4), Constraint("accuracy", min: 80)]
    #expect(constraints.violation(in: ["latency_ms": 5, "accuracy": 60]) == 0.5)
    #expect(constraints.violation(in: ["latency_ms": 4, "accuracy": 80]) == 0)
    #expect(constraints.violation(in: ["accuracy": 90]) == .infinity)
    #expect([Constraint]().violation(in: [:]) == 0)
  }
}
