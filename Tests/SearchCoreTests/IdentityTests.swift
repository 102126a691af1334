import Canonical
import SearchCore
import Testing

/// What stays the same: ids, digests, JSON, and the object that stands for an architecture.
struct IdentityTests {
  private let values: JSONValue = [
    "stem": 16, "blocks": [["op": "mb3", "expand": 4], ["op": "skip", "expand": 2]],
  ]
  private func space() throws -> Space {
    let block: SpaceNode = .record(["op": .oneOf(["mb3", "skip"]), "expand": .oneOf([2, 4])])
    return try Space(name: "s", root: .record(["stem": .oneOf([8, 16]), "blocks": .list(.fixed(2), block)]))
  }

  /// Python: `sha256(struct.pack("<Q", len(text)) + text).hexdigest()[:16]` of the canonical text.
  @Test func idIsStable() throws {
    let arch = try space().make(values)
    #expect(
      arch.canonicalText == #"{"blocks":[{"expand":4,"op":"mb3"},{"expand":2,"op":"skip"}],"stem":16}"#)
    #expect(arch.id == "a1-20aab51bd98abdd5")
    #expect(Architecture.id(of: values) == arch.id)
    #expect(Architecture.grammar == "a1")
  }

  @Test func wholeFloatsKeepTheirId() throws {
    let space = try Space(name: "s", root: .record(["x": .float(FloatRange(0, 4))]))
    let arch = try space.make(["x": 3])
    #expect(arch.values == ["x": 3.0])
    #expect(arch.id == Architecture.id(of: ["x": 3]))
    #expect(try space.make(["x": .number(-0.0)]) == space.make(["x": 0]))
  }

  @Test(arguments: Spaces.all.indices)
  func spaceJSON(_ index: Int) throws {
    let space = try Spaces.all[index]()
    let text = space.json.text()
    let again = try Space(json: try JSONValue(parsing: Array(text.utf8), source: "test"))
    #expect(again == space)
    #expect(again.root == space.root)
    #expect(again.digest == space.digest)
    #expect(again.json.text() == text)
  }

  /// The digest as Python makes it, like the id above.
  @Test func spaceDigestIsStable() throws {
    let small = try Space(name: "s", root: .record(["n": .int(IntRange(1, 3)), "op": .oneOf(["a"], name: "x")]))
    #expect(
      small.json.text()
        == #"{"mutation":"decision","name":"s","root":{"fields":{"#
        + #""n":{"kind":"int","log":false,"lower":1,"step":1,"upper":3},"#
        + #""op":{"kind":"oneof","name":"x","options":[{"kind":"constant","value":"a"}]}},"#
        + #""kind":"record"},"version":1}"#)
    #expect(small.digest == "0ab5912e92baee7c5524d3c52ffedbaac5720c76c243621351d5bc0b147cacba")
  }

  @Test func equality() throws {
    let a = try space()
    #expect(a == (try space()))
    #expect(a != (try Space(name: "t", root: a.root)))
    #expect(a != (try Space(name: "s", root: a.root, mutation: .branch)))
    #expect(try a.make(values) == space().make(values))
    #expect(try a.make(values) != Space(name: "t", root: a.root).make(values))
  }

  @Test func damagedJSON() throws {
    func text(_ json: JSONValue) -> String { faultText { _ = try Space(json: json) } }
    #expect(
      text(["version": 2]) == "not a search space that this version reads: expected version 1, got 2")
    #expect(text(["version": 1]) == "damaged search space: expected name, root and mutation")
    #expect(
      text(["version": 1, "name": "s", "mutation": "branch", "root": ["kind": "oneoff"]])
        == #"kind: damaged search space: got "oneoff""#)
    #expect(
      text(["version": 1, "name": "s", "mutation": "branch", "root": ["kind": "oneof"]])
        == "options: damaged search space: got nothing")
  }

  @Test func equalArchitecturesAreOneObject() throws {
    let space = try space()
    let table = ArchitectureTable()
    var entry: ArchitectureTable.Entry? = table.entry(for: try space.make(values))
    #expect(table.entry(for: try space.make(values)) === entry)
    #expect(entry?.id == "a1-20aab51bd98abdd5")
    #expect(entry?.values == values)
    let other = table.entry(for: try space.make(values).with("stem", 8))
    #expect(other !== entry)
    #expect(table.count == 2)
    entry = nil
    #expect(table.count == 1)
    #expect(other.architecture.space == space)
  }

  @Test func tableForgetsWhatNobodyHolds() throws {
    let table = ArchitectureTable()
    var held: [ArchitectureTable.Entry] = []
    for (index, member) in try Spaces.nasbench201().iterate().prefix(5000).enumerated() {
      let entry = table.entry(for: member)
      if index % 100 == 0 { held.append(entry) }
    }
    #expect(table.count == 50)
    for entry in held { #expect(table.entry(for: entry.architecture) === entry) }
  }
}
