"""What brokers and networks do to a run, one fault at a time, each with its declared end.

A fault either heals within the run, or ends the run by name before anything was written; in both
cases the next run has every record once. Damaged record sets are in test_records.py. Half of the
table runs each time; SHOPMETRICS_ALL_FAULTS=1 runs it all.
"""

import os
import time
from dataclasses import dataclass

import pytest
from broker import TOPIC, Truth
from hostile_broker import API_VERSIONS, FETCH, LIST_OFFSETS, METADATA, HostileBroker, plain_login
from hostile_cases import good_log
from invariants import assert_idle_run_writes_nothing, assert_invariants
from support import CLEAN, DAMAGED_STATE, KAFKA_UNAVAILABLE, impatient_state

LIMIT = 5.0  # seconds that the run with the fault may take
USER, PASSWORD = "shop", "canary-7f3a"
PLACE = f"{TOPIC}/0: no record from offset 0 on"


def nothing(_):
    return {}


@dataclass(frozen=True)
class Fault:
    """`faults` are those of HostileBroker; the functions get the certificates."""

    code: int = CLEAN
    error: str | None = None
    words: tuple = ()
    faults: object = nothing
    security: object = None  # [kafka.security] of the run with the fault
    cured_security: object = None  # and of those after it, where it differs
    standing: object = nothing  # what the broker keeps when the fault is over
    always: bool = False


FAULTS = {}


def heals(name, always=False, **faults):
    FAULTS[name] = Fault(faults=lambda _: faults, always=always)


def stops(name, error, *words, always=False, code=KAFKA_UNAVAILABLE, **faults):
    FAULTS[name] = Fault(code, error, words, lambda _: faults, always=always)


def insecure(name, error, *words, broker, client, always=False, **after):
    """A fault of TLS or of the login; `after` is how both are when it is over."""
    FAULTS[name] = Fault(KAFKA_UNAVAILABLE, error, words, broker, client, always=always, **after)


# The connection and what comes over it.
DOWN = "KAFKA_UNAVAILABLE"
stops("first-request-reset", "KAFKA_TLS", "seems to expect TLS", reset=(API_VERSIONS,), always=True)
stops("first-request-unanswered", DOWN, "No answer in time from 127.0.0.1",
      silent=(API_VERSIONS,), always=True)
stops("first-answer-2-gib", DOWN, "does not speak Kafka's protocol",
      answer={API_VERSIONS: b"\x7f\xff\xff\xff" + b"\0" * 64})
stops("web-server", DOWN, "is a web server", always=True,
      answer={API_VERSIONS: b"HTTP/1.1 400 Bad Request\r\n\r\n"})
stops("metadata-reset", DOWN, "127.0.0.1", reset=(METADATA,))
stops("metadata-unanswered", DOWN, "No answer in time from 127.0.0.1", silent=(METADATA,))
stops("metadata-2-gib", DOWN, "does not speak Kafka's protocol", always=True,
      answer={METADATA: b"\x7f\xff\xff\xff" + b"\0" * 64})
stops("metadata-negative-length", DOWN, "does not speak Kafka's protocol",
      answer={METADATA: b"\xff\xff\xff\xff" + b"\0" * 64})
stops("metadata-of-nothing-asked", DOWN, TOPIC, answer={METADATA: b"\0\0\0\x40" + b"\xff" * 64})
stops("metadata-late", DOWN, "No answer in time", delay={METADATA: 2.5})
stops("offsets-reset", DOWN, "closed the connection", reset=(LIST_OFFSETS,))
stops("offsets-unanswered", DOWN, TOPIC, silent=(LIST_OFFSETS,), always=True)
stops("offsets-2-gib", DOWN, "does not speak Kafka's protocol",
      answer={LIST_OFFSETS: b"\x7f\xff\xff\xff" + b"\0" * 64})
stops("fetch-reset", DOWN, PLACE, "closed the connection", reset=(FETCH,), always=True)
stops("leader-refuses", DOWN, "127.0.0.1:9 refused the connection", address=("127.0.0.1", 9),
      always=True)
stops("leader-unresolved", DOWN, "no-such-host.invalid:9092 cannot be resolved",
      address=("no-such-host.invalid", 9092))
