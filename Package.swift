// swift-tools-version: 6.1
import PackageDescription

/// The language rules every Swift target follows.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Exclusive access to properties is checked where the tests of logic run, in debug builds: in a release it would take a
/// fortieth of the time of a script that computes on small tensors.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  let unchecked = SwiftSetting.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
  return .target(name: name, dependencies: dependencies, swiftSettings: strict + [unchecked])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A kernel module: the sources of `Sources/Kernels` compiled for one instruction set, optimised in every
/// configuration because an unoptimised kernel is hundreds of times slower.
func kernels(_ name: String, instructionSet flags: [String]) -> Target {
  .target(
    name: name, dependencies: ["CKernels"],
    swiftSettings: [
      .unsafeFlags(["-O", "-wmo", "-num-threads", "1", "-disable-batch-mode"] + flags.flatMap { ["-Xcc", $0] })
    ])
}

func systemLibrary(_ name: String, pkgConfig: String, apt: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "nasrun",
  products: [.executable(name: "nasrun", targets: ["nasrun"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    systemLibrary("CLua", pkgConfig: "lua5.4", apt: "liblua5.4-dev"),
    systemLibrary("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    systemLibrary("CTurboJPEG", pkgConfig: "libturbojpeg", apt: "libturbojpeg0-dev"),
    systemLibrary("CPNG", pkgConfig: "libpng", apt: "libpng-dev"),
    systemLibrary("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),

    .target(name: "CLuaShims", dependencies: ["CLua"]),
    .target(name: "CPUFeatures"),
    .target(name: "CKernels"),
    kernels(
      "KernelsAVX512", instructionSet: ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma"]),
    kernels(
      "KernelsAVX512BF16",
      instructionSet: [
        "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx512bf16", "-mavx2", "-mfma",
      ]),
    kernels("KernelsAVX2", instructionSet: ["-mavx2", "-mfma"]),
    kernels("KernelsBase", instructionSet: []),

    library("Diagnostics"),
    library("Canonical", ["CCrypto", "Diagnostics"]),
    library(
      "TensorCore",
      [
        "CKernels", "KernelsAVX512", "KernelsAVX512BF16", "KernelsAVX2", "KernelsBase", "CPUFeatures", "Canonical",
        "Diagnostics",
      ]),
    library("NeuralNet", ["TensorCore", "Canonical", "Diagnostics"]),
    library("Datasets", ["TensorCore", "CTurboJPEG", "CPNG", "CZlib", "Canonical", "Diagnostics"]),
    library("SearchCore", ["Canonical", "Diagnostics"]),
    library("Exchange", ["NeuralNet", "Canonical", "Diagnostics"]),
    library("Evaluation", ["NeuralNet", "Datasets", "SearchCore", "TensorCore", "Canonical", "Diagnostics"]),
    library("RunStore", ["SearchCore", "Canonical", "Diagnostics", grdb]),
    library("LuaHost", ["CLuaShims", "CLua", "Canonical", "Diagnostics"]),
    library(
      "LuaAPI",
      [
        "LuaHost", "Evaluation", "Exchange", "RunStore", "NeuralNet", "Datasets", "SearchCore", "TensorCore",
        "Canonical", "Diagnostics",
      ]),
    .executableTarget(
      name: "nasrun",
      dependencies: [
        "LuaAPI", "LuaHost", "Exchange", "NeuralNet", "Datasets", "RunStore", "TensorCore", "Canonical", "Diagnostics",
        argumentParser,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "bench",
      dependencies: ["NeuralNet", "Exchange", "TensorCore", "Canonical", "Diagnostics", argumentParser],
      swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["Canonical", "Diagnostics"], path: "Tests/TestSupport", swiftSettings: strict),
    .target(name: "AllocationCount", path: "Tests/AllocationCount"),
    tests("CanonicalTests", ["Canonical", "Diagnostics", "TestSupport"]),
    tests("TensorCoreTests", ["TensorCore", "TestSupport"]),
    tests("NeuralNetTests", ["NeuralNet", "Exchange", "TestSupport", "AllocationCount", "TensorCore", "CKernels"]),
    tests("DatasetsTests", ["Datasets", "TestSupport"]),
    tests("SearchCoreTests", ["SearchCore", "TestSupport"]),
    tests(
      "EvaluationTests",
      ["Evaluation", "Canonical", "NeuralNet", "Datasets", "TensorCore", "Diagnostics", "TestSupport"]),
    tests("RunStoreTests", ["RunStore", "TestSupport", grdb]),
    tests("LuaHostTests", ["LuaHost", "TestSupport"]),
    tests(
      "LuaAPITests",
      [
        "LuaAPI", "LuaHost", "Exchange", "NeuralNet", "TensorCore", "RunStore", "Canonical", "Diagnostics",
        "TestSupport",
      ]),
    tests("BenchTests", ["bench", "Exchange", "NeuralNet", "TensorCore", "Canonical"]),
    tests("CommandTests", ["nasrun", "RunStore", "SearchCore", "TensorCore", "TestSupport", "LuaAPI"]),
  ],
  swiftLanguageModes: [.v6]
)
