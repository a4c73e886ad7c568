// swift-tools-version: 6.2
// shopmetricsd: Kafka to Delta Lake, exactly once, on one machine.
//
// Arrows only go down:
//
//     shopmetricsd (daemon)            shopmetricsctl (operator)
//             │                                │
//          Pipeline   runs, batches, stages, recovery table, configuration
//             │
//     Kafka   DeltaLake   StreamCheckpoint   Clickstream   Systemd   Argp
//             │
//     Parquet   JSON   DurableIO
//             │
//     CRdKafka   CSystemd   CZstd   CSnappy   CZlib   CTOML   CArgp   CLinux
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "shopmetricsd",
  products: [
    .executable(name: "shopmetricsd", targets: ["shopmetricsd"]),
    .executable(name: "shopmetricsctl", targets: ["shopmetricsctl"]),
    .library(name: "Parquet", targets: ["Parquet"]),
    .library(name: "DeltaLake", targets: ["DeltaLake"]),
  ],
  targets: [
    // Layer 0: system libraries, each behind one folder.
    .systemLibrary(name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
    .systemLibrary(
      name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CArgp"),
    .target(name: "CLinux"),
    .target(
      name: "CTOML",
      linkerSettings: [.linkedLibrary("tomlplusplus")]),

    // Layer 1: the trusted base.
    .target(name: "DurableIO", dependencies: ["CZlib", "CLinux"], swiftSettings: strict),
    .target(name: "JSON", swiftSettings: strict),
    .target(
      name: "Parquet", dependencies: ["CZstd", "CSnappy", "CZlib", "CLinux"],
      swiftSettings: strict),

    // Layer 2: published formats and protocols, the domain.
    .target(name: "Kafka", dependencies: ["CRdKafka", "CLinux"], swiftSettings: strict),
    .target(name: "Systemd", dependencies: ["CSystemd"], swiftSettings: strict),
    .target(name: "Argp", dependencies: ["CArgp"], swiftSettings: strict),
    .target(name: "Clickstream", dependencies: ["JSON"], swiftSettings: strict),
    .target(
      name: "DeltaLake", dependencies: ["Parquet", "JSON", "DurableIO"], swiftSettings: strict),
    .target(name: "StreamCheckpoint", dependencies: ["JSON", "DurableIO"], swiftSettings: strict),

    // Layer 3: the way of the data.
    .target(
      name: "Pipeline",
      dependencies: [
        "Kafka", "DeltaLake", "StreamCheckpoint", "Clickstream", "Systemd", "Parquet", "JSON",
        "DurableIO", "Argp", "CTOML", "CLinux",
      ],
      swiftSettings: strict),

    // Layer 4: the programs.
    .executableTarget(
      name: "shopmetricsd",
      dependencies: ["Pipeline", "Kafka", "DurableIO", "JSON", "Systemd", "Argp", "CLinux"],
      swiftSettings: strict),
    .executableTarget(
      name: "shopmetricsctl",
      dependencies: [
        "Pipeline", "Kafka", "Clickstream", "DurableIO", "JSON", "Argp", "Systemd",
      ],
      swiftSettings: strict),
    // Not installed: librdkafka's mock cluster as a broker for `make demo` and the tests.
    .executableTarget(
      name: "embedded-broker", dependencies: ["Kafka"], path: "Tests/EmbeddedBroker",
      swiftSettings: strict),

    // Not installed: writes manuals, completions and the journal's catalog from the tables that
    // the programs themselves run by.
    .executableTarget(
      name: "shopmetrics-docs", dependencies: ["Pipeline", "DeltaLake", "Argp", "DurableIO"],
      path: "deploy/docs", swiftSettings: strict),

    // Not a test: counts allocations for tests that promise none.
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(name: "DurableIOTests", dependencies: ["DurableIO"], swiftSettings: strict),
    .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: strict),
    .testTarget(
      name: "ParquetTests", dependencies: ["Parquet"], exclude: ["Scripts"], swiftSettings: strict),
    .testTarget(name: "KafkaTests", dependencies: ["Kafka"], swiftSettings: strict),
    .testTarget(name: "SystemdTests", dependencies: ["Systemd"], swiftSettings: strict),
    .testTarget(
      name: "ClickstreamTests", dependencies: ["Clickstream", "AllocationCounter"],
      swiftSettings: strict),
    .testTarget(
      name: "DeltaLakeTests", dependencies: ["DeltaLake", "Parquet", "JSON", "DurableIO"],
      swiftSettings: strict),
    .testTarget(
      name: "StreamCheckpointTests", dependencies: ["StreamCheckpoint", "DurableIO"],
      swiftSettings: strict),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "Pipeline", "Kafka", "DeltaLake", "StreamCheckpoint", "Clickstream", "Systemd", "Parquet",
        "JSON", "DurableIO", "Argp",
      ],
      swiftSettings: strict),
  ],
  cxxLanguageStandard: .cxx17
)

// The fuzz program links only with libFuzzer (Tests/Fuzz/fuzz.sh); the tests replay its corpus.
let fuzzDependencies: [Target.Dependency] = [
  "Parquet", "JSON", "Clickstream", "DeltaLake", "StreamCheckpoint",
]
if Context.environment["SHOPMETRICS_FUZZ"] == "1" {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: fuzzDependencies, path: "Tests/Fuzz/Driver",
      swiftSettings: strict))
} else {
  package.targets.append(
    .testTarget(
      name: "FuzzTests", dependencies: fuzzDependencies, path: "Tests/Fuzz",
      exclude: ["Corpus", "README.md", "fuzz.sh", "make_parquet_seeds.py", "Driver/Driver.swift"],
      swiftSettings: strict))
}
