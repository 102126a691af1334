import Diagnostics
import Foundation
import Testing

@Suite struct WeightLoadingTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "References/weights/import_f32.safetensors").path(percentEncoded: false)

  private func run(_ target: String, _ map: String) throws -> RecipeHarness.Result {
    var harness = RecipeHarness()
    harness.settings = [("file", Self.file)]
    return try harness.run(
      """
      local nas = require 'nas'
      local nn = nas.nn
      local space = nas.space {
        a = nas.int(1, 2),
        build = function(arch, x, task)
          return nn.linear(nn.global_avg_pool(nn.conv2d(x, 2, { kernel = { 2, 3 }, padding = 0, bias = true })), task.classes)
        end,
      }
      local data = nas.data.open('shapes', { limit = 100, test_limit = 20 })
      local target = \(target)
      local result = target:load(nas.args { file = '' }.file, { layout = 'pytorch', \(map) })
      print(table.concat(result.missing, ' '))
      print(table.concat(result.unused, ' '))
      """)
  }

  @Test(arguments: ["space:make { a = 1 }:network(data)", "nas.weights(space, { data = data, ema = 0.9 })"])
  func patternsAndFunctionsNameParameters(target: String) throws {
    for map in [
      "map = { ['features%.0%.(%a+)'] = 'conv2d1/%1' }",
      "map = function(name) return name:match('^features') and 'conv2d1/' .. name:match('%a+$') or nil end",
    ] {
      let result = try run(target, map + ", strict = false")
      #expect(result.fault == nil)
      #expect(result.printed == ["linear1/bias linear1/weight", "fc.bias fc.weight"])
    }
  }

  @Test(arguments: ["space:make { a = 1 }:network(data)", "nas.weights(space, { data = data })"])
  func everyNameWithoutAPartnerIsListed(target: String) throws {
    let fault = try run(target, "map = { ['features%.0%.(%a+)'] = 'conv2d1/%1' }").fault
    for name in ["fc.weight", "fc.bias", "linear1/weight", "linear1/bias"] {
      #expect(fault?.description.contains(name) == true)
    }
  }
}
