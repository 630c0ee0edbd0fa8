// SPDX-License-Identifier: Apache-2.0
#include "authority/witness_report.h"

#include <algorithm>

namespace writ::authority {

namespace {

std::uint64_t lag_of(std::uint64_t tree_size, std::uint64_t size) { return tree_size - std::min(tree_size, size); }

// SPEC: Prometheus text format: a label's value has `\`, `"` and line ends escaped.
std::string escaped(std::string_view text)
{
    std::string result;
    for (auto const character : text) {
        if (character == '\\' || character == '"')
            result += '\\';
        result += character == '\n' ? ' ' : character;
    }
    return result;
}

} // namespace

JsonObject witnesses_to_json(Witnessing const& witnessing, tlog::Log const& log)
{
    auto const size = log.size();
    auto const& final_one = witnessing.final_checkpoint();
    JsonArray witnesses;
    for (auto const& witness : witnessing.witnesses()) {
        JsonObject object { { "name", witness.name }, { "url", witness.url }, { "size", witness.size }, { "lag", lag_of(size, witness.size) },
            { "failures", witness.failures }, { "conflict", witness.is_conflicting }, { "error", witness.error } };
        object.emplace("time", witness.time ? JsonValue(to_rfc3339(*witness.time)) : JsonValue(nullptr));
        witnesses.push_back(std::move(object));
    }
    return { { "tree_size", size }, { "published_size", log.latest().size }, { "final_size", final_one.size },
        { "final_cosignatures", final_one.cosignatures.size() }, { "quorum", witnessing.quorum() }, { "witnesses", std::move(witnesses) } };
}

std::string witnesses_to_prometheus(Witnessing const& witnessing, std::uint64_t tree_size)
{
    auto const witnesses = witnessing.witnesses();
    if (witnesses.empty())
        return {};
    std::string text = "# HELP writ_audit_final_size Records in the newest checkpoint that a quorum of witnesses has cosigned.\n"
                       "# TYPE writ_audit_final_size gauge\nwrit_audit_final_size "
        + std::to_string(witnessing.final_checkpoint().size) + "\n";
    auto const add = [&](std::string_view name, std::string_view type, std::string_view help, auto const& value_of) {
        text.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
        for (auto const& witness : witnesses)
            text.append(name).append("{witness=\"").append(escaped(witness.name)).append("\"} ").append(std::to_string(value_of(witness))).append("\n");
    };
    add("writ_audit_witness_lag_records", "gauge", "Records that a witness has not cosigned yet.",
        [tree_size](auto const& witness) { return lag_of(tree_size, witness.size); });
    add("writ_audit_witness_failures_total", "counter", "Attempts to have a checkpoint cosigned that failed; they are made again.",
        [](auto const& witness) { return witness.failures; });
    add("writ_audit_witness_conflict", "gauge", "1 if the witness has seen another log, or a longer one, under this log's name and key.",
        [](auto const& witness) { return witness.is_conflicting ? 1 : 0; });
    return text;
}

} // namespace writ::authority
