import Canonical
import SearchCore
import Testing

/// SplitMix64 (Steele, Lea and Flood, 2014): a small generator with a known sequence.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

enum Spaces {
  static let operations: [SpaceNode] = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]

  /// The cell of NAS-Bench-201: node 1, 2 and 3 with as many incoming edges.
  static func nasbench201(_ mutation: MutationPolicy = .branch) throws -> Space {
    func edges(_ count: Int) -> SpaceNode { .list(.fixed(count), .oneOf(operations)) }
    return try Space(
      name: "nasbench201", root: .record(["node1": edges(1), "node2": edges(2), "node3": edges(3)]),
      mutation: mutation)
  }

  /// A stem and four blocks, no nesting: 3 · (4 · 3)⁴ members.
  static func blocks() throws -> Space {
    try Space(
      name: "blocks",
      root: .record([
        "stem": .oneOf([8, 16, 24]),
        "blocks": .list(
          .fixed(4),
          .record(["op": .oneOf(["conv3", "mb3", "mb5", "skip"]), "expand": .oneOf([2, 4, 6])])),
      ]))
  }

  /// An option with decisions inside: 1 + 2 · 2 values.
  static let conditional: SpaceNode = .oneOf([
    "skip", .record(["kind": "mb", "expand": .oneOf([2, 4]), "kernel": .oneOf([3, 5])]),
  ])

  /// One option of four has a decision inside, so that their sizes are 1, 1, 1 and 2.
  static let parts: [SpaceNode] = ["a", "b", "c", .record(["n": .oneOf([1, 2])])]

  /// Every kind of node at once, without floats: (5 + 5² + 5³) · 3 · 9 · 2 members.
  static func everything() throws -> Space {
    try Space(
      name: "everything",
      root: .record([
        "cells": .list(.between(IntRange(1, 3)), conditional, name: "depth"),
        "width": .int(IntRange(2, 9, step: 3)),
        "pick": .manyOf(2, parts),
        "ends": .tuple(["first", .oneOf([true, false])]),
        "fixed": 7,
      ]))
  }

  /// Lists in lists, choices with repetition, logarithmic and real ranges.
  static func wild() throws -> Space {
    try Space(
      name: "wild",
      root: .record([
        "order": .manyOf(3, ["x", "y", "z"], ordered: true),
        "bag": .manyOf(3, parts, distinct: false),
        "slots": .manyOf(2, parts, ordered: true, distinct: false),
        "rate": .float(FloatRange(1e-4, 1, log: true)),
        "drop": .float(FloatRange(0, 0.5)),
        "units": .int(IntRange(16, 1024, log: true)),
        "stages": .list(.between(IntRange(0, 2)), .list(.between(IntRange(1, 3)), conditional)),
      ]))
  }

  static let all: [@Sendable () throws -> Space] = [
    { try nasbench201() }, { try nasbench201(.uniformDecision) }, blocks, everything, wild,
  ]
}

/// The text of the fault that `body` throws.
func faultText(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no fault"
  } catch {
    return String(describing: error)
  }
}
