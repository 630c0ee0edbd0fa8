// SPDX-License-Identifier: Apache-2.0
#include "audit/export/kafka.h"

#include <dlfcn.h>
#include <optional>
#include <string>

namespace writ::audit {

namespace {

template <typename Function> bool find(void* library, char const* name, Function& function)
{
    function = reinterpret_cast<Function>(::dlsym(library, name));
    return function != nullptr;
}

// All of them are in every librdkafka since 1.0.
std::optional<Kafka> find_functions(void* library)
{
    Kafka found {};
    auto const is_complete = find(library, "rd_kafka_conf_destroy", found.rd_kafka_conf_destroy)
        && find(library, "rd_kafka_conf_new", found.rd_kafka_conf_new) && find(library, "rd_kafka_conf_set", found.rd_kafka_conf_set)
        && find(library, "rd_kafka_conf_set_dr_msg_cb", found.rd_kafka_conf_set_dr_msg_cb)
        && find(library, "rd_kafka_conf_set_error_cb", found.rd_kafka_conf_set_error_cb)
        && find(library, "rd_kafka_conf_set_log_cb", found.rd_kafka_conf_set_log_cb)
        && find(library, "rd_kafka_conf_set_opaque", found.rd_kafka_conf_set_opaque)
        && find(library, "rd_kafka_destroy", found.rd_kafka_destroy) && find(library, "rd_kafka_err2str", found.rd_kafka_err2str)
        && find(library, "rd_kafka_last_error", found.rd_kafka_last_error) && find(library, "rd_kafka_new", found.rd_kafka_new)
        && find(library, "rd_kafka_poll", found.rd_kafka_poll) && find(library, "rd_kafka_produce", found.rd_kafka_produce)
        && find(library, "rd_kafka_purge", found.rd_kafka_purge) && find(library, "rd_kafka_topic_destroy", found.rd_kafka_topic_destroy)
        && find(library, "rd_kafka_topic_new", found.rd_kafka_topic_new);
    return is_complete ? std::optional(found) : std::nullopt;
}

struct Loaded {
    std::optional<Kafka> functions;
    std::string problem;
};

Loaded load()
{
    auto* const library = ::dlopen("librdkafka.so.1", RTLD_NOW | RTLD_LOCAL); // stays for good
    auto functions = library != nullptr ? find_functions(library) : std::nullopt;
    auto const* const message = functions ? nullptr : ::dlerror();
    return { functions, std::string("kafka: librdkafka.so.1: ") + (message != nullptr ? message : "it cannot be loaded") };
}

} // namespace

Result<Kafka const*> load_kafka()
{
    static Loaded const loaded = load();
    if (!loaded.functions)
        return unavailable(loaded.problem);
    return &*loaded.functions;
}

} // namespace writ::audit