stops("no-leader", DOWN, f"partition 0 of topic {TOPIC}", partition_errors={0: 5}, always=True)
stops("partition-unknown", DOWN, f"partition 0 of topic {TOPIC}", partition_errors={0: 3})
heals("replica-missing", partition_errors={0: 9}, always=True)
heals("throttled", throttle=200, always=True)
heals("slow", bytes_per_second=8192, always=True)
heals("late", delay={FETCH: 0.4, LIST_OFFSETS: 0.4})

# Each error of Metadata, for ever.
stops("metadata-error-unknown", DOWN, "Unknown broker error", errors={METADATA: ["always", -1]})
stops("metadata-error-3", "KAFKA_TOPIC_MISSING", TOPIC, errors={METADATA: ["always", 3]},
      always=True)
stops("metadata-error-17", "KAFKA_TOPIC_MISSING", TOPIC, errors={METADATA: ["always", 17]})
stops("metadata-error-29", "KAFKA_AUTHORIZATION", TOPIC, "grant", always=True,
      errors={METADATA: ["always", 29]})

# Errors of ListOffsets: those that pass, once; all of them, for ever.
for _code in (3, 5, 6, 7, 56, 74, 75, 78):
    heals(f"offsets-error-{_code}-once", errors={LIST_OFFSETS: [_code]}, always=_code == 6)
    stops(f"offsets-error-{_code}", DOWN, TOPIC, errors={LIST_OFFSETS: ["always", _code]},
          always=_code == 78)
for _code in (-1, 1, 35, 43):
    stops(f"offsets-error-{_code}", DOWN, f"no offsets of topic {TOPIC}",
          errors={LIST_OFFSETS: ["always", _code]}, always=_code == 1)
stops("offsets-error-29", "KAFKA_AUTHORIZATION", TOPIC, errors={LIST_OFFSETS: ["always", 29]})

# Errors of Fetch: the library says nothing about some of them, however often they come.
for _code in (3, 5, 6, 9, 56, 74, 78):
    heals(f"fetch-error-{_code}-once", errors={FETCH: [_code, _code]}, always=_code in (6, 56))
    stops(f"fetch-error-{_code}", "PARTITION_STALLED", PLACE, code=DAMAGED_STATE,
          errors={FETCH: ["always", _code]}, always=_code == 6)
for _code, _words in ((-1, "Unknown broker error"), (7, "Request timed out"),
                      (13, "disconnected before response"), (70, "fetch session"),
                      (75, "epoch"), (100, TOPIC)):
    heals(f"fetch-error-{_code}-once", errors={FETCH: [_code, _code]}, always=_code == -1)
    stops(f"fetch-error-{_code}", DOWN, PLACE, _words, errors={FETCH: ["always", _code]},
          always=_code == 7)
for _code in (2, 4, 76):
    stops(f"fetch-error-{_code}", "KAFKA_RECORDS_UNREADABLE", "offset 0", code=DAMAGED_STATE,
          errors={FETCH: ["always", _code]}, always=_code == 2)
for _code in (29, 31):
    stops(f"fetch-error-{_code}", "KAFKA_AUTHORIZATION", "authorization failed",
          errors={FETCH: ["always", _code]}, always=_code == 29)
stops("fetch-error-1", "KAFKA_DATA_LOSS", "has no offset 0", code=DAMAGED_STATE,
      errors={FETCH: ["always", 1]})

# TLS.
TLS = "KAFKA_TLS"


def trusting(certificates, **more):
    return {"protocol": "ssl", "ca_file": str(certificates.ours), **more}


def trusted(certificates):
    return {"tls": certificates.good}


insecure("certificate-expired", TLS, "the certificate of 127.0.0.1", "CN=expired",
         "has expired, its last day was 20", broker=lambda c: {"tls": c.expired}, client=trusting,
         standing=trusted, always=True)
insecure("certificate-of-another-host", TLS, "CN=elsewhere", "is for another IP address",
         broker=lambda c: {"tls": c.elsewhere}, client=trusting, standing=trusted)
insecure("authority-unknown", TLS, "CN=good, issued by CN=test authority", "is not trusted",
         broker=trusted, client=lambda c: trusting(c, ca_file=str(c.foreign)), standing=trusted,
         cured_security=trusting, always=True)
insecure("no-client-certificate", TLS, "wants a certificate of the client that it trusts",
         broker=lambda c: {"tls": c.strict}, client=trusting, standing=lambda c: {"tls": c.strict},
         cured_security=lambda c: trusting(
             c, certificate_file=str(c.client), key_file=str(c.client_key)), always=True)
