import Canonical
import Diagnostics
import Foundation
import TensorCore

/// What is checked of an op.
public enum OpProperty: String, Sendable, CaseIterable {
  /// The gradient is that of the numbers: finite differences.
  case gradient
  /// So is the gradient of the gradient.
  case second
  /// A plan and the tape give the same bits.
  case tape
  /// Nothing but zeros is in the padding lanes.
  case lanes
  /// Every kernel set with fused multiply-add, two threads and memory that isn't shared give the same bits. The base set,
  /// without it, is another numerics.
  case bits
  /// Output and gradients are PyTorch's, where there are references.
  case references

  /// One line for the reference.
  public var documentation: String {
    switch self {
    case .gradient: "first gradient against finite differences"
    case .second: "second gradient against finite differences"
    case .tape: "compiled and eager computation have the same bits"
    case .lanes: "padding lanes are zero"
    case .bits:
      "the same bits with AVX2 and AVX-512, on two threads and without sharing memory (the base kernels round otherwise)"
    case .references: "output and gradients against PyTorch"
    }
  }
}

/// What a check found.
public enum OpOutcome: Sendable, Equatable {
  case passed
  /// With what was wrong, the largest error for example.
  case failed(String)
  /// There is nothing to check.
  case notApplicable

  /// Both together: a failure wins, then a pass.
  func and(_ other: OpOutcome) -> OpOutcome {
    switch (self, other) {
    case (.failed, _), (.passed, .passed), (.passed, .notApplicable): self
    default: other
    }
  }
}

/// What was found of one op.
public struct OpReport: Sendable {
  public let op: Op
  /// On what it was checked; empty for an op that no example reaches.
  public let examples: [String]
  public let outcomes: [OpProperty: OpOutcome]

  /// Whether something is wrong, or nothing was checked at all.
  public var isBad: Bool {
    examples.isEmpty || outcomes.values.contains { if case .failed = $0 { true } else { false } }
  }
}

/// Checks every op of the table on small examples: a layer and what has an example on its own ones, any other op on
/// those of the layers that expand to it or differentiate into it.
public struct OpCheck {
  private struct Finding {
    let example: OpExample
    let opNames: Set<String>
    let outcomes: [OpProperty: OpOutcome]
  }

  private let findings: [Finding]
  /// For each op with references, what they show.
  private let references: [String: OpOutcome]

  /// Runs all examples, and compares with references where there are some.
  ///
  /// - Parameters:
  ///   - references: a folder with `ops.json` and `ops.safetensors`, as in `Tests/References`. Throws a `data` fault when
  ///     it can't be read.
  ///   - kernels: the instruction set that is checked, the fastest by default. Throws a `usage` fault for one that this
  ///     CPU can't run.
  public init(references folder: URL? = nil, kernels: KernelSet? = nil) throws {
    try self.init(OpExamples.all, references: folder, kernels: kernels)
  }

  init(_ examples: [OpExample], references folder: URL? = nil, kernels: KernelSet? = nil) throws {
    let compute = try Compute(kernels: kernels)
    references = try folder.map { try Self.compare(try ReferenceFile("ops", in: $0), compute) } ?? [:]
    findings = examples.map { example in
      do {
        return try Self.check(example, compute)
      } catch {
        return Finding(
          example: example, opNames: [example.op.name],
          outcomes: [.gradient: .failed("\(example.description): \(error)")])
      }
    }
  }

  /// What was found, an op of the table after the other.
  public func reports(_ ops: [Op]) -> [OpReport] {
    ops.map { op in
      let own = findings.filter { $0.example.op.name == op.name }
      let used = own.isEmpty ? findings.filter { $0.opNames.contains(op.name) } : own
      var outcomes: [OpProperty: OpOutcome] = [:]
      for property in OpProperty.allCases {
        outcomes[property] = used.compactMap { $0.outcomes[property] }.reduce(.notApplicable) { $0.and($1) }
      }
      outcomes[.references] = references[op.name] ?? .notApplicable
      return OpReport(op: op, examples: used.map(\.example.description), outcomes: outcomes)
    }
  }

  private static func compare(_ file: ReferenceFile, _ compute: Compute) throws -> [String: OpOutcome] {
    var outcomes: [String: OpOutcome] = [:]
    for reference in file.cases {
      let worst = try ReferenceCheck(reference, compute: compute).differences().max { $0.error < $1.error }
      let outcome =
        worst.map { OpOutcome.failed("\(reference.name) \($0.tensor): error \(Float($0.error))") } ?? .passed
      outcomes[reference.op] = outcomes[reference.op]?.and(outcome) ?? outcome
    }
    return outcomes
  }

  private static func check(_ example: OpExample, _ compute: Compute) throws -> Finding {
    let program = try ExampleProgram(example, compute: compute), point = program.draw()
    let result = try program.run(point)
    let errors = try DerivativeCheck(program: program, point: point, result: result).errors()
    func outcome(_ error: Double?) -> OpOutcome {
      guard let error else { return .notApplicable }
      return error < DerivativeCheck.tolerance ? .passed : .failed("\(example.description): error \(Float(error))")
    }
    let alone = try ExampleProgram(example, sharesMemory: false, compute: compute), again = try alone.run(point)
    return Finding(
      example: example, opNames: program.opNames,
      outcomes: [
        .gradient: outcome(errors.first), .second: outcome(errors.second),
        .tape: try TapeCheck(program: program, point: point).outcome(result, compute), .lanes: lanes(alone),
        .bits: again == result
          ? try bits(example, point, result, compute.kernelSet) : .failed("\(example.description): sharing memory"),
      ])
  }

  private static func lanes(_ program: ExampleProgram) -> OpOutcome {
    guard program.plan.graph.values.contains(where: { $0.shape.paddingLanes > 0 }) else { return .notApplicable }
    let dirty = program.plan.opsWithDirtyLanes()
    return dirty.isEmpty ? .passed : .failed("\(program.example.description): \(Set(dirty).sorted())")
  }

  /// The same with other kernels, and on two threads.
  private static func bits(
    _ example: OpExample, _ point: ExampleProgram.Point, _ result: ExampleProgram.Result, _ kernels: KernelSet
  ) throws -> OpOutcome {
    let sets = KernelSet.available.filter { $0.fusesMultiplyAdd == kernels.fusesMultiplyAdd && $0 != kernels }
    for (set, threads) in sets.map({ ($0, 1) }) + [(kernels, 2)] {
      let program = try ExampleProgram(example, compute: try Compute(kernels: set, threads: threads))
      guard try program.run(point) == result else {
        return .failed("\(example.description): \(set.rawValue) with \(threads) threads")
      }
    }
    return .passed
  }
}
