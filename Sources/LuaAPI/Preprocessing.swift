import Canonical
import Datasets

extension NetworkObject {
  /// What another program needs to feed the network and to read its answers: sizes, layout, normalisation and classes,
  /// for a table its columns and the scale of its target.
  var preprocessing: JSONValue {
    if let storedPreprocessing { return storedPreprocessing }
    var fields: [String: JSONValue] = [
      "shape": .array(task.imageShape.map(JSONValue.int)),
      "classes": .array(task.classNames.map(JSONValue.string)),
      "parameters": "convolutions [ky, kx, in / groups, out], linear layers [in, out]",
    ]
    if let columns = task.columns {
      fields["layout"] = """
        one value per column: of a number (x - mean) / deviation, of a text 1 where the column holds it and else 0; \
        0 for missing values
        """
      fields["columns"] = .array(zip(columns, columns.indices).map(column))
      fields["target"] = target
    } else {
      fields["layout"] = "NHWC, values from 0 to 1 normalised by (x - mean) / deviation"
      fields["mean"] = .array(normalisation.mean.map(JSONValue.number))
      fields["deviation"] = .array(normalisation.deviation.map(JSONValue.number))
    }
    return .object(fields)
  }

  private func column(_ input: TableRows.Input, _ index: Int) -> JSONValue {
    if let text = input.text { return ["column": .string(input.column), "text": .string(text)] }
    return [
      "column": .string(input.column), "mean": .number(normalisation.mean[index]),
      "deviation": .number(normalisation.deviation[index]),
    ]
  }

  /// How answers of a regression become numbers in the file's units: answer * deviation + mean.
  private var target: JSONValue? {
    normalisation.target.map { scale in
      [
        "column": .string(task.classNames.first ?? ""), "mean": .number(scale.mean),
        "deviation": .number(scale.deviation),
      ]
    }
  }
}
