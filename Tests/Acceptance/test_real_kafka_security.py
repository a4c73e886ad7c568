"""The daemon against a real Kafka that wants TLS, logins and rights."""

import ssl
import uuid
from pathlib import Path

import pytest
from broker import wait_until
from certificates import Authority
from confluent_kafka.admin import (
    AclBinding, AclOperation, AclPermissionType, AdminClient, AlterConfigOpType, ConfigEntry,
    ConfigResource, ResourcePatternType, ResourceType)
from events import mixed
from invariants import assert_idle_run_writes_nothing, assert_invariants
from real_kafka import MISSING, TESTBED, RealKafka
from support import KAFKA_UNAVAILABLE, binary, execute
from test_real_kafka import Topic

pytestmark = pytest.mark.skipif(not TESTBED, reason=MISSING)

WORKING_SCRAM = (2, 6, 1)


@pytest.fixture(scope="module")
def kafka():
    kafka = RealKafka(
        secure=True,
        authorizer_class_name="org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        allow_everyone_if_no_acl_found="true", super_users="User:ANONYMOUS",
        ssl_allow_dn_changes="true", ssl_allow_san_changes="true", num_network_threads="1")
    if not kafka.can_run:
        pytest.skip("SKIPPED: the testbed cannot run Kafka on this machine")
    yield kafka
    kafka.close()


@pytest.fixture
def topic(kafka):
    topic = Topic(kafka.brokers, f"events-{uuid.uuid4().hex[:8]}")
    topic.produce(mixed(90))
    return topic


def login(kafka, **changes):
    facts = kafka.facts
    return {"protocol": "sasl_ssl", "mechanism": "PLAIN", "username": facts["KAFKA_USER"],
            "password": facts["KAFKA_PASSWORD"], "ca_file": facts["KAFKA_CA"], **changes}


def certificate(kafka, **changes):
    facts = kafka.facts
    return {"protocol": "ssl", "ca_file": facts["KAFKA_CA"],
            "certificate_file": facts["KAFKA_CLIENT_CERT"], "key_file": facts["KAFKA_CLIENT_KEY"],
            **changes}


def secured(topic, scratch, brokers, security):
    state = topic.state(scratch)
    apply(state, brokers, security)
    return state


def apply(state, brokers, security):
    state.settings["kafka"]["security"] = security
    state.configure(kafka={"brokers": [brokers], "connect_timeout": "1s"})


def assert_works(state, topic):
    state.configure(kafka={"connect_timeout": "20s"})
    state.run_once()
    assert_invariants(state, topic.truth())
    assert_idle_run_writes_nothing(state)


def test_a_password_over_tls(kafka, topic, scratch):
    state = secured(topic, scratch, kafka.facts["KAFKA_SASL_SSL_BOOTSTRAP"], login(kafka))
    assert_works(state, topic)


def test_a_certificate_of_the_client(kafka, topic, scratch):
    state = secured(topic, scratch, kafka.facts["KAFKA_SSL_BOOTSTRAP"], certificate(kafka))
    assert_works(state, topic)


def test_scram_works_where_the_library_can_and_is_explained_where_it_cannot(kafka, topic, scratch):
    security = login(kafka, mechanism="SCRAM-SHA-512")
    state = secured(topic, scratch, kafka.facts["KAFKA_SASL_SSL_BOOTSTRAP"], security)
    version = execute([binary("shopmetricsd"), "--version"]).output
    number = version.split("librdkafka ")[1].strip(" )\n").split("-")[0]
    if tuple(map(int, number.split("."))) >= WORKING_SCRAM:
        assert_works(state, topic)
        return
    outcome = state.run_once(expect=KAFKA_UNAVAILABLE)
    assert "[KAFKA_AUTHENTICATION]" in outcome.output, outcome.output
    assert "invalid credentials" in outcome.output and "2.6.1" in outcome.output
    assert security["password"] not in outcome.output
    apply(state, kafka.facts["KAFKA_SASL_SSL_BOOTSTRAP"], login(kafka))
    assert_works(state, topic)


def test_a_wrong_password_is_named_without_telling_it(kafka, topic, scratch):
    brokers, wrong = kafka.facts["KAFKA_SASL_SSL_BOOTSTRAP"], "not-the-password-7f3a"
    state = secured(topic, scratch, brokers, login(kafka, password=wrong))
    outcome = state.run_once(expect=KAFKA_UNAVAILABLE)
    assert "[KAFKA_AUTHENTICATION]" in outcome.output, outcome.output
    assert f"user {kafka.facts['KAFKA_USER']}, mechanism PLAIN" in outcome.output
    assert brokers in outcome.output and wrong not in outcome.output
    apply(state, brokers, login(kafka))
    assert_works(state, topic)