insecure("client-certificate-unknown", TLS, "wants a certificate of the client", "unknown ca",
         broker=lambda c: {"tls": c.strict},
         client=lambda c: trusting(
             c, certificate_file=str(c.stranger), key_file=str(c.stranger_key)), standing=trusted)
insecure("clear-text-to-a-tls-port", TLS, "seems to expect TLS", broker=trusted,
         client=lambda c: {"protocol": "plaintext"}, standing=trusted, cured_security=trusting,
         always=True)
insecure("tls-to-a-clear-text-port", TLS, "seems to expect clear text", broker=lambda c: {},
         client=trusting, cured_security=lambda c: {"protocol": "plaintext"}, always=True)

# The login.
LOGIN = "KAFKA_AUTHENTICATION"


def logging_in(mechanism="PLAIN", password=PASSWORD):
    return lambda _: {"protocol": "sasl_plaintext", "mechanism": mechanism, "username": USER,
                      "password": password}


def asking(mechanism="PLAIN"):
    return lambda _: {"sasl": {mechanism: plain_login(USER, PASSWORD)}}


def refusing(proof):
    return "Authentication failed during authentication due to invalid credentials with SASL " \
        "mechanism SCRAM-SHA-512"


insecure("wrong-password", LOGIN, "Invalid username or password", "user shop, mechanism PLAIN",
         broker=asking(), client=logging_in(password=PASSWORD + "x"), standing=asking(),
         cured_security=logging_in(), always=True)
insecure("mechanism-not-offered", LOGIN, "mechanism PLAIN", "SCRAM-SHA-512",
         broker=asking("SCRAM-SHA-512"), client=logging_in(), standing=asking())
insecure("login-not-known", LOGIN, "mechanism PLAIN", broker=lambda _: {}, client=logging_in(),
         standing=asking())
insecure("scram-of-an-old-library", LOGIN, "mechanism SCRAM-SHA-512", "invalid credentials",
         broker=lambda _: {"sasl": {"SCRAM-SHA-512": refusing}},
         client=logging_in("SCRAM-SHA-512"), standing=asking(), cured_security=logging_in(),
         always=True)
insecure("login-expected", DOWN, "expects a SASL login", broker=asking(),
         client=lambda _: {"protocol": "plaintext"}, standing=asking(),
         cured_security=logging_in())

CHOSEN = [name for name, fault in FAULTS.items()
          if fault.always or os.environ.get("SHOPMETRICS_ALL_FAULTS")]


def test_the_table_is_as_long_as_promised():
    assert len(FAULTS) >= 60
    assert sum(fault.always for fault in FAULTS.values()) >= 30


@pytest.mark.parametrize("name", CHOSEN)
def test_each_fault_has_its_declared_end(name, scratch, certificates):
    fault = FAULTS[name]
    with HostileBroker(TOPIC, good_log(), **fault.faults(certificates)) as broker:
        state = impatient_state(scratch, broker, "1s")
        secure(state, fault.security, certificates)
        began = time.monotonic()
        outcome = state.run_once(expect=fault.code)
        assert time.monotonic() - began < LIMIT
        assert PASSWORD not in outcome.output
        if fault.error:
            assert f"[{fault.error}]" in outcome.output, outcome.output
            for words in fault.words:
                assert words in outcome.output, outcome.output
            assert "no table was changed" in outcome.output
            assert state.rows() == ([], [])
        recover(broker, **fault.standing(certificates))
        secure(state, fault.cured_security, certificates)
        assert_goes_on(state, broker, certificates)


def secure(state, security, certificates):
    if security:
        state.settings["kafka"]["security"] = security(certificates)
        state.configure()


def recover(broker, **standing):
    """No fault any more; `standing` stays."""
    fresh = HostileBroker(broker.topic, {}, **standing)
    for name in ("errors", "partition_errors", "delay", "bytes_per_second", "cut_after", "answer",
                 "silent", "reset", "throttle", "address", "tls", "sasl"):
        setattr(broker, name, getattr(fresh, name))


def assert_goes_on(state, broker, certificates):
    """The next run has it all, each record once; the one after that finds nothing to do."""
    state.configure(kafka={"stall_timeout": "10s", "connect_timeout": "10s"})
    state.run_once()
    broker.tls = broker.sasl = None
    state.settings["kafka"].pop("security", None)
    state.configure()
    assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))
    assert_idle_run_writes_nothing(state)
