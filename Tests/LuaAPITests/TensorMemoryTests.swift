import Foundation
import Testing

/// Tensors that a recipe drops give their memory back.
@Suite(.serialized) struct TensorMemoryTests {
  /// The resident size of this process in bytes.
  private func residentBytes() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
  }

  @Test(arguments: ["nas.zeros { 262144 }", "(x + nas.zeros { 262144 }) * x"])
  func aLoopThatDropsLargeTensorsStaysFlat(expression: String) throws {
    let before = try residentBytes()
    let result = try RecipeHarness().run(
      """
      local nas = require 'nas'
      local x = nas.ones({ 262144 }, { requires_grad = true })
      for _ = 1, 10000 do local value = \(expression) end
      """)
    #expect(result.fault == nil)
    #expect(try residentBytes() - before < 400 << 20)
  }

  /// What a small loss of a large network holds is counted: thousands of them don't pile up.
  @Test func aLoopThatDropsLossesStaysFlat() throws {
    let before = try residentBytes()
    let result = try RecipeHarness().run(
      """
      local nas = require 'nas'
      local nn = nas.nn
      local data = nas.data.open('shapes', { valid = 20, limit = 100, test_limit = 10 })
      local space = nas.space { op = nas.oneof { 'a', 'b' }, build = function(arch, x, task)
        x = nn.choice(arch.op, { a = nn.relu, b = nn.tanh }, x)
        return nn.linear(nn.flatten(x), task.classes)
      end }
      local net, batch = nas.relax(space, { data = data }), (data:batches { size = 8 }())
      for _ = 1, 5000 do net:loss(batch) end
      """)
    #expect(result.fault == nil)
    #expect(try residentBytes() - before < 250 << 20)
  }
}
