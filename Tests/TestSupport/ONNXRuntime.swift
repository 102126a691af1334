import Testing

/// ONNX's own checker and ONNX Runtime, by Python.
package enum ONNXRuntime {
  /// Checks every `.onnx` file of a folder: that it is well-formed, and that from the arrays of the `.safetensors` file
  /// beside it the first output is the array `y`, within 1e-5 of the greatest magnitude (or of 1). An array `random`
  /// in place of `y` has only the shape.
  ///
  /// - Returns: a line for each that is wrong, then `N checked`.
  package static func check(_ folder: String) throws -> [String] {
    try PythonInterpreter.run(script, folder).split(separator: "\n").map(String.init)
  }

  private static let script = """
    import glob, os, sys
    import numpy as np, onnx, onnxruntime
    from safetensors.numpy import load_file

    def wrong(path):
        onnx.checker.check_model(onnx.load(path), full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        arrays = load_file(path[:-4] + "safetensors")
        y = session.run(None, {i.name: arrays[i.name] for i in session.get_inputs()})[0]
        wanted = arrays["y"] if "y" in arrays else arrays["random"]
        if y.shape != wanted.shape or y.dtype != np.float32:
            return f"{y.dtype}{y.shape} instead of {wanted.shape}"
        if "y" not in arrays:
            return None if np.isfinite(y).all() else "not finite"
        error = np.abs(y - wanted).max() / max(1, np.abs(wanted).max())
        return None if error <= 1e-5 else f"error {error}"

    paths = sorted(glob.glob(sys.argv[1] + "/*.onnx"))
    for path in paths:
        try:
            what = wrong(path)
        except Exception as error:
            what = str(error).replace("\\n", " ")
        if what:
            print(os.path.basename(path), what)
    print(len(paths), "checked")
    """
}