CONFUSED = {
    "clear text to TLS": ("KAFKA_SSL_BOOTSTRAP", lambda kafka: {"protocol": "plaintext"},
                          "seems to expect TLS"),
    "TLS to clear text": ("KAFKA_BOOTSTRAP", certificate, "seems to expect clear text"),
    "TLS without a login": ("KAFKA_SASL_SSL_BOOTSTRAP", certificate, "SASL"),
    "no certificate": ("KAFKA_SSL_BOOTSTRAP", lambda kafka: {
        "protocol": "ssl", "ca_file": kafka.facts["KAFKA_CA"]},
        "wants a certificate of the client that it trusts"),
}


@pytest.mark.parametrize("name", CONFUSED)
def test_a_listener_of_another_kind_is_guessed(kafka, topic, scratch, name):
    listener, security, guess = CONFUSED[name]
    state = secured(topic, scratch, kafka.facts[listener], security(kafka))
    outcome = state.run_once(expect=KAFKA_UNAVAILABLE)
    assert guess in outcome.output and kafka.facts[listener] in outcome.output, outcome.output
    apply(state, kafka.facts["KAFKA_SSL_BOOTSTRAP"], certificate(kafka))
    assert_works(state, topic)


def test_certificates_that_are_renewed_under_the_running_broker(kafka, topic, scratch):
    """Expired, of another host, of an unknown authority, then good: the broker runs on."""
    authority, brokers = Authority(scratch / "own"), kafka.facts["KAFKA_SASL_SSL_BOOTSTRAP"]
    state = secured(topic, scratch / "run", brokers, login(kafka, ca_file=str(authority.file)))

    def stop_says(*words):
        outcome = state.run_once(expect=KAFKA_UNAVAILABLE)
        for said in ("[KAFKA_TLS]", brokers, *words):
            assert said in outcome.output, outcome.output

    try:
        stop_says("CN=with-kafka test CA", "is signed by itself and not among the trusted ones")
        show(kafka, authority.keystore("expired", days=-1))
        stop_says(f"the certificate of {brokers} (CN=expired", "has expired, its last day was")
        show(kafka, authority.keystore("elsewhere", alternatives="DNS:elsewhere.example"))
        stop_says("CN=elsewhere", "is for another IP address")
        show(kafka, authority.keystore("renewed"))
        assert_works(state, topic)
    finally:
        own = f"{kafka.facts['KAFKA_DIR']}/broker"
        show(kafka, (f"{own}.p12", kafka.facts["KAFKA_PASSWORD"], Path(f"{own}.pem")))


def show(kafka, keystore):
    """Gives the broker's SASL_SSL listener another certificate while it runs."""
    path, password, certificate = keystore
    prefix = "listener.name.sasl_ssl.ssl.keystore."
    entries = {"location": str(path), "password": password, "type": "PKCS12"}
    resource = ConfigResource(ConfigResource.Type.BROKER, "1", incremental_configs=[
        ConfigEntry(prefix + name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in entries.items()])
    admin = AdminClient({"bootstrap.servers": kafka.brokers})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(30)
    host, port = kafka.facts["KAFKA_SASL_SSL_BOOTSTRAP"].split(":")
    wait_until(lambda: ssl.get_server_certificate((host, int(port))).split() ==
               certificate.read_text().split(), "the other certificate")


def test_a_right_that_is_taken_away_and_given_back(kafka, topic, scratch):
    state = secured(topic, scratch, kafka.facts["KAFKA_SASL_SSL_BOOTSTRAP"], login(kafka))
    assert_works(state, topic)
    # As soon as somebody has a right to a topic, everybody else needs one.
    admin = AdminClient({"bootstrap.servers": kafka.brokers})
    grant(admin, topic, "User:somebody-else")
    topic.produce(mixed(90, seed=2, start=90))
    before = state.tree()
    state.configure(kafka={"connect_timeout": "1s"})
    outcome = state.run_once(expect=KAFKA_UNAVAILABLE)
    assert "[KAFKA_AUTHORIZATION]" in outcome.output and topic.name in outcome.output
    assert state.tree() == before
    grant(admin, topic, f"User:{kafka.facts['KAFKA_USER']}")
    assert_works(state, topic)


def grant(admin, topic, principal):
    binding = AclBinding(
        ResourceType.TOPIC, topic.name, ResourcePatternType.LITERAL, principal, "*",
        AclOperation.READ, AclPermissionType.ALLOW)
    for future in admin.create_acls([binding]).values():
        future.result(30)
