extension BadRecipe {
  /// Tensors, their operators and their gradients.
  static let tensors = [
    BadRecipe(
      "no numbers", tensorStart + "nas.tensor {}",
      "r.lua:5: nas.tensor: a table without numbers: expected at least one number, got an empty list"),
    BadRecipe(
      "no numbers inside", tensorStart + "nas.tensor { { 1 }, {} }",
      "r.lua:5: values[2]: nas.tensor: a table without numbers: expected at least one number, got an empty "
        + "list"),
    BadRecipe(
      "rows of two lengths", tensorStart + "nas.tensor { { 1, 2 }, { 3 } }",
      "r.lua:5: values[2]: nas.tensor: the rows differ in length: expected 2 values, got 1 value"),
    BadRecipe(
      "a number among rows", tensorStart + "nas.tensor { { 1, 2 }, 3 }",
      "r.lua:5: values[2]: nas.tensor: wrong value: expected a table as beside it, got 3"),
    BadRecipe(
      "a row among numbers", tensorStart + "nas.tensor { 1, { 3 } }",
      "r.lua:5: values[2]: nas.tensor: wrong value: expected a number as beside it, got a table"),
    BadRecipe(
      "a text among numbers", tensorStart + "nas.tensor { { 1, 2 }, { 3, \"x\" } }",
      "r.lua:5: values[2][2]: nas.tensor: wrong value: expected a number, got the text \"x\""),
    BadRecipe(
      "a hole", tensorStart + "nas.tensor { 1, nil, 3 }",
      "r.lua:5: values[2]: nas.tensor: wrong value: expected a number, got nil"),
    BadRecipe(
      "names instead of numbers", tensorStart + "nas.tensor { x = 1 }",
      "r.lua:5: nas.tensor: a table without numbers: expected at least one number, got a table with names"),
    BadRecipe(
      "a text", tensorStart + "nas.tensor(\"x\")",
      "r.lua:5: nas.tensor: wrong argument 1 ('values'): expected a table or a number, got the text \"x\""),
    BadRecipe(
      "a table in itself", tensorStart + "local t = {} t[1] = t nas.tensor(t)",
      "r.lua:5: values[1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1]: nas.tensor: too many dimensions: "
        + "expected at most 16, got more"),
    BadRecipe(
      "option of a tensor", tensorStart + "nas.tensor({ 1 }, { requires_gard = true })",
      "r.lua:5: nas.tensor: unknown option 'requires_gard'. Did you mean 'requires_grad'?"),
    BadRecipe(
      "a size of 2^62", tensorStart + "nas.zeros { 2 ^ 62, 2 ^ 62 }",
      "r.lua:5: nas.zeros: wrong shape: expected a list of at most 16 whole numbers from 1, at most "
        + "268435456 elements, got { 4.611686018427388e+18, 4.611686018427388e+18 }"),
    BadRecipe(
      "a product that is too large", tensorStart + "nas.rand { 2 ^ 20, 2 ^ 20 }",
      "r.lua:5: nas.rand: wrong shape: expected a list of at most 16 whole numbers from 1, at most "
        + "268435456 elements, got { 1048576.0, 1048576.0 }"),
    BadRecipe(
      "a negative size", tensorStart + "nas.ones { 2, -1 }",
      "r.lua:5: nas.ones: wrong shape: expected a list of at most 16 whole numbers from 1, at most "
        + "268435456 elements, got { 2, -1 }"),
    BadRecipe(
      "a size of 0", tensorStart + "nas.randn { 0 }",
      "r.lua:5: nas.randn: wrong shape: expected a list of at most 16 whole numbers from 1, at most "
        + "268435456 elements, got { 0 }"),
    BadRecipe(
      "a size that is no number", tensorStart + "nas.zeros { 0 / 0 }",
      "r.lua:5: nas.zeros: wrong shape: expected a list of at most 16 whole numbers from 1, at most "
        + "268435456 elements, got { NaN }"),
    BadRecipe(
      "a broken size", tensorStart + "nas.zeros { 1.5 }",
      "r.lua:5: nas.zeros: wrong shape: expected a list of at most 16 whole numbers from 1, at most "
        + "268435456 elements, got { 1.5 }"),
    BadRecipe(
      "a size without a list", tensorStart + "nas.zeros(3)",
      "r.lua:5: nas.zeros: wrong argument 1 ('shape'): expected a table, got 3"),
    BadRecipe(
      "a size with a name", tensorStart + "nas.zeros { 2, 3, rows = 4 }",
      "r.lua:5: nas.zeros: wrong shape: expected a list of at most 16 whole numbers from 1, at most "
        + "268435456 elements, got { 2, 3, rows }"),
    BadRecipe(
      "a stream that is no name", tensorStart + "nas.rand({ 2 }, { stream = 3 })",
      "r.lua:5: nas.rand: wrong option 'stream': expected a string, got 3"),
    BadRecipe(
      "shapes of a difference", tensorStart + "local _ = a - nas.tensor { 1, 2, 3, 4 }",
      "r.lua:5: sub: the shapes don't fit together: expected [2, 3], or extents of 1 where they differ, "
        + "got [4]"),
    BadRecipe(
      "shapes of a product", tensorStart + "local _ = a * nas.tensor { { 1, 2 }, { 3, 4 } }",
      "r.lua:5: mul: the shapes don't fit together: expected [2, 3], or extents of 1 where they differ, "
        + "got [2, 2]"),
    BadRecipe(
      "a text as an operand", tensorStart + "local _ = a + \"x\"",
      "r.lua:5: wrong operands of '+': expected a Tensor and a Tensor or a number, got a Tensor + the text "
        + "\"x\""),
    BadRecipe(
      "nil as an operand", tensorStart + "local _ = nil - a",
      "r.lua:5: wrong operands of '-': expected a Tensor and a Tensor or a number, got nil - a Tensor"),
    BadRecipe(
      "a tensor as an exponent", tensorStart + "local _ = 2 ^ a",
      "r.lua:5: wrong operands of '^': expected a Tensor to the power of a number, as in x ^ 2, got 2 ^ a "
        + "Tensor"),
    BadRecipe(
      "an exponent that is no number", tensorStart + "local _ = a ^ (0 / 0)",
      "r.lua:5: wrong value for the option 'exponent' of pow: expected a number from -1000000.0 to "
        + "1000000.0, got \"NaN\""),
    BadRecipe(
      "a remainder", tensorStart + "local _ = a % 2",
      "r.lua:5: attempt to perform arithmetic on a Tensor value (local 'a')"),
    BadRecipe(
      "field of a tensor", tensorStart + "local _ = a.shap",
      "r.lua:5: a Tensor has no 'shap'. Did you mean 'shape'?"),
    BadRecipe(
      "a field that is set", tensorStart + "a.grad = 3",
      "r.lua:5: a field of a Tensor can't be set: expected t.grad = nil, got grad = 3"),
    BadRecipe(
      "item of many", tensorStart + "a:item()",
      "r.lua:5: item: wrong shape: expected a tensor of one element, got [2, 3]"),
    BadRecipe(
      "a method without its object", tensorStart + "a.item()",
      "r.lua:5: tensor:item: wrong object before ':': expected a Tensor, got nothing. "
        + "Call it with a colon: tensor:item(…)."),
    BadRecipe(
      "backward without a history", tensorStart + "a:backward()",
      "r.lua:5: backward: no gradient was recorded for this tensor. Make a tensor with { requires_grad = "
        + "true }, or use a model's parameters."),
    BadRecipe(
      "backward of many", tensorStart + "local y = x * x\ny:backward()",
      "r.lua:6: a gradient needs a tensor of one element: expected [], got [2]. Take the mean or the sum "
        + "first."),
    BadRecipe(
      "backward with another shape", tensorStart + "local y = x * x\ny:backward(nas.tensor { 1, 2, 3 })",
      "r.lua:6: the gradient of a tensor has its shape: expected [2], got [3]"),
    BadRecipe(
      "grad without a list", tensorStart + "nas.grad(x * x, x)",
      "r.lua:5: nas.grad: wrong argument 2 ('tensors'): expected a table, got a Tensor"),
    BadRecipe(
      "grad by a number", tensorStart + "nas.grad(x * x, { 1 })",
      "r.lua:5: nas.grad: wrong element 1 of the list: expected a Tensor, got 1"),
    BadRecipe(
      "grad by a tensor that was not recorded", tensorStart + "nas.grad(x * x, { x, a })",
      "r.lua:5: nas.grad: no gradient was recorded for a tensor of the list: got element 2. Make a tensor "
        + "with { requires_grad = true }, or use a model's parameters."),
    BadRecipe(
      "grad of a tensor that was not recorded", tensorStart + "nas.grad(a, { x })",
      "r.lua:5: nas.grad: no gradient was recorded for the loss. Make a tensor with { requires_grad = true "
        + "}, or use a model's parameters."),
    BadRecipe(
      "option of grad", tensorStart + "nas.grad(x * x, { x }, { creat_graph = true })",
      "r.lua:5: nas.grad: unknown option 'creat_graph'. Did you mean 'create_graph'?"),
    BadRecipe(
      "no_grad of a tensor", tensorStart + "nas.no_grad(a)",
      "r.lua:5: nas.no_grad: wrong argument 1 ('fn'): expected a function, got a Tensor"),
    BadRecipe(
      "a layer outside of a model", tensorStart + "nn.linear(a, 3)",
      "r.lua:5: linear has parameters, which only a model or a build can hold. Call it inside "
        + "nas.model(function(x) … end)."),
  ]

