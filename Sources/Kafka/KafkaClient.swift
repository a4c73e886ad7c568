internal import CRdKafka
internal import Synchronization

/// One librdkafka handle with its callbacks; shared by the consumer and the producer.
///
/// `rd_kafka_t` is safe to use from any thread; everything else here is immutable or locked.
final class KafkaClient: @unchecked Sendable {
  let handle: OpaquePointer
  let events: ClientEvents
  /// The SASL mechanism and user, empty when none is configured.
  let mechanism: String
  let user: String
  /// As configured, for texts.
  let brokers: String
  private let closed = Atomic(false)

  /// - Parameter settings: ours; set after the operator's properties, so that they win.
  init(
    _ type: rd_kafka_type_t, _ configuration: KafkaConfiguration,
    defaults: [(String, String)], settings: [(String, String)]
  ) throws(KafkaError) {
    events = ClientEvents(log: configuration.log)
    func property(_ names: String...) -> String {
      configuration.properties.last { names.contains($0.name) }?.value ?? ""
    }
    mechanism = property("sasl.mechanism", "sasl.mechanisms")
    user = property("sasl.username")
    brokers = configuration.brokers.joined(separator: ",")
    guard let settingsObject = rd_kafka_conf_new() else {
      throw KafkaError(KafkaError.Name.system, "librdkafka gave no configuration object")
    }
    do {
      try KafkaClient.apply(configuration, defaults: defaults, settings: settings, settingsObject)
    } catch {
      rd_kafka_conf_destroy(settingsObject)
      throw error
    }
    KafkaClient.install(events, in: settingsObject)
    var reason = [CChar](repeating: 0, count: 512)
    guard let handle = rd_kafka_new(type, settingsObject, &reason, reason.count) else {
      let isRefusal = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__INVALID_ARG
      rd_kafka_conf_destroy(settingsObject)
      Unmanaged.passUnretained(events).release()
      let detail = reason.withUnsafeBufferPointer { text($0.baseAddress) }
      throw isRefusal
        ? KafkaError(
          KafkaError.Name.badProperty, "librdkafka refuses its configuration: \(detail)")
        : KafkaError(KafkaError.Name.system, "librdkafka cannot start: \(detail)")
    }
    self.handle = handle
  }

  deinit { close(limit: .seconds(10)) }

  private static func apply(
    _ configuration: KafkaConfiguration, defaults: [(String, String)],
    settings: [(String, String)], _ object: OpaquePointer
  ) throws(KafkaError) {
    for (name, _) in configuration.properties {
      if let reason = KafkaConfiguration.ownedProperties[name] {
        throw KafkaError(
          KafkaError.Name.badProperty,
          "librdkafka property \(name) is owned by this program: \(reason)")
      }
    }
    let own = [
      ("bootstrap.servers", configuration.brokers.joined(separator: ",")),
      ("client.id", configuration.clientID),
    ]
    let given = configuration.properties.map { ($0.name, $0.value) }
    for (name, value) in defaults + given + own + settings {
      if let problem = setProperty(object, name, value) {
        throw KafkaError(KafkaError.Name.badProperty, "librdkafka: \(problem)")
      }
    }
  }

  /// The answer to a commit: an error as a whole, or one of each partition.
  private static func groupError(
    _ error: rd_kafka_resp_err_t, _ offsets: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
  ) -> KafkaError? {
    var error = error
    if error == RD_KAFKA_RESP_ERR_NO_ERROR, let list = offsets?.pointee {
      error =
        UnsafeBufferPointer(start: list.elems, count: Int(list.cnt)).map(\.err)
        .first { $0 != RD_KAFKA_RESP_ERR_NO_ERROR } ?? error
    }
    guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    return KafkaError(library: error, doing: "offsets not taken")
  }

