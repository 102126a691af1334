import Canonical
import Diagnostics
import LuaHost
import NeuralNet
import RunStore

/// What the test kit (`nas/testing`) needs beyond the public API; there only while a harness is at work.
struct RehearsalBinding {
  let session: Session

  func functions() -> [String: LuaFunction] {
    guard let harness = session.options.harness else { return [:] }
    return [
      "test_result": { call in harness.onResult(try call.json(1)) },
      "rehearse": { call in try rehearse(harness, call) },
      // weights_digest(network): equal for equal weights and running statistics, bit for bit
      "weights_digest": { call in
        guard let network = try call.object(1, as: NetworkObject.self) else {
          throw call.wrong(1, expected: "a Network")
        }
        call.push(network.weights.digest)
      },
    ]
  }

  /// `rehearse { module, arguments, subject, seed, interrupt_after, seconds }`: runs the subject, a module that
  /// `require` finds or else the harness's own, in a fresh VM with another harness.
  private func rehearse(_ harness: Harness, _ call: borrowing LuaCall) throws {
    guard let table = call.table(1), let module = table["module"].string else {
      throw call.wrong(1, expected: "a table with a module")
    }
    var options = session.options
    options.recipe = try subject(named: table["subject"].string, of: harness)
    options.harness = Harness(module, try LuaValues.json(table["arguments"]))
    options.settings = []
    options.seed = UInt64(clamping: table["seed"].integer ?? 1)
    options.threads = 1
    let cancellation = session.host.cancellation
    let rehearsal = Rehearsal(
      options, interruptions: (table["interrupt_after"].table?.array ?? []).compactMap(\.integer),
      seconds: table["seconds"].number ?? 60, isUnwanted: { cancellation.isCancelled })
    try call.push(try rehearsal.run())
  }

  private func subject(named name: String?, of harness: Harness) throws -> RecipeSource {
    guard let name else {
      guard let subject = harness.subject else { throw Fault(.internal, "core.rehearse: there is no subject") }
      return subject
    }
    let text = "return require \(JSONValue.string(name).text())\n"
    return RecipeSource(file: name, folder: session.options.recipe.folder, text: text)
  }
}
