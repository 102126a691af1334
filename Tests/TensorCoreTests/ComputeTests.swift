import Canonical
import Diagnostics
import Synchronization
import TensorCore
import Testing

@Suite struct ComputeTests {
  @Test("Each chunk runs once, and no two calls of a worker overlap", arguments: [1, 2, 5])
  func chunks(_ threads: Int) throws {
    let compute = try Compute(threads: threads)
    for count in [0, 1, 2, 100] {
      let calls = (0..<max(1, count)).map { _ in Counter() }, busy = (0..<threads).map { _ in Counter() }
      for _ in 0..<50 {
        compute.forEachChunk(count) { chunk, worker in
          #expect(busy[worker].value.wrappingAdd(1, ordering: .relaxed).oldValue == 0)
          calls[chunk].value.wrappingAdd(1, ordering: .relaxed)
          busy[worker].value.wrappingSubtract(1, ordering: .relaxed)
        }
      }
      #expect(calls.allSatisfy { $0.value.load(ordering: .relaxed) == (count == 0 ? 0 : 50) })
    }
  }

  private final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  @Test("Threads end with their compute")
  func ending() throws {
    for _ in 0..<200 { try Compute(threads: 4).forEachChunk(8) { _, _ in } }
  }

  @Test("Wrong numbers of threads are faults", arguments: [0, -1, 1000])
  func threads(_ count: Int) {
    #expect(throws: Fault.self) { try Compute(threads: count) }
  }

  @Test("What the bits depend on")
  func numerics() throws {
    let base = try Compute(kernels: .base).numerics
    #expect(base["version"]?.int == Compute.numericsVersion)
    #expect(base["fma"]?.bool == false)
    let core = try BLAS.shared.coreName
    #expect(base["blas"]?.string == core)
    let best = try Compute().numerics
    #expect(best["fma"]?.bool == (KernelSet.best != .base))
  }

  @Test("Buffers are aligned, zero, and of whole vectors")
  func buffers() throws {
    let buffer = try AlignedBuffer(count: 17)
    #expect(UInt(bitPattern: buffer.pointer) % 64 == 0)
    #expect(buffer.byteCount == 128)
    #expect(buffer.floats.allSatisfy { $0 == 0 } && buffer.floats.count == 17)
  }

  @Test("Impossible geometries are faults that say what is wrong")
  func geometries() {
    #expect(throws: Fault.self) { try Case(h: 2, k: 5, p: 1).geometry() }
    #expect(throws: Fault.self) { try Case(ci: 4, co: 6, g: 4).geometry() }
    #expect(throws: Fault.self) { try Case(s: 0).geometry() }
    #expect(throws: Fault.self) { try Case(p: -1).geometry() }
    #expect(throws: Fault.self) { try PoolCase(k: 2, p: 2).geometry() }
  }
}
