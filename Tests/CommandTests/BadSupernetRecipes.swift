extension BadRecipe {
  /// Weights that the architectures of a space share.
  static let sharedWeights = [
    BadRecipe(
      "weights without data", weightsStart + "nas.weights(space)",
      "r.lua:16: nas.weights: option 'data' is missing: expected Data. nas.data.open(…) opens them."),
    BadRecipe(
      "option of weights", weightsStart + "nas.weights(space, { data = data, lr = 0.1 })",
      "r.lua:16: nas.weights: unknown option 'lr'. Known: clip, data, decay_norm, ema, label_smoothing, "
        + "momentum, nesterov, precision, share, stream, weight_decay."),
    BadRecipe(
      "weights of a space without build",
      weightsStart + "nas.weights(nas.space { op = nas.oneof { 1, 2 } }, { data = data })",
      "r.lua:16: space: this space has no build function. Give nas.space a build = function(arch, x, task)."),
    BadRecipe(
      "an architecture of another space", weightsStart + "weights:step(other:random(), batch, { lr = 0.1 })",
      "r.lua:16: space: no decision 'kind'. Known: op."),
    BadRecipe(
      "decisions instead of an architecture", weightsStart + "weights:step({ op = \"conv\" }, batch, { lr = 0.1 })",
      "r.lua:16: weights:step: wrong argument 1 ('arch'): expected an Architecture, got a table. "
        + "space:random() and space:make { … } give one."),
    BadRecipe(
      "a step without a rate", weightsStart + "weights:step(arch, batch)",
      "r.lua:16: weights:step: option 'lr' is missing: expected a number"),
    BadRecipe(
      "a step on data", weightsStart + "weights:step(arch, data, { lr = 0.1 })",
      "r.lua:16: weights:step: wrong argument 2 ('batch'): expected a Batch, got Data. data:batches { … } gives them."),
    BadRecipe(
      "option of a step", weightsStart + "weights:step(arch, batch, { rate = 0.1 })",
      "r.lua:16: weights:step: unknown option 'rate'. Known: label_weight, lr, teacher, teacher_weight, temperature."),
    BadRecipe(
      "a step on a batch of other data",
      weightsStart + "local table = nas.data.open(\"kinds.csv\", { target = \"kind\", task = \"classification\" "
        + "})\nweights:step(arch, table:batches { size = 4 }(), { lr = 0.1 })",
      "r.lua:17: the batch doesn't fit 'shapes': expected samples of [16, 16, 3] in 10 classes, got samples of [1] with "
        + "labels up to 2"),
    BadRecipe(
      "batch norm of evaluate", weightsStart + "weights:evaluate(arch, { bn = \"recalibrat\" })",
      "r.lua:16: weights:evaluate: wrong option 'bn': expected one of batch, recalibrate, running, got the "
        + "text \"recalibrat\". Did you mean 'recalibrate'?"),
    BadRecipe(
      "split of evaluate", weightsStart + "weights:evaluate(arch, { split = \"vald\" })",
      "r.lua:16: unknown split 'vald'. Did you mean 'valid'?"),
    BadRecipe(
      "update without gradients", weightsStart + "weights:apply { lr = 0.1 }",
      "r.lua:16: there are no gradients to apply. Call accumulate first."),
    BadRecipe(
      "an average that was not kept", weightsStart + "weights:evaluate(arch, { ema = true })",
      "r.lua:16: no average of the weights is kept. Make them with nas.weights(space, { ema = 0.999, … })."),
    BadRecipe(
      "a path that is no architecture",
      weightsStart + "weights:fit { epochs = 1, batch = 10, paths = function() return 3 end }",
      "r.lua:16: wrong result of paths in weights:fit: expected an Architecture, got 3"),
    BadRecipe(
      "a batch that is too large", weightsStart + "weights:fit { epochs = 1, batch = 2 ^ 62 }",
      "r.lua:16: batch size: expected 1…40, the number of training images, got 4611686018427387904"),
    BadRecipe(
      "scores that are too few", weightsStart + "weights:reorder(\"conv/conv2d1\", { 1, 2 })",
      "r.lua:16: conv/conv2d1/weight: wrong number of scores for the channels of a parameter: expected 4, "
        + "got 2"),
    BadRecipe(
      "scores that are no numbers", weightsStart + "weights:reorder(\"linear1\", { 1, 0 / 0 })",
      "r.lua:16: linear1: weights:reorder: wrong score 2: expected a number, got NaN"),
    BadRecipe(
      "a layer that is not there", weightsStart + "weights:reorder(\"liner1\", { 1, 2 })",
      "r.lua:16: there is no convolution or linear layer 'liner1'. Did you mean 'linear1'?"),
    BadRecipe(
      "one name for two kinds of layers",
      weightsStart + "nas.weights(with({ op = nas.oneof { \"a\", \"b\" } }, function(arch, x, task)\n  x = arch.op == "
        + "\"a\" and nn.conv2d(x, 4, { kernel = 3, name = \"layer\" }) or nn.batch_norm(x, { name = \"layer\" "
        + "})\n  return nn.linear(nn.global_avg_pool(x), task.classes, { name = \"head_\" .. arch.op })\nend), "
        + "{ data = data })",
      "r.lua:16: layer/weight: one path means different parameters in two architectures: expected weight "
        + "[3, 3, 3, 4], as in the largest architecture, got norm [3] in a1-34cd62940c48aa5f. Give the layers "
        + "different names."),
    BadRecipe(
      "one name for two layers",
      weightsStart + "nas.weights(with({ op = nas.oneof { \"a\", \"b\" } }, function(arch, x, task)\n  x = "
        + "nn.conv2d(nn.conv2d(x, 4, { kernel = 3, name = \"layer\" }), 4, { kernel = 3, name = \"layer\" })\n "
        + " return nn.linear(nn.global_avg_pool(x), task.classes)\nend), { data = data })",
      "r.lua:17: layer: a node can't have a path that a node has already. Give one of them another name."),
    BadRecipe(
      "an option without a branch",
      weightsStart + "nas.weights(with({ op = nas.oneof { \"a\", \"b\" } }, function(arch, x, task)\n  x = "
        + "nn.choice(arch.op, { a = function() return nn.relu(x) end })\n  return "
        + "nn.linear(nn.global_avg_pool(x), task.classes)\nend), { data = data })",
      "r.lua:17: nn.choice has no branch for this option: expected one of a, got b. Give every option of "
        + "the decision a branch."),
  ]

  /// Spaces as one differentiable network.
  static let relaxed = [
    BadRecipe(
      "relaxed without data", spaceStart + "local _ = nas.relax(space)",
      "r.lua:14: nas.relax: option 'data' is missing: expected Data. nas.data.open(…) opens them."),
    BadRecipe(
      "option of relax", spaceStart + "local _ = nas.relax(space, { data = data, mx = 3 })",
      "r.lua:14: nas.relax: unknown option 'mx'. Did you mean 'mix'?"),
    BadRecipe(
      "mix that is a number", spaceStart + "local _ = nas.relax(space, { data = data, mix = 3 })",
      "r.lua:14: nas.relax: wrong option 'mix': expected a function, got 3"),
    BadRecipe(
      "mix without a result", spaceStart + "local _ = nas.relax(space, { data = data, mix = function() end })",
      "r.lua:5: space.op: wrong result of mix: expected a value of nas.nn, such as branches[1](x), got "
        + "nil. End mix with `return …`."),
    BadRecipe(
      "mix that gives a tensor",
      spaceStart + "local _ = nas.relax(space, { data = data, mix = function() return nas.tensor { 1 } end })",
      "r.lua:5: space.op: wrong result of mix: expected a value of nas.nn, such as branches[1](x), got a "
        + "Tensor. End mix with `return …`."),
    BadRecipe(
      "mix with an error",
      spaceStart + "local _ = nas.relax(space, { data = data, mix = function() error(\"no mixture\") end })",
      "r.lua:14: no mixture"),
    BadRecipe(
      "a float", spaceStart + "local _ = nas.relax(with({ op = nas.float(0, 1) }, build), { data = data })",
      "r.lua:14: space.op: a decision can't be relaxed: expected a oneof or manyof of plain values that is always "
        + "active, got float. Decide it first: space:fix { [\"op\"] = … }."),
    BadRecipe(
      "a decision that is used as a number",
      spaceStart + "local _ = nas.relax(with({ width = nas.oneof { 4, 8 } }, function(arch, x, task)\n  return "
        + "nn.linear(nn.global_avg_pool(nn.conv2d(x, arch.width, { kernel = 3 })), task.classes)\nend), { data "
        + "= data })",
      "r.lua:15: space.width: build needs the value of a decision that is left open: expected "
        + "nn.choice(arch.width, { … }) with a branch for each option. Only nn.choice takes it while it is open; "
        + "narrow the space with space:fix { … } to decide it first."),
    BadRecipe(
      "loss of a number", spaceStart + "local net = nas.relax(space, { data = data })\nnet:loss(3)",
      "r.lua:15: net:loss: wrong argument 1 ('batch'): expected a Batch, got 3. data:batches { … } gives them."),
    BadRecipe(
      "loss on other data",
      spaceStart + "local net = nas.relax(space, { data = data })\nlocal table = nas.data.open(\"kinds.csv\", { target "
        + "= \"kind\", task = \"classification\" })\nlocal other = table:batches { size = 4 "
        + "}()\nnet:loss(other)",
      "r.lua:17: the batch doesn't fit 'shapes': expected samples of [16, 16, 3] in 10 classes, got samples of [1] with "
        + "labels up to 2"),
    BadRecipe(
      "field of a relaxed space", spaceStart + "local net = nas.relax(space, { data = data })\nlocal _ = net.alpa",
      "r.lua:15: a Relaxed has no 'alpa'. Did you mean 'alpha'?"),
  ]

  /// Weights of other programs, and networks on data that they aren't for.
  static let loading = [
    BadRecipe(
      "a weight file that is not there", networkStart + "network:load(\"nowhere.safetensors\")",
      "r.lua:15: there is no such file or folder: got nowhere.safetensors. Check the path, or pass it with "
        + "--set.", status: 66),
    BadRecipe(
      "names that do not match", networkStart + "network:load(\"weights.safetensors\")",
      "r.lua:15: PLACE/weights.safetensors: names of the file and of the network don't match: expected an array for "
        + "every parameter, all used, got without an array: conv/conv2d1/weight, linear1/bias, linear1/weight; "
        + "without a parameter: fc.bias, fc.weight, features.0.bias, features.0.weight. Name them in map, or "
        + "load with strict = false.", status: 66),
    BadRecipe(
      "layout of a weight file", networkStart + "network:load(\"weights.safetensors\", { layout = \"pytroch\" })",
      "r.lua:15: network:load: wrong option 'layout': expected one of nasrun, pytorch, got the text "
        + "\"pytroch\". Did you mean 'pytorch'?"),
    BadRecipe(
      "a map that is a number", networkStart + "network:load(\"weights.safetensors\", { map = 3 })",
      "r.lua:15: network:load: wrong option 'map': expected a table or a function, got 3"),
    BadRecipe(
      "a map that gives a number",
      networkStart + "network:load(\"weights.safetensors\", { map = function() return 3 end })",
      "r.lua:15: network:load: map gave no path for 'fc.bias': expected a text or nil, got 3"),
    BadRecipe(
      "a pattern that is none",
      networkStart + "network:load(\"weights.safetensors\", { map = { [\"(\"] = \"linear1/weight\" } })",
      "r.lua:15: network:load: map has a wrong Lua pattern or template: got [\"(\"] = \"linear1/weight\". "
        + "A name that has magic characters needs a % before each: features%.0."),
    BadRecipe(
      "two arrays for one parameter",
      networkStart + "network:load(\"weights.safetensors\", { map = { [\".*\"] = \"linear1/weight\" } })",
      "r.lua:15: PLACE/weights.safetensors: linear1/weight: two arrays for one parameter: got 'fc.bias' and "
        + "'fc.weight'. Make map give each name a path of its own.", status: 66),
    BadRecipe(
      "an array of another shape",
      networkStart
        + "network:load(\"weights.safetensors\", { map = { [\"fc%.(%a+)\"] = \"linear1/%1\" }, strict = false "
        + "})",
      "r.lua:15: PLACE/weights.safetensors: linear1/weight: an array of the weights has another shape: expected [4, "
        + "10], got [4, 6] from 'fc.weight'", status: 66),
    BadRecipe(
      "a network on other data",
      networkStart + "local table = nas.data.open(\"kinds.csv\", { target = \"kind\", task = \"classification\" "
        + "})\nnetwork:evaluate(table, { split = \"test\" })",
      "r.lua:16: input: the network's input doesn't fit the data: expected [N, 16, 16, 3], got samples of "
        + "[1]. Make the network with these data: arch:network(data)."),
  ]

  /// A case's own text follows on line 14.
  private static let spaceStart = """
    local nas = require "nas"
    local nn = nas.nn
    local data = nas.data.open("shapes", { valid = 20, limit = 60, test_limit = 20 })
    local function build(arch, x, task)
      return nn.linear(nn.global_avg_pool(nn.choice(arch.op, {
        conv = function(x) return nn.conv2d(x, 4, { kernel = 3, stride = 2 }) end,
        pool = function(x) return nn.conv2d(nn.avg_pool(x, { kernel = 2 }), 4, { kernel = 1 }) end,
      }, x)), task.classes)
    end
    local function with(decisions, build) decisions.build = build return nas.space(decisions) end
    local space = with({ op = nas.oneof { "conv", "pool" } }, build)
    local other = with({ kind = nas.oneof { "a", "b" } }, build)
    local batch = data:batches { size = 10 }()

    """

  /// A case's own text follows on line 16.
  private static let weightsStart =
    spaceStart
      + """
      local weights = nas.weights(space, { data = data })
      local arch = space:make { op = "conv" }

      """

  /// A case's own text follows on line 15.
  private static let networkStart = spaceStart + "local network = space:make { op = \"conv\" }:network(data)\n"
}
