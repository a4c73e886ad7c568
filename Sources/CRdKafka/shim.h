// librdkafka: the Kafka client, and its mock cluster for tests and the demo.
#pragma once
#include <librdkafka/rdkafka.h>
// rdkafka.h must come first.
#include <librdkafka/rdkafka_mock.h>
