// SPDX-License-Identifier: Apache-2.0
#include "authority/export_declaration.h"

namespace writ::authority {

namespace {

using Kind = audit::Destination::Kind;

void read_filter(FieldReader& fields, audit::ExportFilter& filter, std::vector<Problem>& problems)
{
    auto const* node = fields.node("only");
    if (node == nullptr)
        return;
    if (node->kind != YamlNode::Kind::map)
        return fields.problem(node->position, "field `only` is a map: `only: { type: [decision], decision: deny }`");
    FieldReader only(*node, problems);
    for (auto const& text : only.texts("type")) {
        auto const type = audit::parse_record_type(text);
        if (type.is_ok())
            filter.types.push_back(*type);
        else
            only.problem(node->position, type.error().message);
    }
    if (auto const decision = only.text_or("decision", ""); decision == "allow" || decision == "deny")
        filter.allowed = decision == "allow";
    else if (!decision.empty())
        only.problem(node->position, "field `decision` is allow or deny");
    filter.workloads = only.texts("workload");
    filter.teams = only.texts("team");
    filter.pipelines = only.texts("pipeline");
    filter.purposes = only.texts("purpose");
    filter.resources = only.texts("resource");
    only.finish();
}

// Where a field stands, for what is wrong with it.
Position place_of(YamlNode const& node, std::string_view name)
{
    auto const* field = node.find(name);
    return field != nullptr ? field->position : node.position;
}

// A field that means nothing where it stands would be believed to do something.
void refuse_elsewhere(FieldReader& fields, YamlNode const& node, std::initializer_list<std::string_view> names, std::string const& where)
{
    for (auto const name : names)
        if (node.find(name) != nullptr)
            fields.problem(place_of(node, name), "field `" + std::string(name) + "` is for " + where);
}

void read_credentials(FieldReader& fields, YamlNode const& node, audit::ExportSpecification& wanted)
{
    for (auto const& [name, file] : { std::pair("ca_file", &wanted.ca_file), std::pair("certificate_file", &wanted.certificate_file),
             std::pair("key_file", &wanted.key_file), std::pair("token_file", &wanted.token_file),
             std::pair("password_file", &wanted.password_file) }) {
        *file = fields.text_or(name, "");
        if (!file->empty() && file->front() != '/')
            fields.problem(place_of(node, name), "field `" + std::string(name) + "` is an absolute path on the authority's machine");
    }
    wanted.user = fields.text_or("user", "");
    wanted.sasl_mechanism = fields.text_or("sasl_mechanism", wanted.user.empty() ? "" : "SCRAM-SHA-256");
    if (wanted.certificate_file.empty() != wanted.key_file.empty())
        fields.problem(node.position, "fields `certificate_file` and `key_file` go together");
    if (wanted.user.empty() != wanted.password_file.empty())
        fields.problem(node.position, "fields `user` and `password_file` go together");
    if (auto const& mechanism = wanted.sasl_mechanism;
        !mechanism.empty() && mechanism != "SCRAM-SHA-256" && mechanism != "SCRAM-SHA-512" && mechanism != "PLAIN")
        fields.problem(place_of(node, "sasl_mechanism"), "field `sasl_mechanism` is SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN");
    if (!wanted.destination.is_tls)
        refuse_elsewhere(fields, node, { "ca_file", "certificate_file", "key_file" }, "destinations over TLS");
    if (wanted.destination.kind != Kind::http)
        refuse_elsewhere(fields, node, { "token_file", "batch", "compression" }, "destinations over HTTP");
    if (wanted.destination.kind != Kind::kafka)
        refuse_elsewhere(fields, node, { "user", "password_file", "sasl_mechanism" }, "Kafka");
}

} // namespace

audit::ExportSpecification read_export(FieldReader& fields, YamlNode const& node, std::vector<Problem>& problems)
{
    audit::ExportSpecification wanted;
    if (auto const name = fields.one_of("format", { "json", "ocsf", "openlineage", "cef", "otlp" }); !name.empty())
        if (auto const format = audit::parse_event_format(name); format.is_ok())
            wanted.format = *format;
    if (auto const text = fields.text("destination"); !text.empty()) {
        auto destination = audit::parse_destination(text);
        if (destination.is_ok())
            wanted.destination = std::move(*destination);
        else
            fields.problem(place_of(node, "destination"), destination.error().message);
    }
    wanted.shape = audit::default_shape(wanted.format);
    if (auto const text = fields.text_or("batch", ""); !text.empty()) {
        auto const shape = audit::parse_batch_shape(text);
        if (shape.is_ok())
            wanted.shape = *shape;
        else
            fields.problem(place_of(node, "batch"), shape.error().message);
    }
    auto const compression = fields.text_or("compression", "");
    wanted.is_compressed = compression == "gzip";
    if (!compression.empty() && !wanted.is_compressed)
        fields.problem(place_of(node, "compression"), "field `compression` is gzip, or absent");
    auto const from = fields.text_or("from", "beginning");
    wanted.begins_now = from == "now";
    if (from != "beginning" && from != "now")
        fields.problem(place_of(node, "from"), "field `from` is beginning or now");
    read_filter(fields, wanted.filter, problems);
    read_credentials(fields, node, wanted);
    return wanted;
}

std::vector<audit::ExportSpecification> exports_of(Declarations const& declarations)
{
    std::vector<audit::ExportSpecification> all;
    for (auto const& [name, declared] : declarations.audit_exports)
        all.push_back(declared.value);
    return all;
}

} // namespace writ::authority
