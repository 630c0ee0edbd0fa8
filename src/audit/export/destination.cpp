// SPDX-License-Identifier: Apache-2.0
#include "audit/export/destination.h"

#include <algorithm>

namespace writ::audit {

namespace {

// SPEC: RFC 5425 §4.1 and RFC 6587 name these ports.
constexpr std::string_view syslog_tls_port = "6514", syslog_tcp_port = "601";
// LIMIT: Kafka's own for a topic's name.
constexpr std::size_t topic_length_max = 249;

bool is_absolute_path(std::string_view path) { return path.size() > 1 && path.front() == '/' && path.find('\0') == std::string_view::npos; }

// With the scheme's port behind a host that names none.
Result<net::Address> address_of(std::string_view host, std::string_view port)
{
    auto const after_bracket = host.rfind(']');
    auto const has_port = host.find(':', after_bracket == std::string_view::npos ? 0 : after_bracket) != std::string_view::npos;
    auto address = TRY(net::parse_address(std::string(host) + (has_port ? "" : ":" + std::string(port))));
    if (!std::holds_alternative<net::TcpAddress>(address))
        return invalid_argument("`" + std::string(host) + "` is no host");
    return address;
}

bool is_loopback(net::Address const& address)
{
    auto const& host = std::get<net::TcpAddress>(address).host;
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<Destination> parse_file(Destination destination, std::string_view rest)
{
    if (!is_absolute_path(rest) || rest.ends_with('/'))
        return invalid_argument("a file's destination is file:// and an absolute path");
    destination.kind = Destination::Kind::file;
    destination.path = rest;
    return destination;
}

Result<Destination> parse_http(Destination destination, std::string_view rest, bool is_tls)
{
    auto const slash = std::min(rest.find('/'), rest.size());
    destination.kind = Destination::Kind::http;
    destination.is_tls = is_tls;
    destination.address = TRY(address_of(rest.substr(0, slash), is_tls ? "443" : "80"));
    destination.path = slash < rest.size() ? rest.substr(slash) : "/";
    if (destination.path.find_first_of(" #\t\r\n") != std::string::npos)
        return invalid_argument("the path has a space, a `#` or a line's end in it");
    // SECURITY: records name people's data; they cross a network encrypted or not at all.
    if (!is_tls && !is_loopback(destination.address))
        return invalid_argument("http:// is for this machine alone; elsewhere it is https://");
    return destination;
}

Result<Destination> parse_syslog(Destination destination, std::string_view scheme, std::string_view rest)
{
    destination.kind = Destination::Kind::syslog;
    destination.is_tls = scheme == "syslog+tls";
    if (scheme == "syslog+unix") {
        if (!is_absolute_path(rest))
            return invalid_argument("a socket's destination is syslog+unix:// and an absolute path");
        destination.address = net::UnixAddress { std::string(rest) };
        return destination;
    }
    destination.address = TRY(address_of(rest, destination.is_tls ? syslog_tls_port : syslog_tcp_port));
    if (!destination.is_tls && !is_loopback(destination.address))
        return invalid_argument("syslog+tcp:// is for this machine alone; elsewhere it is syslog+tls://");
    return destination;
}

Result<Destination> parse_kafka(Destination destination, std::string_view rest, bool is_tls)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    auto const slash = rest.find('/');
    if (slash == std::string_view::npos)
        return invalid_argument("a Kafka destination is kafka+tls://HOST:PORT[,HOST:PORT…]/TOPIC");
    destination.kind = Destination::Kind::kafka;
    destination.is_tls = is_tls;
    destination.brokers = rest.substr(0, slash);
    destination.topic = rest.substr(slash + 1);
    if (destination.topic.empty() || destination.topic.size() > topic_length_max
        || destination.topic.find_first_not_of(allowed) != std::string::npos)
        return invalid_argument("`" + destination.topic + "` is not a topic");
    for (std::string_view brokers = destination.brokers; !brokers.empty() || destination.brokers.empty();) {
        auto const comma = std::min(brokers.find(','), brokers.size());
        auto const broker = TRY(address_of(brokers.substr(0, comma), "9092"));
        if (!is_tls && !is_loopback(broker))
            return invalid_argument("kafka:// is for this machine alone; elsewhere it is kafka+tls://");
        brokers.remove_prefix(std::min(brokers.size(), comma + 1));
    }
    return destination;
}

Result<Destination> parse(std::string_view text)
{
    auto const colon = text.find("://");
    if (colon == std::string_view::npos)
        return invalid_argument("it begins with file://, https://, http://, syslog+tls://, syslog+tcp://, syslog+unix://, kafka+tls:// or kafka://");
    auto const scheme = text.substr(0, colon), rest = text.substr(colon + 3);
    Destination destination { .text = std::string(text) };
    if (scheme == "file")
        return parse_file(std::move(destination), rest);
    if (scheme == "https" || scheme == "http")
        return parse_http(std::move(destination), rest, scheme == "https");
    if (scheme == "syslog+tls" || scheme == "syslog+tcp" || scheme == "syslog+unix")
        return parse_syslog(std::move(destination), scheme, rest);
    if (scheme == "kafka" || scheme == "kafka+tls")
        return parse_kafka(std::move(destination), rest, scheme == "kafka+tls");
    return invalid_argument(
        "`" + std::string(scheme) + "` is not one of file, https, http, syslog+tls, syslog+tcp, syslog+unix, kafka+tls, kafka");
}

bool is_one_of(std::vector<std::string> const& wanted, std::initializer_list<std::string_view> found)
{
    return wanted.empty()
        || std::ranges::any_of(found, [&](std::string_view text) { return std::ranges::find(wanted, text) != wanted.end(); });
}

} // namespace

Result<Destination> parse_destination(std::string_view text) { return parse(text).in("`" + std::string(text) + "`"); }

bool ExportFilter::matches(Record const& record) const
{
    if (!types.empty() && std::ranges::find(types, record.type) == types.end())
        return false;
    if (allowed && record.allowed != allowed)
        return false;
    std::string resource_id, resource;
    if (record.resource) {
        resource_id = record.resource->id;
        resource = record.resource->type + "::" + record.resource->id;
    }
    return is_one_of(workloads, { record.workload, record.workload_name }) && is_one_of(teams, { record.team })
        && is_one_of(pipelines, { record.pipeline }) && is_one_of(purposes, { record.purpose }) && is_one_of(resources, { resource_id, resource });
}

} // namespace writ::audit
