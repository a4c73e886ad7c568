// raw_consumer: the floor of any librdkafka consumer. Reads every partition of a topic from its
// beginning to the end that it had at the start, checks CRCs, touches nothing but the length.
//
//   raw_consumer BROKERS TOPIC
//
// Prints {"events": N, "bytes": N}.
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { kBatch = 10000, kTimeout = 10000 };

static void die(const char *what, const char *why) {
  fprintf(stderr, "raw_consumer: %s: %s\n", what, why);
  exit(1);
}

static rd_kafka_t *connect_to(const char *brokers) {
  const char *settings[][2] = {{"bootstrap.servers", brokers},
                               {"group.id", "raw"},
                               {"enable.auto.commit", "false"},
                               {"enable.auto.offset.store", "false"},
                               {"check.crcs", "true"}};
  char reason[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], reason, sizeof reason))
      die(settings[i][0], reason);
  rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
  if (!client) die("rd_kafka_new", reason);
  rd_kafka_poll_set_consumer(client);
  return client;
}

// Assigns every partition from its beginning; returns how many records there are.
static long assign_all(rd_kafka_t *client, const char *topic) {
  const struct rd_kafka_metadata *metadata;
  rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
  if (rd_kafka_metadata(client, 0, handle, &metadata, kTimeout)) die(topic, "no metadata");
  int count = metadata->topics[0].partition_cnt;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
  long records = 0;
  for (int p = 0; p < count; p++) {
    int64_t low, high;
    if (rd_kafka_query_watermark_offsets(client, topic, p, &low, &high, kTimeout))
      die(topic, "no offsets");
    rd_kafka_topic_partition_list_add(list, topic, p)->offset = low;
    records += high - low;
  }
  if (rd_kafka_assign(client, list)) die(topic, "no assignment");
  return records;
}

int main(int argc, char **argv) {
  if (argc != 3) die("usage", "raw_consumer BROKERS TOPIC");
  rd_kafka_t *client = connect_to(argv[1]);
  long wanted = assign_all(client, argv[2]), records = 0, bytes = 0;
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
  static rd_kafka_message_t *messages[kBatch];
  while (records < wanted) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, 100, messages, kBatch);
    for (ssize_t i = 0; i < count; i++) {
      if (!messages[i]->err) {
        records++;
        bytes += (long)messages[i]->len;
      }
      rd_kafka_message_destroy(messages[i]);
    }
  }
  printf("{\"events\": %ld, \"bytes\": %ld}\n", records, bytes);
  fflush(stdout);
  _Exit(0);
}
