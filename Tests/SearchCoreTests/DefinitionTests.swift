import Canonical
import SearchCore
import Testing

/// Definitions that can't be meant, and the text that says so.
struct DefinitionTests {
  private func fault(_ node: SpaceNode) -> String {
    faultText { _ = try Space(name: "s", root: .record(["blocks": .list(.fixed(2), .record(["op": node]))])) }
  }
  private let at = "space.blocks[1].op: "

  @Test func options() {
    #expect(fault(.oneOf([])) == at + "a decision needs at least one option")
    #expect(fault(.manyOf(1, [])) == at + "a decision needs at least one option")
    let hint = ". Each value must tell which option was chosen."
    #expect(fault(.oneOf(["a", "b", "a"])) == at + "options 1 and 3 can give the same value: got a" + hint)
    #expect(
      fault(.oneOf([.constant(2), .constant(2.0)])) == at + "options 1 and 2 can give the same value: got 2" + hint)
    #expect(
      fault(.oneOf([3, .oneOf([1, 3])])) == at + "options 1 and 2 can give the same value: got oneof" + hint)
    #expect(
      fault(.manyOf(1, [.int(IntRange(1, 4)), 3])) == at + "options 1 and 2 can give the same value: got 3" + hint)
  }

  /// Whether two options can give one value.
  @Test(arguments: [
    (SpaceNode.record(["a": 1, "b": .oneOf([1, 2])]), SpaceNode.record(["a": 2, "b": .oneOf([1, 2])]), false),
    (.record(["a": 1]), .record(["a": 1, "b": .oneOf([1, 2])]), false),
    (.record(["b": .oneOf([2, 3])]), .record(["b": .oneOf([1, 2])]), true),
    (.int(IntRange(0, 100, step: 6)), .int(IntRange(1, 100, step: 4)), false),
    (.int(IntRange(0, 100, step: 6)), .int(IntRange(3, 100, step: 9)), true),
    (.int(IntRange(0, 10)), .int(IntRange(11, 20)), false),
    (.int(IntRange(0, 10, step: 5)), .float(FloatRange(0.5, 4.5)), false),
    (.int(IntRange(0, 10, step: 5)), .float(FloatRange(4.5, 5)), true),
    (.float(FloatRange(0, 1)), .float(FloatRange(1, 2)), true),
    (.constant(1), .float(FloatRange(0, 2)), true),
    (.list(.fixed(2), .oneOf([1, 2])), .list(.fixed(3), .oneOf([1, 2])), false),
    (.list(.between(IntRange(1, 2)), .oneOf([1, 2])), .tuple([1, 3]), false),
    (.list(.between(IntRange(1, 2)), .oneOf([1, 2])), .tuple([1, 2]), true),
    (.manyOf(2, ["a", "b"]), .list(.fixed(2), .oneOf(["c", "d"])), false),
    ("a", .list(.fixed(1), .oneOf(["a"])), false),
  ])
  func overlap(_ a: SpaceNode, _ b: SpaceNode, _ expected: Bool) {
    for options in [[a, b], [b, a]] {
      #expect((fault(.oneOf(options)) != "no fault") == expected)
    }
  }

  @Test func bounds() {
    #expect(fault(.int(IntRange(5, 4))) == at + "the lower bound is above the upper bound: got 5 to 4")
    #expect(fault(.int(IntRange(1, 4, step: 0))) == at + "bad step: expected at least 1, got 0")
    #expect(fault(.int(IntRange(0, 4, log: true))) == at + "a logarithmic range starts at 1 or above: got 0")
    #expect(
      fault(.int(IntRange(.min, .max)))
        == at + "the range is too wide: expected whole numbers up to 2^53, which a double can hold")
    #expect(fault(.float(FloatRange(2, 1))) == at + "the lower bound is above the upper bound: got 2.0 to 1.0")
    #expect(fault(.float(FloatRange(0, 1, log: true))) == at + "a logarithmic range starts above 0: got 0.0")
    #expect(fault(.float(FloatRange(.nan, 1))) == at + "bounds must be finite: got nan to 1.0")
    #expect(fault(.constant(.number(.nan))) == at + #"a constant must be finite: got "NaN""#)
  }

  @Test func counts() {
    #expect(
      fault(.manyOf(4, ["a", "b", "c"]))
        == at + "can't choose that many options: expected at most 3, got 4")
    #expect(
      fault(.manyOf(0, ["a"], distinct: false)) == at + "can't choose that many options: expected at least 1, got 0")
    #expect(
      fault(.list(.fixed(-1), "a")) == at + "a list can't have a negative length: expected at least 0, got -1")
    #expect(
      fault(.list(.between(IntRange(3, 2)), "a")) == at + "the lower bound is above the upper bound: got 3 to 2")
  }

  @Test func limits() {
    #expect(fault(.list(.fixed(10_001), "a")) == at + "too many elements: expected at most 10000, got 10001")
    #expect(
      fault(.manyOf(.max, ["a"], distinct: false)) == at + "too many elements: expected at most 10000, got \(Int.max)")
    #expect(
      fault((0..<200).reduce("a") { node, _ in .oneOf([node]) })
        == "space: the space is nested too deeply: expected at most 100 levels")
  }

  @Test func keys() {
    #expect(fault(.record([:])) == at + "a record needs at least one key")
    let expected = at + "a key can't be part of a path: expected text without spaces and . [ ] ( ) # = *, got "
    #expect(fault(.record(["a.b": 1])) == expected + #""a.b""#)
    #expect(fault(.record(["": 1])) == expected + #""""#)
    #expect(fault(.constant(["a b": 1])) == expected + #""a b""#)
    #expect(
      fault(.record(Record([("a", "x"), ("a", "y")].map { (key: $0.0, value: $0.1) })))
        == at + #"a key is given twice: got "a""#)
  }

  @Test func normalForm() throws {
    let space = try Space(name: "s", root: .record(["z": .int(IntRange(2, 9, step: 3)), "a": .constant(2.0)]))
    #expect(space.root == .record(["a": 2, "z": .int(IntRange(2, 8, step: 3))]))
  }
}