  /// Models, their files, optimisers and schedules.
  static let models = [
    BadRecipe(
      "another shape of a parameter", modelStart + "model(nas.tensor { { 1, 2 } })",
      "r.lua:5: linear1/weight: a parameter can't change its shape: expected [3, 2], got [2, 2]"),
    BadRecipe(
      "a model without an input", modelStart + "model()",
      "r.lua:5: nas.nn.linear: wrong input: expected a Tensor, got nil"),
    BadRecipe(
      "a parameter twice",
      modelStart + "nas.model(function() nn.parameter(\"w\", { 2 }) return nn.parameter(\"w\", { 3 }) end)()",
      "r.lua:7: w: a parameter can't have a path that a parameter has already. Give one of them another "
        + "name."),
    BadRecipe(
      "a layer twice",
      modelStart + "nas.model(function(y) return nn.linear(nn.linear(y, 2, { name = \"l\" }), 2, { name = \"l\" }) "
        + "end)(a)",
      "r.lua:7: l: a node can't have a path that a node has already. Give one of them another name."),
    BadRecipe(
      "a layer of too many features", modelStart + "nas.model(function(y) return nn.linear(y, 2 ^ 62) end)(a)",
      "r.lua:7: linear1: wrong value for the option 'features' of linear: expected a whole number from 1 "
        + "to 65536, got 4.611686018427388e+18"),
    BadRecipe(
      "a layer of NaN features", modelStart + "nas.model(function(y) return nn.linear(y, 0 / 0) end)(a)",
      "r.lua:7: linear1: wrong value for the option 'features' of linear: expected a whole number from 1 "
        + "to 65536, got \"NaN\""),
    BadRecipe(
      "a number as a name", modelStart + "nas.model(function(y) return nn.linear(y, 2, { name = 3 }) end)(a)",
      "r.lua:7: nas.nn.linear: wrong option 'name': expected a text, got 3"),
    BadRecipe(
      "an empty name", modelStart + "nas.model(function(y) return nn.linear(y, 2, { name = \"\" }) end)(a)",
      "r.lua:7: wrong name: expected letters, digits, '_' and '-', got \"\""),
    BadRecipe(
      "a parameter without an end", modelStart + "nas.model(function() return nn.parameter(\"w\", { 2 ^ 62 }) end)()",
      "r.lua:7: nas.nn.parameter: wrong shape: expected a list of at most 16 whole numbers from 1, at most "
        + "268435456 elements, got { 4.611686018427388e+18 }"),
    BadRecipe(
      "a negative deviation",
      modelStart + "nas.model(function() return nn.parameter(\"w\", { 2 }, { init = \"normal\", scale = -1 }) end)()",
      "r.lua:7: nas.nn.parameter: wrong option 'scale': expected a bound or a deviation of at least 0, got "
        + "-1.0"),
    BadRecipe(
      "a parameter outside of a network", modelStart + "nn.parameter(\"w\", { 2 })",
      "r.lua:7: nas.nn.parameter was called outside of build and of any model. Call it inside a space's build, or "
        + "inside nas.model(function(x) … end)."),
    BadRecipe(
      "a model of a number", modelStart + "nas.model(3)",
      "r.lua:7: nas.model: wrong argument 1 ('fn'): expected a function, got 3"),
    BadRecipe(
      "method of a model", modelStart + "model:paramters()",
      "r.lua:7: a Model has no 'paramters'. Did you mean 'parameters'?"),
    BadRecipe(
      "a file name with a folder", modelStart + "model:save(\"a/b\")",
      "r.lua:7: model:save: wrong name: expected 1 to 100 letters, digits, '_' and '-', got 'a/b'"),
    BadRecipe(
      "a model that was never called", modelStart + "nas.model(function() end):save(\"m\")",
      "r.lua:7: model:save: the model has no parameters. A model makes them when it is first called."),
    BadRecipe(
      "a file that is not there", modelStart + "model:load(\"wieghts.safetensors\")",
      "r.lua:7: there is no such file or folder: got wieghts.safetensors. Did you mean "
        + "'weights.safetensors'?", status: 66),
    BadRecipe(
      "parameters that the file lacks", modelStart + "model:load(\"weights.safetensors\")",
      "r.lua:7: PLACE/weights.safetensors: names of the file and of the network don't match: expected an array for "
        + "every parameter, all used, got without an array: linear1/bias, linear1/weight; without a parameter: fc.bias, "
        + "fc.weight, features.0.bias, features.0.weight. Name them in map, or load with strict = false.", status: 66),
    BadRecipe(
      "a file that is no safetensors", modelStart + "model:load(\"r.lua\")",
      "r.lua:7: PLACE/r.lua, offset 0: the header is longer than the file: expected a length of at most 244 bytes, "
        + "got 7020584518979645292", status: 66),
    BadRecipe(
      "option of an optimiser", modelStart + "nas.optim.adam(model:parameters(), { lrr = 0.1 })",
      "r.lua:7: nas.optim.adam: unknown option 'lrr'. Did you mean 'lr'?"),
    BadRecipe(
      "a negative learning rate", modelStart + "nas.optim.sgd(model:parameters(), { lr = -1 })",
      "r.lua:7: nas.optim.sgd: wrong option 'lr': expected at least 0, got -1"),
    BadRecipe(
      "a learning rate that is no number", modelStart + "nas.optim.adamw(model:parameters(), { lr = 0 / 0 })",
      "r.lua:7: nas.optim.adamw: wrong option 'lr': expected a number, got NaN"),
    BadRecipe(
      "a learning rate without an end", modelStart + "nas.optim.rmsprop(model:parameters(), { lr = math.huge })",
      "r.lua:7: nas.optim.rmsprop: wrong option 'lr': expected a finite number, got inf"),
    BadRecipe(
      "beta of 1", modelStart + "nas.optim.adam(model:parameters(), { beta1 = 1 })",
      "r.lua:7: nas.optim.adam: wrong option 'beta1': expected at most 0.999999, got 1"),
    BadRecipe(
      "Nesterov without momentum", modelStart + "nas.optim.sgd(model:parameters(), { nesterov = true })",
      "r.lua:7: Nesterov's momentum needs a momentum: expected momentum above 0, got 0.0"),
    BadRecipe(
      "no parameters", modelStart + "nas.optim.adam({})",
      "r.lua:7: an optimiser needs parameters. A model makes its parameters when it is first called."),
    BadRecipe(
      "a model as parameters", modelStart + "nas.optim.adam(model)",
      "r.lua:7: nas.optim.adam: wrong argument 1 ('parameters'): expected a table, got a Model"),
    BadRecipe(
      "a tensor that can not be trained", modelStart + "nas.optim.adam { a }",
      "r.lua:7: parameter 1 can't be trained: expected a model's parameter or a tensor made with { "
        + "requires_grad = true }, got a tensor without a gradient"),
    BadRecipe(
      "a parameter that is listed twice", modelStart + "local p = model:parameters()[1] nas.optim.adam { p, p }",
      "r.lua:7: linear1/weight: nas.optim.adam: a tensor is in the list twice: expected each once, got "
        + "elements 1 and 2"),
    BadRecipe(
      "name of an optimiser", modelStart + "nas.optim.adan(model:parameters())",
      "r.lua:7: nas.optim has no 'adan'. Did you mean 'adam'?"),
    BadRecipe(
      "a learning rate that is set wrong", modelStart + "nas.optim.adam(model:parameters()).lr = -1",
      "r.lua:7: wrong field of an Optimiser: expected optimiser.lr = a number from 0, got lr = -1"),
    BadRecipe(
      "a schedule without a peak", modelStart + "nas.optim.schedule { total = 10 }",
      "r.lua:7: nas.optim.schedule: option 'peak' is missing: expected a number"),
    BadRecipe(
      "a peak of 0", modelStart + "nas.optim.schedule { peak = 0, total = 10 }",
      "r.lua:7: wrong learning rate: expected above 0, got 0.0"),
    BadRecipe(
      "a warm-up that is too long", modelStart + "nas.optim.schedule { peak = 1, total = 10, warmup = 20 }",
      "r.lua:7: wrong warm-up: expected 0 to 10, got 20"),
    BadRecipe(
      "curve of a schedule", modelStart + "nas.optim.schedule { peak = 1, total = 10, curve = \"cosin\" }",
      "r.lua:7: nas.optim.schedule: wrong option 'curve': expected one of cosine, constant, step, got the "
        + "text \"cosin\". Did you mean 'cosine'?"),
    BadRecipe(
      "an infinite factor",
      modelStart + "nas.optim.schedule { peak = 1, total = 10, curve = \"step\", factor = math.huge }",
      "r.lua:7: wrong step schedule: expected every ≥ 1 and factor > 0, got 30, inf"),
    BadRecipe(
      "a negative position", modelStart + "nas.optim.schedule { peak = 1, total = 10 }(-1)",
      "r.lua:7: wrong argument 1 of 'schedule': expected a position from 0, got -1"),
  ]

  /// A case's own text follows on line 5.
  private static let tensorStart = """
    local nas = require "nas"
    local nn = nas.nn
    local a = nas.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
    local x = nas.tensor({ 1, 2 }, { requires_grad = true })

    """

  /// A case's own text follows on line 7.
  private static let modelStart =
    tensorStart
      + """
      local model = nas.model(function(input) return nn.linear(input, 2) end)
      model(a)

      """
}
