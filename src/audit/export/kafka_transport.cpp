// SPDX-License-Identifier: Apache-2.0
//
// A Kafka topic by an idempotent producer: acknowledged by all replicas in sync, in order within the one partition that the log's origin as
// key names. After an error the producer is thrown away with all it still holds, and a new one begins with what was not acknowledged.
#include "audit/export/credentials.h"
#include "audit/export/kafka.h"
#include "audit/export/transport.h"

#include <array>

namespace writ::audit {

namespace {

// How often we look for acknowledgements; librdkafka has threads of its own.
constexpr Duration poll_pause = std::chrono::milliseconds(5);
constexpr char const* delivery_milliseconds_max = "30000";

class KafkaTransport final : public Transport {
public:
    KafkaTransport(ExportSpecification specification, std::string origin)
        : specification_(std::move(specification))
        , origin_(std::move(origin))
    {
    }
    ~KafkaTransport() override { disconnect(); }
    KafkaTransport(KafkaTransport const&) = delete;
    KafkaTransport& operator=(KafkaTransport const&) = delete;

    net::Task<Result<>> send(std::vector<OutgoingEvent> const& events) override
    {
        auto connected = connect();
        CO_TRY(connected);
        waiting_ = events.size();
        failure_.clear();
        last_problem_.clear();
        auto produced = produce(events);
        while (produced.is_ok() && waiting_ > 0 && failure_.empty()) {
            kafka_->rd_kafka_poll(producer_, 0);
            if (waiting_ > 0)
                co_await net::delay(poll_pause);
        }
        if (produced.is_ok() && failure_.empty())
            co_return Result<>();
        auto const why = produced.is_error() ? produced.error().message : failure_;
        disconnect();
        co_return unavailable("kafka: " + why + (last_problem_.empty() ? "" : "; " + last_problem_));
    }

private:
    static void delivered(rd_kafka_t*, rd_kafka_message_t const* message, void* self)
    {
        auto& transport = *static_cast<KafkaTransport*>(self);
        --transport.waiting_;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && transport.failure_.empty())
            transport.failure_ = transport.kafka_->rd_kafka_err2str(message->err);
    }
    // Brokers that cannot be reached, and the like: librdkafka goes on by itself, the operator wants to know. A password or a certificate that is refused is
    // an end: it would try again behind our back, and say at last that no broker is there.
    static void troubled(rd_kafka_t*, int code, char const* reason, void* self)
    {
        auto& transport = *static_cast<KafkaTransport*>(self);
        bool const is_refusal = code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL;
        if (is_refusal && transport.failure_.empty())
            transport.failure_ = reason;
        else if (!is_refusal)
            transport.last_problem_ = reason;
    }

    Result<> set(rd_kafka_conf_t* configuration, char const* name, std::string const& value) const
    {
        std::array<char, 512> problem {};
        if (value.empty()
            || kafka_->rd_kafka_conf_set(configuration, name, value.c_str(), problem.data(), problem.size()) == RD_KAFKA_CONF_OK)
            return {};
        return invalid_argument("kafka: " + std::string(problem.data()));
    }

    Result<> configure(rd_kafka_conf_t* configuration) const
    {
        auto const& wanted = specification_;
        auto const is_tls = wanted.destination.is_tls, has_user = !wanted.user.empty();
        auto const* const protocol = is_tls ? (has_user ? "sasl_ssl" : "ssl") : (has_user ? "sasl_plaintext" : "plaintext");
        for (auto const& [name, value] : { std::pair<char const*, std::string>("bootstrap.servers", wanted.destination.brokers),
                 { "client.id", "writ" }, { "enable.idempotence", "true" }, { "acks", "all" },
                 { "message.timeout.ms", delivery_milliseconds_max }, { "security.protocol", protocol }, { "ssl.ca.location", wanted.ca_file },
                 { "ssl.certificate.location", wanted.certificate_file }, { "ssl.key.location", wanted.key_file },
                 { "sasl.mechanism", wanted.sasl_mechanism }, { "sasl.username", wanted.user } })
            TRY(set(configuration, name, value));
        if (!wanted.password_file.empty())
            TRY(set(configuration, "sasl.password", TRY(read_secret(wanted.password_file)).reveal()));
        return {};
    }

    Result<> connect()
    {
        if (producer_ != nullptr)
            return {};
        kafka_ = TRY(load_kafka());
        auto* const configuration = kafka_->rd_kafka_conf_new();
        kafka_->rd_kafka_conf_set_dr_msg_cb(configuration, delivered);
        kafka_->rd_kafka_conf_set_error_cb(configuration, troubled);
        kafka_->rd_kafka_conf_set_log_cb(configuration, nullptr);
        kafka_->rd_kafka_conf_set_opaque(configuration, this);
        auto const configured = configure(configuration);
        std::array<char, 512> problem {};
        if (configured.is_ok())
            producer_ = kafka_->rd_kafka_new(RD_KAFKA_PRODUCER, configuration, problem.data(), problem.size());
        if (producer_ == nullptr) {
            kafka_->rd_kafka_conf_destroy(configuration);
            return configured.is_error() ? configured.error() : invalid_argument("kafka: " + std::string(problem.data()));
        }
        topic_ = kafka_->rd_kafka_topic_new(producer_, specification_.destination.topic.c_str(), nullptr);
        return topic_ != nullptr ? Result<>() : unavailable("kafka: the topic cannot be used");
    }

    Result<> produce(std::vector<OutgoingEvent> const& events)
    {
        for (auto const& event : events) {
            auto text = specification_.format == EventFormat::otlp ? otlp_request({ event.text }) : event.text;
            if (kafka_->rd_kafka_produce(topic_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, text.data(), text.size(), origin_.data(),
                    origin_.size(), nullptr)
                != 0)
                return unavailable(kafka_->rd_kafka_err2str(kafka_->rd_kafka_last_error()));
        }
        return {};
    }

    void disconnect()
    {
        if (producer_ == nullptr)
            return;
        kafka_->rd_kafka_purge(producer_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        kafka_->rd_kafka_poll(producer_, 0);
        if (topic_ != nullptr)
            kafka_->rd_kafka_topic_destroy(topic_);
        kafka_->rd_kafka_destroy(producer_);
        producer_ = nullptr;
        topic_ = nullptr;
    }

    ExportSpecification specification_;
    std::string origin_;
    Kafka const* kafka_ = nullptr;
    rd_kafka_t* producer_ = nullptr;
    rd_kafka_topic_t* topic_ = nullptr;
    std::size_t waiting_ = 0; // for their acknowledgement
    std::string failure_;     // of the first that failed
    std::string last_problem_;
};

} // namespace

std::unique_ptr<Transport> create_kafka_transport(ExportSpecification const& specification, std::string const& origin)
{
    return std::make_unique<KafkaTransport>(specification, origin);
}

} // namespace writ::audit
