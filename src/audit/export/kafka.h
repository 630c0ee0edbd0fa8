// SPDX-License-Identifier: Apache-2.0
//
// librdkafka, loaded when the first export to Kafka begins: linked in, it would bring a dozen libraries into every process. Private to
// audit/export.
#pragma once

#include "base/result.h"

#include <librdkafka/rdkafka.h>

namespace writ::audit {

// The functions that are used, under their own names.
struct Kafka {
    decltype(&::rd_kafka_conf_destroy) rd_kafka_conf_destroy;
    decltype(&::rd_kafka_conf_new) rd_kafka_conf_new;
    decltype(&::rd_kafka_conf_set) rd_kafka_conf_set;
    decltype(&::rd_kafka_conf_set_dr_msg_cb) rd_kafka_conf_set_dr_msg_cb;
    decltype(&::rd_kafka_conf_set_error_cb) rd_kafka_conf_set_error_cb;
    decltype(&::rd_kafka_conf_set_log_cb) rd_kafka_conf_set_log_cb;
    decltype(&::rd_kafka_conf_set_opaque) rd_kafka_conf_set_opaque;
    decltype(&::rd_kafka_destroy) rd_kafka_destroy;
    decltype(&::rd_kafka_err2str) rd_kafka_err2str;
    decltype(&::rd_kafka_last_error) rd_kafka_last_error;
    decltype(&::rd_kafka_new) rd_kafka_new;
    decltype(&::rd_kafka_poll) rd_kafka_poll;
    decltype(&::rd_kafka_produce) rd_kafka_produce;
    decltype(&::rd_kafka_purge) rd_kafka_purge;
    decltype(&::rd_kafka_topic_destroy) rd_kafka_topic_destroy;
    decltype(&::rd_kafka_topic_new) rd_kafka_topic_new;
};

// unavailable: it is not installed. Loaded once; thread-safe.
Result<Kafka const*> load_kafka();

} // namespace writ::audit