  /// The handle holds one reference to `events`, given back when it is destroyed.
  private static func install(_ events: ClientEvents, in object: OpaquePointer) {
    rd_kafka_conf_set_opaque(object, Unmanaged.passRetained(events).toOpaque())
    rd_kafka_conf_set_log_cb(object) { handle, level, facility, line in
      ClientEvents.of(rd_kafka_opaque(handle))?.logged(
        KafkaLogLine(level: level, facility: text(facility), message: text(line)))
    }
    rd_kafka_conf_set_error_cb(object) { _, error, reason, opaque in
      ClientEvents.of(opaque)?.failed(rd_kafka_resp_err_t(error), text(reason))
    }
    // Judges as the library does, and remembers why a certificate was refused: the library says
    // only that one was.
    rd_kafka_conf_set_ssl_cert_verify_cb(object) {
      _, broker, _, error, depth, bytes, size, _, _, opaque in
      guard let error, error.pointee != 0 else { return 1 }
      ClientEvents.of(opaque)?.refusedCertificate(
        CertificateFault(
          broker: BrokerFailure.brokerName(text(broker)), error: error.pointee, depth: depth,
          certificate: UnsafeRawBufferPointer(start: bytes, count: size)))
      return 0
    }
    rd_kafka_conf_set_offset_commit_cb(object) { _, error, offsets, opaque in
      ClientEvents.of(opaque)?.groupAnswered(KafkaClient.groupError(error, offsets))
    }
    rd_kafka_conf_set_dr_msg_cb(object) { _, message, opaque in
      guard let message, message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
      ClientEvents.of(opaque)?.deliveryFailed(message.pointee.err)
    }
  }

  /// Destroys the handle in a thread of its own: librdkafka has hung in here (a topic deleted while
  /// it was read), and a daemon must get on.
  ///
  /// False: it still hangs after `limit`.
  @discardableResult
  func close(limit: Duration) -> Bool {
    guard !closed.exchange(true, ordering: .relaxed) else { return true }
    let handle = SendableHandle(pointer: handle)
    let events = events
    let destroy: @Sendable () -> Void = {
      rd_kafka_destroy_flags(handle.pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
      Unmanaged.passUnretained(events).release()
    }
    do {
      return try BackgroundThread(name: "kafka-close", destroy).wait(limit)
    } catch {
      destroy()
      return true
    }
  }
}

/// librdkafka handles may be used from any thread.
struct SendableHandle: @unchecked Sendable {
  let pointer: OpaquePointer
}

/// What the library reported besides messages.
///
/// Written by its threads and by our polls.
final class ClientEvents: Sendable {
  struct State {
    /// Last reasons for trouble, newest last, each once.
    var reasons: [String] = []
    var authentication: KafkaError?
    var fatal: KafkaError?
    /// The last disagreement about TLS.
    var tls: String?
    /// Certificates that were refused, by broker.
    var certificates: [String: CertificateFault] = [:]
    /// Whether no broker is left, one of them because of its certificate: waiting cures nothing.
    var isUntrusted = false
    /// Commits to the group that were answered, and the last answer that was an error.
    var groupAnswers = 0
    var groupError: KafkaError?
    var failedDeliveries = 0
    var firstDeliveryError: KafkaError?
  }
  private let state = Mutex(State())
  private let log: (@Sendable (KafkaLogLine) -> Void)?

  init(log: (@Sendable (KafkaLogLine) -> Void)?) { self.log = log }

  static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientEvents? {
    opaque.map { Unmanaged<ClientEvents>.fromOpaque($0).takeUnretainedValue() }
  }

  func logged(_ line: KafkaLogLine) { log?(line) }

  func failed(_ error: rd_kafka_resp_err_t, _ reason: String) {
    state.withLock { state in
      let failure = BrokerFailure(
        reason, isTLS: error == RD_KAFKA_RESP_ERR__SSL, certificates: state.certificates)
      let readable = failure.text
      if failure.isTLS { state.tls = readable }
      if KafkaError.authentication.contains(error) {
        state.authentication = KafkaError(library: error, doing: "no login", detail: readable)
      }
      if error == RD_KAFKA_RESP_ERR__FATAL {
        state.fatal = KafkaError(library: error, doing: "Kafka", detail: readable)
      }
      // "3/3 brokers are down" only sums up what the reasons before it say.
      if error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN {
        state.isUntrusted = !state.certificates.isEmpty
        if !state.reasons.isEmpty { return }
      }
      state.reasons.removeAll { $0 == readable }
      state.reasons.append(readable)
      if state.reasons.count > 4 { state.reasons.removeFirst() }
    }
  }

  func refusedCertificate(_ fault: CertificateFault) {
    state.withLock { $0.certificates[fault.broker] = fault }
  }

  func groupAnswered(_ error: KafkaError?) {
    state.withLock { state in
      state.groupAnswers += 1
      state.groupError = error
    }
  }

  func deliveryFailed(_ error: rd_kafka_resp_err_t) {
    state.withLock { state in
      state.failedDeliveries += 1
      if state.firstDeliveryError == nil {
        state.firstDeliveryError = KafkaError(library: error, doing: "not delivered")
      }
    }
  }

  var snapshot: State { state.withLock { $0 } }

  func resetDeliveries() {
    state.withLock { state in
      state.failedDeliveries = 0
      state.firstDeliveryError = nil
    }
  }
}
