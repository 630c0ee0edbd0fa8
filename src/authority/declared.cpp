// SPDX-License-Identifier: Apache-2.0
#include "authority/declared.h"

#include "crypto/digest.h"

namespace writ::authority {

namespace {

std::optional<replay::Declared> compiled(std::uint64_t version, DocumentSet documents, std::vector<Problem>& problems)
{
    auto const snapshot = compile_snapshot_as_it_is(version, std::move(documents), problems);
    if (!snapshot)
        return std::nullopt;
    replay::Declared declared;
    declared.version = version;
    declared.policies = snapshot->policies;
    declared.entities = std::shared_ptr<cedar::EntityStore const>(snapshot, &snapshot->entities);
    for (auto const& [key, source] : snapshot->documents)
        if (key.kind == policies_kind)
            declared.sources.push_back({ source.path, source.text });
    for (auto const& [name, workload] : snapshot->declarations.workloads)
        declared.workloads.push_back({ name, workload.value.pipeline, workload.value.team });
    return declared;
}

} // namespace

Result<replay::Declared> declared_of(std::uint64_t version, std::string_view text)
{
    std::vector<Problem> problems;
    auto documents = version == 0 ? DocumentSet() : TRY(parse_document_set(text));
    auto declared = compiled(version, std::move(documents), problems);
    if (!declared)
        return corruption("declarations version " + std::to_string(version) + ": " + to_string(problems.front()));
    declared->digest = to_hex(crypto::sha256(as_bytes(text)));
    return std::move(*declared);
}

std::optional<replay::Declared> declared_with(
    std::string_view text, std::vector<Document> const& documents, bool prune, std::vector<Problem>& problems)
{
    auto const current = parse_document_set(text);
    if (current.is_error()) {
        problems.push_back({ {}, current.error().message });
        return std::nullopt;
    }
    auto const incoming = split_documents(documents, problems);
    if (!problems.empty())
        return std::nullopt;
    return compiled(0, merge_documents(*current, incoming, prune).documents, problems);
}

} // namespace writ::authority
