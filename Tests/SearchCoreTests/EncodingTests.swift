import Canonical
import SearchCore
import Testing

struct EncodingTests {
  private func encode(_ root: SpaceNode, _ values: JSONValue) throws -> [String: Double] {
    let space = try Space(name: "s", root: root)
    let names = space.encodingNames
    #expect(Set(names).count == names.count)
    return Dictionary(uniqueKeysWithValues: zip(names, try space.make(values).encoding)).filter { $0.value != 0 }
  }

  @Test func cellIsOneHotPerEdge() throws {
    let space = try Spaces.nasbench201()
    let names = space.encodingNames
    #expect(names.count == 30)
    #expect(names[0] == "node1[1]=none")
    #expect(names[29] == "node3[3]=avg_pool_3x3")
    let cell = try space.make([
      "node1": ["nor_conv_3x3"], "node2": ["none", "skip_connect"],
      "node3": ["avg_pool_3x3", "none", "nor_conv_1x1"],
    ])
    let on = zip(names, cell.encoding).filter { $0.1 == 1 }.map(\.0)
    #expect(
      on == [
        "node1[1]=nor_conv_3x3", "node2[1]=none", "node2[2]=skip_connect", "node3[1]=avg_pool_3x3",
        "node3[2]=none", "node3[3]=nor_conv_1x1",
      ])
  }

  @Test func numbersAreScaled() throws {
    let root: SpaceNode = .record([
      "a": .int(IntRange(2, 10)), "b": .int(IntRange(1, 100, log: true)), "c": .float(FloatRange(-1, 1)),
      "d": .float(FloatRange(0.01, 1, log: true)), "e": .int(IntRange(3, 3)),
    ])
    let found = try encode(root, ["a": 4, "b": 10, "c": 0.5, "d": 0.1, "e": 3])
    #expect(found["a"] == 0.25)
    #expect(abs(found["b"]! - 0.5) < 1e-12)
    #expect(found["c"] == 0.75)
    #expect(abs(found["d"]! - 0.5) < 1e-12)
    #expect(found["e"] == nil)
  }

  @Test func inactiveDecisionsAreZero() throws {
    let root: SpaceNode = .record(["op": Spaces.conditional])
    #expect(
      try Space(name: "s", root: root).encodingNames == [
        "op=skip", "op=(2)", "op(2).expand=2", "op(2).expand=4", "op(2).kernel=3", "op(2).kernel=5",
      ])
    #expect(try encode(root, ["op": "skip"]) == ["op=skip": 1])
    #expect(
      try encode(root, ["op": ["kind": "mb", "expand": 4, "kernel": 3]])
        == ["op=(2)": 1, "op(2).expand=4": 1, "op(2).kernel=3": 1])
  }

  @Test func listsAndChoices() throws {
    let list: SpaceNode = .record(["l": .list(.between(IntRange(1, 3)), .oneOf([5, 6]))])
    #expect(try encode(list, ["l": [6, 5]]) == ["#l": 0.5, "l[1]=6": 1, "l[2]=5": 1])
    let pick: SpaceNode = .record(["p": .manyOf(2, Spaces.parts)])
    #expect(try encode(pick, ["p": [["n": 2], "b"]]) == ["p=b": 1, "p=(4)": 1, "p(4).n=2": 1])
    let slots: SpaceNode = .record(["p": .manyOf(2, ["a", "b"], ordered: true)])
    #expect(try encode(slots, ["p": ["b", "a"]]) == ["p[1]=b": 1, "p[2]=a": 1])
  }

  @Test func decisionsOfASpace() throws {
    let found = try Spaces.everything().decisions
    #expect(
      found.map(\.site) == [
        "#cells", "cells[1]", "cells[1](2).expand", "cells[1](2).kernel", "cells[2]", "cells[2](2).expand",
        "cells[2](2).kernel", "cells[3]", "cells[3](2).expand", "cells[3](2).kernel", "ends[2]", "pick",
        "pick(4).n", "width",
      ])
    #expect(found.map(\.depth) == [0, 0, 1, 1, 1, 2, 2, 1, 2, 2, 0, 0, 1, 0])
    #expect(found[0].kind == "count" && found[0].name == "depth" && found[0].path == "cells")
    #expect(found[2].path == "cells[1].expand" && found[2].options == ["2", "4"])
    #expect(found[12].path == "pick[*].n")
    #expect(found[1].options == ["skip", "record"])
  }

  @Test func decisionsOfAnArchitecture() throws {
    let space = try Spaces.everything()
    let arch = try space.make([
      "cells": ["skip", ["kind": "mb", "expand": 4, "kernel": 3]], "ends": ["first", true],
      "pick": ["b", ["n": 2]], "width": 8,
    ])
    let found = arch.decisions
    #expect(
      found.map(\.info.path) == [
        "cells", "cells[1]", "cells[2]", "cells[2].expand", "cells[2].kernel", "ends[2]", "pick", "pick[2].n",
        "width",
      ])
    #expect(found.map(\.value)[3...].map(\.description) == ["4", "3", "true", #"["b",{"n":2}]"#, "2", "8"])
    #expect(found[0].value == 2)
    let sites = Set(space.decisions.map(\.site))
    for decision in found { #expect(sites.contains(decision.info.site)) }
  }
}
